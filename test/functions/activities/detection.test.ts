import { describe, expect, test } from 'vitest';
import { readStanding } from '../../../functions/activities/detection-state.ts';
import type { DetectionWorld } from '../../../functions/world.ts';
import { AppError } from '../../../shared/errors.ts';
import { ALICE } from '../../shared/detection/builders.ts';
import {
  aGrant,
  at,
  createDetectionWorld,
  DAY,
  GRANT,
  HOUR,
  HSM,
  iso,
  judgedUpTo,
  MINUTE,
  START,
  storedFindings,
  sweep,
  watermarkOf,
} from '../../support/detection-world.ts';
import { ADMIN_ROLE } from '../../support/incident-world.ts';

/** https://learn.microsoft.com/azure/key-vault/managed-hsm/built-in-roles */
const AUDITOR_ROLE = '2c18b078-7c48-4d3a-af88-5a3a1b3f82b3';
const unanswered = (code: 'ERR_DENIED' | 'ERR_TRANSIENT') => () => {
  throw new AppError(code, 'no answer', { nextStep: 'Wait.' });
};
const grantee = { id: GRANT, principalId: '00000000-0000-4000-8000-00000000a666', scope: '/' };

async function aWindowWithAGrant(role?: string) {
  const world = createDetectionWorld();
  await judgedUpTo(world, START - 10 * MINUTE);
  world.rows = [at(START - 5 * MINUTE, aGrant())];
  if (role) world.roles = [{ ...grantee, roleDefinitionId: role }];
  return world;
}

const scoreOf = async (world: Awaited<ReturnType<typeof aWindowWithAGrant>>) => {
  await sweep(world).judge('one');
  const found = storedFindings(world).find(({ detector }) => detector === 'role-assignment-change');
  if (!found) throw new Error('a grant is told');
  return found;
};

describe('a question that the HSM does not answer', () => {
  test.each(['ERR_DENIED', 'ERR_TRANSIENT'] as const)(
    '(%s) makes a grant neither harmless nor the worst',
    async (code) => {
      const harmless = await scoreOf(await aWindowWithAGrant(AUDITOR_ROLE));
      const worst = await scoreOf(await aWindowWithAGrant(ADMIN_ROLE));
      const world = await aWindowWithAGrant(ADMIN_ROLE);
      world.onLook.before = unanswered(code);
      const unknown = await scoreOf(world);
      expect(unknown.score).toBeGreaterThan(harmless.score);
      expect(unknown.score).toBeLessThan(worst.score);
      expect(unknown.title).toContain('an unknown role');
      expect(unknown.assignments).toEqual([{ scope: '/', id: GRANT }]);
    },
  );

  test('is written to the log, and what was seen before stays what later changes are told against', async () => {
    const world = await aWindowWithAGrant(ADMIN_ROLE);
    const { judge, commit } = sweep(world);
    await judge('one');
    await commit('one');
    world.now.value = new Date(START + 5 * MINUTE);
    world.rows.push(at(START + MINUTE, { ...aGrant(), path: aGrant().path.replace(/1$/, '2') }));
    world.onLook.before = unanswered('ERR_DENIED');
    const later = sweep(world);
    await later.judge('two');
    await later.commit('two');
    expect(later.lines).toContainEqual(expect.objectContaining({ event: 'LookUpUnanswered', what: 'assignments' }));
    const { judgement } = (await readStanding(world.documents, HSM)) ?? {};
    expect(judgement?.sighted.assignments).toEqual([expect.objectContaining({ id: GRANT, role: ADMIN_ROLE })]);
  });

  test('for a fault of our own is no answer either: the window is judged again', async () => {
    const world = await aWindowWithAGrant();
    world.onLook.before = () => {
      throw new TypeError('x is not a function');
    };
    await expect(sweep(world).judge('one')).rejects.toThrow(TypeError);
    expect(await watermarkOf(world)).toBe(iso(START - 10 * MINUTE));
  });
});

