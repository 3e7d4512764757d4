import { describe, expect, test } from 'vitest';
import { readCanary } from '../../../functions/activities/detection-canary.ts';
import { detectionRuleOf } from '../../../functions/activities/detection-rule.ts';
import { readStanding } from '../../../functions/activities/detection-state.ts';
import type { HourVolume } from '../../../shared/detection/audit-call.ts';
import { AppError } from '../../../shared/errors.ts';
import { aCall, STORAGE } from '../../shared/detection/builders.ts';
import {
  aGrant,
  at,
  createDetectionWorld,
  DAY,
  type FakeDetectionWorld,
  HOUR,
  HSM,
  iso,
  judgedUpTo,
  MINUTE,
  START,
  storedFindings,
  sweep,
} from '../../support/detection-world.ts';
import { ADMIN_ROLE } from '../../support/incident-world.ts';

const OWNERS = { fallback: ['keys@contoso.example'] };
const LANDING = 'https://contosolanding.blob.core.windows.net/backups';

const setPolicy = (world: FakeDetectionWorld, detection: object, more: object = {}) =>
  world.documents.put('policy', 'policy.json', JSON.stringify({ version: 1, owners: OWNERS, detection, ...more }));

const refused = (code: 'ERR_NOT_FOUND' | 'ERR_DENIED' | 'ERR_HSM_BUSY' | 'ERR_TRANSIENT' | 'ERR_THROTTLED') => () => {
  throw new AppError(code, 'no', { nextStep: 'Wait.' });
};

/** Four weeks in which one service unwraps with one key, once an hour, and one grant was made. */
function fourWeeks(): FakeDetectionWorld {
  const world = createDetectionWorld();
  const end = Math.floor(START / HOUR) * HOUR;
  for (let ms = end - 28 * DAY; ms < end; ms += HOUR) {
    world.rows.push(at(ms + 10 * MINUTE));
    world.hours.push({
      ...{ hsm: HSM, key: 'pay-01', caller: { oid: STORAGE }, class: 'crypto.unprotect', verb: 'unwrapkey' },
      ...{ hour: iso(ms), count: 1 },
    } as HourVolume);
  }
  world.rows.push(at(end - 10 * DAY, aGrant()));
  world.roles = [{ id: 'a', principalId: STORAGE, roleDefinitionId: ADMIN_ROLE, scope: '/' }];
  return world;
}

async function learnAll(world: FakeDetectionWorld) {
  let hours = 0;
  for (let lessons = 1; lessons < 20; lessons++) {
    const lesson = await sweep(world).learn();
    hours += lesson.hours;
    if (lesson.done) return { lessons, hours };
  }
  throw new Error('the baseline is never learnt');
}

const memoryOf = async (world: FakeDetectionWorld) => (await readStanding(world.documents, HSM))?.judgement;

describe('the baseline', () => {
  test('is learnt from four weeks before anything is judged, and tells nothing', async () => {
    const world = fourWeeks();
    expect(await sweep(world).judge('early')).toEqual({ kind: 'unlearnt' });
    expect(await learnAll(world)).toEqual({ lessons: 7, hours: 28 * 24 - 2 });
    const learnt = await memoryOf(world);
    expect(Object.keys(learnt?.memory.pairs ?? {})).toEqual([`pay-01 ${STORAGE}`]);
    expect(learnt?.memory).toMatchObject({ told: {}, recent: [] });
    expect(learnt?.watermark).toBeUndefined();
    expect(storedFindings(world)).toEqual([]);
    expect(world.published).toEqual([]);
    expect(await sweep(world).judge('first')).toMatchObject({ kind: 'judged', findings: [] });
  });

  test('sees the roles at the end, so that later changes are told against them', async () => {
    const world = fourWeeks();
    await learnAll(world);
    expect((await memoryOf(world))?.sighted.assignments).toMatchObject([{ id: 'a', role: ADMIN_ROLE }]);
  });

  test('is learnt where the HSM does not say its roles', async () => {
    const world = fourWeeks();
    world.onLook.before = refused('ERR_DENIED');
    await learnAll(world);
    expect((await memoryOf(world))?.sighted).toEqual({});
  });

  test('learns nothing twice: a repeat of the last step reads and writes nothing', async () => {
    const world = fourWeeks();
    await learnAll(world);
    const before = await memoryOf(world);
    world.asked.length = 0;
    expect(await sweep(world).learn()).toMatchObject({ kind: 'learnt', hours: 0, done: true });
    expect(world.asked).toEqual([]);
    expect(await memoryOf(world)).toEqual(before);
  });

  test('killed at any write of a step learns that step once', async () => {
    const whole = fourWeeks();
    await learnAll(whole);
    for (let killed = 1; killed <= 4; killed++) {
      const world = fourWeeks();
      let left = killed;
      world.onWrite.before = () => {
        left -= 1;
        if (left === 0) throw new Error('killed');
      };
      await expect(learnAll(world)).rejects.toThrow('killed');
      await learnAll(world);
      expect((await memoryOf(world))?.memory).toEqual((await memoryOf(whole))?.memory);
    }
  });
});