test('a log that is cut off for hours goes on being judged, hour after hour', async () => {
  const world = createDetectionWorld();
  await judgedUpTo(world, START - 10 * MINUTE);
  const { log } = world.detection as DetectionWorld;
  const lastEvent = iso(START - 5 * MINUTE);
  log.arrivals = async (hsm, from) =>
    from > lastEvent
      ? []
      : [{ hsm, quarter: lastEvent, rows: 3, lastEvent, lastArrival: lastEvent, canary: 1, lag: { p50: 60, p99: 60 } }];
  for (let hours = 0; hours < 12; hours++) {
    world.now.value = new Date(START + hours * HOUR);
    const { judge, commit } = sweep(world);
    await judge(`cut-${hours}`);
    await commit(`cut-${hours}`);
    expect(await watermarkOf(world)).toBe(iso(START + hours * HOUR - 2 * MINUTE));
  }
});

describe('a crash', () => {
  test('between the findings and the commit repeats with the same ids, and tells them once', async () => {
    const world = await aWindowWithAGrant(ADMIN_ROLE);
    const first = sweep(world);
    const before = await first.judge('one');
    if (before.kind !== 'judged') throw new Error(before.kind);
    expect(before.findings).not.toEqual([]);
    await first.raise(before.findings);
    const told = world.published.length;
    expect(told).toBeGreaterThan(0);
    expect(await watermarkOf(world)).toBe(iso(START - 10 * MINUTE));

    world.now.value = new Date(START + 5 * MINUTE);
    const again = sweep(world);
    const after = await again.judge('two');
    if (after.kind !== 'judged') throw new Error(after.kind);
    expect(after.findings).toEqual(before.findings);
    expect(after.calls).toBe(before.calls);
    expect(storedFindings(world)).toHaveLength(before.findings.length);
    expect(await again.raise(after.findings)).toEqual({ kind: 'raised', published: 0 });
    expect(world.published).toHaveLength(told);
    expect(await again.commit('two')).toEqual({ kind: 'committed' });
    expect(await watermarkOf(world)).toBe(iso(START + 3 * MINUTE));
  });

  test('at any write of a window leaves memory and watermark as they were, and the repeat says the same', async () => {
    const whole = await aWindowWithAGrant(ADMIN_ROLE);
    let writes = 0;
    whole.onWrite.before = () => {
      writes += 1;
    };
    const said = await sweep(whole).judge('one');
    expect(writes).toBeGreaterThan(1);
    for (let killed = 1; killed <= writes; killed++) {
      const world = await aWindowWithAGrant(ADMIN_ROLE);
      let left = killed;
      world.onWrite.before = () => {
        left -= 1;
        if (left === 0) throw new Error('killed');
      };
      await expect(sweep(world).judge('one')).rejects.toThrow('killed');
      expect(await watermarkOf(world)).toBe(iso(START - 10 * MINUTE));
      expect(await sweep(world).judge('one')).toEqual(said);
      expect(storedFindings(world)).toEqual(storedFindings(whole));
    }
  });
});

test('of two that judge the same window one moves memory and watermark, and the other is set aside', async () => {
  const world = await aWindowWithAGrant(ADMIN_ROLE);
  const { judge, commit } = sweep(world);
  await judge('one');
  world.now.value = new Date(START + 5 * MINUTE);
  await judge('two');
  expect(await commit('two')).toEqual({ kind: 'committed' });
  expect(await commit('one')).toEqual({ kind: 'superseded' });
  const standing = await readStanding(world.documents, HSM);
  expect(standing?.state).toMatchObject({ judgement: 'two', watermark: iso(START + 3 * MINUTE) });
  expect(standing?.judgement.watermark).toBe(iso(START + 3 * MINUTE));
  expect(Object.keys(standing?.judgement.memory.callers ?? {})).toEqual([ALICE]);
});

/** Judges and commits until nothing is behind, as the orchestrator does. */
async function workOff(world: ReturnType<typeof createDetectionWorld>, turns = 50) {
  const { judge, commit } = sweep(world);
  const windows: { upTo: string; calls: number }[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const judged = await judge(`turn-${turn}`);
    if (judged.kind !== 'judged') break;
    expect(await commit(`turn-${turn}`)).toEqual({ kind: 'committed' });
    windows.push({ upTo: judged.upTo, calls: judged.calls });
    if (!judged.behind) break;
  }
  return windows;
}