describe('the rule of the policy', () => {
  test.each([
    ['tells a grant', {}, ['role-assignment-change']],
    ['tells none where it says so', { detectors: { 'role-assignment-change': { on: false } } }, []],
  ])('reaches the sweep, which %s', async (_, policy, told) => {
    const world = createDetectionWorld();
    await setPolicy(world, policy);
    await judgedUpTo(world, START - 10 * MINUTE);
    world.rows = [at(START - 5 * MINUTE, aGrant())];
    await sweep(world).judge('one');
    const found = storedFindings(world).map(({ detector }) => detector);
    expect(found.filter((detector) => detector === 'role-assignment-change')).toEqual(told);
  });

  test('of an entry for the HSM stands over the document', async () => {
    const world = createDetectionWorld();
    await setPolicy(world, { production: false }, { hsms: [{ match: HSM, detection: { production: true } }] });
    const { rule } = await detectionRuleOf(world, world.detection, HSM);
    expect(rule.production).toBe(true);
  });

  test('knows the emergency accounts from where the policy says how a compromise is answered', async () => {
    const world = createDetectionWorld();
    await setPolicy(world, {}, { hsms: [{ match: HSM, response: { breakGlass: [STORAGE] } }] });
    await judgedUpTo(world, START - 10 * MINUTE);
    const keyBackup = (ms: number) => at(ms, { ...aCall({ class: 'key.backup' }), path: '/keys/pay-01/backup' });
    world.rows = [keyBackup(START - 5 * MINUTE)];
    await sweep(world).judge('one');
    await sweep(world).commit('one');
    world.now.value = new Date(START + 4 * HOUR);
    world.rows.push(keyBackup(START + 4 * HOUR - 5 * MINUTE));
    await sweep(world).judge('two');
    const moved = storedFindings(world).filter(({ detector }) => detector === 'key-material-movement');
    expect(moved.map(({ suppressed }) => suppressed)).toEqual([undefined, undefined]);
  });

  test.each([
    ['while its incident watches the caller', START + DAY, 'High'],
    ['not after the watch', START, 'Medium'],
  ])('weighs what a caller does a band more %s', async (_title, until, severity) => {
    const world = createDetectionWorld();
    await judgedUpTo(world, START - 10 * MINUTE);
    const watch = { schema: 1, incident: 'incident-1', hsm: HSM, since: iso(START - DAY), until: iso(until), keys: [] };
    const path = `detection/${HSM}/watches/incident-1.json`;
    await world.documents.put('state', path, { ...watch, caller: { oid: STORAGE } });
    world.rows = [at(START - 5 * MINUTE, { ...aCall({ class: 'key.backup' }), path: '/keys/pay-01/backup' })];
    await sweep(world).judge('one');
    const moved = storedFindings(world).find(({ detector }) => detector === 'key-material-movement');
    expect(moved?.severity).toBe(severity);
  });

  const SETTING = {
    ...{ name: 'key-lifecycle', workspaceId: '/w', dedicated: true, metrics: [] },
    logs: [{ category: 'AuditEvent', enabled: true }],
  };

  test.each([
    ['that no act shows is told by the difference', [], 'key-lifecycle no longer carries the audit log of contoso'],
    [
      'that an act shows is told by the act alone',
      [
        {
          ...{ hsm: HSM, operation: 'Microsoft.Insights/diagnosticSettings/delete', resource: '/x', caller: 'eve' },
          ...{ at: iso(START), arrived: iso(START + 2 * MINUTE), succeeded: true, correlationId: 'c' },
        },
      ],
      'eve removed where the HSM',
    ],
  ])('a diagnostic setting that goes away and %s', async (_title, acts, title) => {
    const world = createDetectionWorld();
    world.settings = [SETTING];
    await judgedUpTo(world, START - 10 * MINUTE);
    await sweep(world).judge('one');
    await sweep(world).commit('one');
    expect(storedFindings(world)).toEqual([]);
    world.settings = [];
    world.detection.log.controlPlane = async () => acts;
    world.now.value = new Date(START + 5 * MINUTE);
    await sweep(world).judge('two');
    await sweep(world).commit('two');
    const gaps = storedFindings(world).filter(({ detector }) => detector === 'logging-gap');
    expect(gaps.map(({ title: told }) => told)).toEqual([expect.stringContaining(title)]);
    expect(gaps[0]?.severity).toBe('Critical');
    expect((await memoryOf(world))?.sighted.diagnostics).toEqual([
      { from: iso(START), until: iso(START), value: [SETTING] },
      { from: iso(START + 5 * MINUTE), until: iso(START + 5 * MINUTE), value: [] },
    ]);
  });

  test('counts an act on the resource once, however many windows show it', async () => {
    const world = createDetectionWorld();
    await judgedUpTo(world, START - 10 * MINUTE);
    const cut = {
      ...{ hsm: HSM, operation: 'Microsoft.Insights/diagnosticSettings/delete', resource: '/x', caller: 'eve' },
      ...{ at: iso(START - 8 * MINUTE), arrived: iso(START - 6 * MINUTE), succeeded: true, correlationId: 'c' },
    };
    world.detection.log.controlPlane = async () => [cut];
    for (const [cycle, name] of ['one', 'two', 'three'].entries()) {
      world.now.value = new Date(START + cycle * 5 * MINUTE);
      await sweep(world).judge(name);
      await sweep(world).commit(name);
    }
    const [gap] = storedFindings(world).filter(({ detector }) => detector === 'logging-gap');
    expect(gap?.windows).toHaveLength(1);
  });

  test('leaves our landing container approved beside those it names', async () => {
    const world = createDetectionWorld();
    world.backups = { landingContainerUrl: LANDING } as NonNullable<typeof world.backups>;
    await setPolicy(world, { backupContainers: ['https://other.blob.core.windows.net/backups', LANDING] });
    const { rule } = await detectionRuleOf(world, world.detection, HSM);
    expect(rule.backupContainers).toEqual(['https://other.blob.core.windows.net/backups', LANDING]);
    await setPolicy(world, { backupContainers: [] });
    expect((await detectionRuleOf(world, world.detection, HSM)).rule.backupContainers).toEqual([LANDING]);
  });

  test('names the canary, or it is our own call to a key that need not exist', async () => {
    const world = createDetectionWorld();
    const built = await detectionRuleOf(world, world.detection, HSM);
    expect(built).toMatchObject({ canaryKey: 'lifecycle-canary', rule: { canary: { oid: 'observer-oid' } } });
    const canary = { oid: '00000000-0000-4000-8000-00000000a001', key: 'Bird', everyMinutes: 10 };
    await setPolicy(world, { canary });
    expect(await detectionRuleOf(world, world.detection, HSM)).toMatchObject({ canaryKey: 'Bird', rule: { canary } });
  });

  test('names no canary while the tokens do not say who we are: rows of anyone count then', async () => {
    const world = createDetectionWorld();
    world.detection.observerId = async () => undefined;
    expect((await detectionRuleOf(world, world.detection, HSM)).rule.canary).toBeUndefined();
  });
});