describe('the log', () => {
  test('of an outage of days is worked off in slices of six hours, and each call is judged once', async () => {
    const world = createDetectionWorld();
    await judgedUpTo(world, START - 3 * DAY);
    for (let back = 3 * DAY - HOUR; back > HOUR; back -= HOUR) world.rows.push(at(START - back));
    const windows = await workOff(world);
    expect(windows).toHaveLength(12);
    expect(windows.slice(0, 2).map(({ upTo }) => upTo)).toEqual([
      iso(START - 3 * DAY + 6 * HOUR),
      iso(START - 3 * DAY + 12 * HOUR),
    ]);
    expect(windows.at(-1)?.upTo).toBe(iso(START - 2 * MINUTE));
    expect(windows.reduce((sum, { calls }) => sum + calls, 0)).toBe(world.rows.length);
  });

  test('that brings more groups than an answer holds is read in shorter slices', async () => {
    const world = createDetectionWorld();
    await judgedUpTo(world, START - 6 * HOUR);
    for (let back = 6 * HOUR - MINUTE; back > HOUR; back -= HOUR) world.rows.push(at(START - back));
    const { sensitiveCalls } = world.detection.log;
    world.detection.log.sensitiveCalls = async (window) => ({
      ...(await sensitiveCalls(window)),
      more: Date.parse(window.upTo) - Date.parse(window.after) > 2 * HOUR ? 1 : 0,
    });
    const windows = await workOff(world);
    expect(windows.length).toBeGreaterThan(3);
    expect(windows.at(-1)?.upTo).toBe(iso(START - 2 * MINUTE));
    expect(windows.reduce((sum, { calls }) => sum + calls, 0)).toBe(world.rows.length);
  });

  test.each([
    ['a day', DAY],
    ['a week', 7 * DAY],
  ])('judged by a clock that ran %s ahead is judged again from its newest row on', async (_, ahead) => {
    const world = createDetectionWorld();
    await judgedUpTo(world, START - 2 * HOUR);
    world.rows = [at(START - HOUR)];
    world.now.value = new Date(START + ahead);
    expect(await workOff(world)).not.toEqual([]);
    expect(await watermarkOf(world)).toBe(iso(START + ahead - 2 * MINUTE));

    world.now.value = new Date(START + HOUR);
    world.rows.push(at(START + 30 * MINUTE, aGrant()));
    const windows = await workOff(world);
    expect(windows.reduce((sum, { calls }) => sum + calls, 0)).toBe(1);
    expect(storedFindings(world).map(({ detector }) => detector)).toContain('role-assignment-change');
    expect(await watermarkOf(world)).toBe(iso(START + HOUR - 2 * MINUTE));
  });

  test('of which nothing has settled since is left alone', async () => {
    const world = createDetectionWorld();
    await judgedUpTo(world, START - MINUTE);
    expect(await sweep(world).judge('one')).toEqual({ kind: 'nothing' });
    expect(world.asked).toEqual([]);
  });
});

describe('calls that the platform counts apart from the log', () => {
  const metered = async (serviceHits: DetectionWorld['metrics']['serviceHits']) => {
    const world = createDetectionWorld();
    world.detection.metrics = { serviceHits };
    for (const hsm of world.hsms) if (hsm.name === HSM) hsm.resourceId = `/subscriptions/s/${HSM}`;
    await judgedUpTo(world, START - 10 * MINUTE);
    const { judge, lines } = sweep(world);
    return { world, lines, judged: await judge('one') };
  };

  test('and of which no row arrives for half an hour are told as missing', async () => {
    const { world } = await metered(async (_resource, from, to) => {
      const quarters = [];
      for (let quarter = Date.parse(from); quarter + 15 * MINUTE <= Date.parse(to); quarter += 15 * MINUTE)
        quarters.push({ quarter: iso(quarter), hits: 50 });
      return quarters;
    });
    expect(storedFindings(world)).toContainEqual(
      expect.objectContaining({
        detector: 'logging-gap',
        title: `The metric counts 50 calls to ${HSM}, the log shows 0`,
      }),
    );
  });

  test('and cannot be read are unknown: the window is judged without them', async () => {
    const { world, lines, judged } = await metered(async () => unanswered('ERR_DENIED')());
    expect(judged).toMatchObject({ kind: 'judged' });
    expect(storedFindings(world)).toEqual([]);
    expect(lines.some(({ event }) => event === 'CallsNotCounted')).toBe(true);
  });
});