describe('the canary', () => {
  test('is announced in the journal before the call, for our identity and the key', async () => {
    const world = createDetectionWorld();
    world.keys.observe.read = async () => {
      expect(world.journalled).toMatchObject([
        {
          ...{ kind: 'intent', class: 'detection.canary', target: 'keys/lifecycle-canary', count: { 'read.key': 4 } },
          identity: { clientId: 'observe-client' },
        },
      ]);
      return refused('ERR_NOT_FOUND')();
    };
    expect(await sweep(world).canary()).toEqual({ kind: 'sent', answered: true });
    expect(world.journalled).toHaveLength(1);
  });

  test.each([
    ['ERR_NOT_FOUND', true],
    ['ERR_DENIED', true],
    ['ERR_HSM_BUSY', true],
    ['ERR_TRANSIENT', false],
    ['ERR_THROTTLED', false],
  ] as const)('that meets %s was answered: %s', async (code, answered) => {
    const world = createDetectionWorld();
    world.keys.observe.read = async () => refused(code)();
    expect(await sweep(world).canary()).toEqual({ kind: 'sent', answered });
    expect(await readCanary(world, HSM)).toEqual(answered ? [iso(START)] : []);
  });

  test('remembers its last 24 answers, oldest first', async () => {
    const world = createDetectionWorld();
    for (let turn = 0; turn < 30; turn++) {
      world.now.value = new Date(START + turn * 5 * MINUTE);
      await sweep(world).canary();
    }
    const answered = await readCanary(world, HSM);
    expect(answered).toHaveLength(24);
    expect([answered[0], answered.at(-1)]).toEqual([iso(START + 30 * MINUTE), iso(START + 145 * MINUTE)]);
  });

  test('is not sent where nothing is detected', async () => {
    const world = createDetectionWorld();
    Object.assign(world, { detection: undefined });
    expect(await sweep(world).canary()).toEqual({ kind: 'off' });
    expect(world.journalled).toEqual([]);
  });
});

describe('blindness', () => {
  const failures = async (world: FakeDetectionWorld, from: number, to: number) => {
    const told: string[][] = [];
    for (let turn = from; turn < to; turn++) {
      world.now.value = new Date(START + turn * 5 * MINUTE);
      const { findings } = await sweep(world).fail();
      await sweep(world).raise(findings);
      told.push(findings.map(({ id }) => id));
    }
    return told;
  };

  test('is told from the third failure in a row on, as one finding and one event', async () => {
    const world = createDetectionWorld();
    const told = await failures(world, 0, 6);
    expect(told.map((ids) => ids.length)).toEqual([0, 0, 1, 1, 1, 1]);
    expect(new Set(told.flat()).size).toBe(1);
    expect(storedFindings(world)).toMatchObject([
      { detector: 'detector-blind', from: iso(START), until: iso(START + 25 * MINUTE), facts: { code: 'ERR_DENIED' } },
    ]);
    expect(world.published).toHaveLength(1);
  });

  test('that lasts past midnight stays one finding', async () => {
    const world = createDetectionWorld();
    expect(new Set((await failures(world, 0, 600)).flat()).size).toBe(1);
    expect(storedFindings(world)).toHaveLength(1);
    expect(world.published).toHaveLength(1);
  });

  test('does not count a repeat of the same step', async () => {
    const world = createDetectionWorld();
    const { fail } = sweep(world);
    for (let repeat = 0; repeat < 5; repeat++) expect(await fail()).toMatchObject({ failures: 1, findings: [] });
  });

  test('ends with a cycle that judged: two failures, a success and two failures tell nothing', async () => {
    const world = createDetectionWorld();
    await judgedUpTo(world, START - HOUR);
    const before = await failures(world, 0, 2);
    const { judge, commit } = sweep(world);
    await judge('one');
    await commit('one');
    expect([...before, ...(await failures(world, 3, 5))].flat()).toEqual([]);
    expect((await failures(world, 5, 6)).flat()).toHaveLength(1);
  });
});
