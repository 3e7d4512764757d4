import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CallGroup, ControlPlaneAct } from '../../../shared/detection/audit-call.ts';
import {
  type AuditWindow,
  dropJudged,
  dropJudgedActs,
  forgetOld,
  forgetOldActs,
  type Judged,
  narrower,
  nextWindow,
} from '../../../shared/detection/windows.ts';

const MINUTE = 60_000;
const start = Date.parse('2026-11-22T00:00:00.000Z');
const at = (minutes: number) => new Date(start + minutes * MINUTE).toISOString();
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('the next window', () => {
  test.each([
    ['follows the watermark with an overlap of whole ten minutes', 60, 65, { after: 49.999_983_333, upTo: 63 }, false],
    ['begins a full ten minutes earlier at least', 64, 70, { after: 49.999_983_333, upTo: 68 }, false],
    ['ends six hours on after an outage', 60, 2000, { after: 49.999_983_333, upTo: 420 }, true],
  ] as const)('%s', (_, watermark, now, window, behind) => {
    expect(nextWindow(at(watermark), new Date(start + now * MINUTE))).toEqual({
      kind: 'window',
      window: { after: new Date(Math.floor(start + window.after * MINUTE)).toISOString(), upTo: at(window.upTo) },
      behind,
    });
  });

  test('looks back an hour when nothing was ever judged', () => {
    const next = nextWindow(undefined, new Date(start + 600 * MINUTE));
    expect(next).toMatchObject({ window: { upTo: at(598) }, behind: false });
  });

  test.each([
    ['nothing has settled since', 60, 61.5],
    ['the clock was set back', 600, 60],
  ])('is none while %s', (_, watermark, now) => {
    expect(nextWindow(at(watermark), new Date(start + now * MINUTE))).toEqual({ kind: 'none' });
  });

  test('becomes narrower until it is one span of arrival', () => {
    let window: AuditWindow | undefined = { after: at(50), upTo: at(420) };
    const ends: string[] = [];
    while (window) {
      ends.push(window.upTo);
      window = narrower(window, at(60));
    }
    expect(ends).toEqual([420, 240, 150, 105, 82.5, 71.25, 65.625].map(at));
  });
});

const group = (overrides: Partial<CallGroup>): CallGroup => ({
  hsm: 'contoso',
  class: 'key.update',
  operation: 'KeyUpdate',
  path: '/keys/orders/1',
  outcome: 'ok',
  status: 200,
  caller: { oid: 'mallory' },
  address: '10.0.0.1',
  userAgent: 'sdk/1',
  count: 1,
  first: at(0),
  last: at(0),
  arrived: at(3),
  correlationIds: [],
  ...overrides,
});

describe('dropping what was judged', () => {
  test('leaves the growth of a group, and its later part', () => {
    const { judged } = dropJudged([group({ count: 3, last: at(4) })], {}, sha256);
    const { fresh } = dropJudged([group({ count: 5, last: at(6) })], judged, sha256);
    expect(fresh).toEqual([group({ count: 2, first: at(4), last: at(6) })]);
  });

  test('gives nothing where nothing came, and where the log shows less than before', () => {
    const { judged } = dropJudged([group({ count: 3 })], {}, sha256);
    expect(dropJudged([group({ count: 3 })], judged, sha256).fresh).toEqual([]);
    expect(dropJudged([group({ count: 2 })], judged, sha256).fresh).toEqual([]);
  });

  test.each([
    ['caller', { caller: { oid: 'alice' } }],
    ['address', { address: '10.0.0.2' }],
    ['path', { path: '/keys/orders/2' }],
    ['status', { status: 409 }],
    ['span of event time', { first: at(11), last: at(12) }],
    ['span of arrival', { arrived: at(13) }],
  ])('tells groups apart by their %s', (_, difference) => {
    const { judged } = dropJudged([group({})], {}, sha256);
    expect(dropJudged([group(difference)], judged, sha256).fresh).toHaveLength(1);
  });

  test.each([
    ['by product, where keys are used', 'crypto.protect', 'curl/8', 1],
    ['not by the version of the product', 'crypto.protect', 'sdk/2', 0],
    ['not at all elsewhere, where the workspace names one client of several', 'key.update', 'curl/8', 0],
  ] as const)('tells clients apart %s', (_, of, userAgent, fresh) => {
    const { judged } = dropJudged([group({ class: of })], {}, sha256);
    expect(dropJudged([group({ class: of, userAgent })], judged, sha256).fresh).toHaveLength(fresh);
  });

  test('adds up what the workspace told apart by signs that nobody sees, so that neither hides the other', () => {
    const { fresh, judged } = dropJudged([group({ count: 5 }), group({ count: 1, last: at(5) })], {}, sha256);
    expect(fresh).toEqual([group({ count: 6, last: at(5) })]);
    expect(dropJudged([group({ count: 5 }), group({ count: 2 })], judged, sha256).fresh).toMatchObject([{ count: 1 }]);
  });

  test('forgets after two days, and never what may be read again', () => {
    const judged: Judged = {
      [at(0)]: { a: [1, at(0)] },
      [at(2890)]: { b: [1, at(2890)] },
      [at(5760)]: { c: [1, at(5760)] },
    };
    expect(Object.keys(forgetOld(judged, at(5770))).sort()).toEqual([at(2890), at(5760)]);
  });

  test('keeps to a number, but for what may be read again', () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`m${n}`, [1, at(0)] as [number, string]]));
    const judged: Judged = {
      [at(0)]: many(15_000),
      [at(10)]: many(15_000),
      [at(1000)]: many(15_000),
      [at(1010)]: many(15_000),
    };
    expect(Object.keys(forgetOld(judged, at(1015))).sort()).toEqual([at(1000), at(1010)]);
  });
});

/** A workspace: each row can be asked for by its arrival once it is visible. */
interface Row {
  arrival: number;
  visible: number;
  event: number;
  who: number;
}

function ask(rows: Row[], { after, upTo }: AuditWindow, now: number): CallGroup[] {
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    if (row.visible > now || row.arrival <= Date.parse(after) || row.arrival > Date.parse(upTo)) continue;
    const bin = (ms: number) => Math.floor(ms / (10 * MINUTE));
    const id = `${row.who} ${bin(row.event)} ${bin(row.arrival)}`;
    found.set(id, [...(found.get(id) ?? []), row]);
  }
  const iso = (ms: number) => new Date(ms).toISOString();
  return [...found.values()].map((some) =>
    group({
      caller: { oid: `caller ${some[0]?.who}` },
      count: some.length,
      first: iso(Math.min(...some.map(({ event }) => event))),
      last: iso(Math.max(...some.map(({ event }) => event))),
      arrived: iso(Math.max(...some.map(({ arrival }) => arrival))),
    }),
  );
}

describe('over any order of arrival, sweeps, outages and crashes', () => {
  const minutes = (most: number) => fc.integer({ min: 0, max: most * MINUTE });
  const row = fc
    .record({ event: minutes(600), delay: minutes(90), hidden: minutes(7), who: fc.integer({ min: 0, max: 3 }) })
    .map(({ event, delay, hidden, who }): Row => {
      const arrival = start + event + delay;
      return { event: start + event, arrival, visible: arrival + hidden, who };
    });
  const sweep = fc.record({
    wait: fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: MINUTE, max: 5 * MINUTE }) },
      { weight: 1, arbitrary: minutes(900) },
    ),
    crash: fc.boolean(),
  });

  test('no row is lost and none is judged twice', () => {
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 60 }),
        fc.array(sweep, { minLength: 1, maxLength: 80 }),
        (rows, sweeps) => {
          let state: { watermark: string | undefined; judged: Judged } = { watermark: at(0), judged: {} };
          const counted = new Map<string, number>();
          let now = start;
          const turn = (crash: boolean) => {
            const next = nextWindow(state.watermark, new Date(now));
            if (next.kind === 'none') return;
            const { fresh, judged } = dropJudged(ask(rows, next.window, now), state.judged, sha256);
            if (crash) return;
            for (const { caller, count } of fresh) counted.set(caller.oid, (counted.get(caller.oid) ?? 0) + count);
            state = { watermark: next.window.upTo, judged: forgetOld(judged, next.window.upTo) };
          };
          for (const { wait, crash } of sweeps) {
            now += wait;
            // A crash is repaired within the cycle: the step is asked for again.
            turn(crash);
            if (crash) turn(false);
          }
          const end = Math.max(now, start + 720 * MINUTE) + 30 * MINUTE;
          while (now < end) {
            now += 5 * MINUTE;
            turn(false);
          }
          const expected = new Map<string, number>();
          for (const { who } of rows) expected.set(`caller ${who}`, (expected.get(`caller ${who}`) ?? 0) + 1);
          expect(Object.fromEntries([...counted].sort())).toEqual(Object.fromEntries([...expected].sort()));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('acts on the resource', () => {
  const act = (over: Partial<ControlPlaneAct> = {}): ControlPlaneAct => ({
    ...{ hsm: 'contoso', operation: 'Microsoft.KeyVault/managedHSMs/write', resource: '/r', caller: 'mallory' },
    ...{ at: at(0), arrived: at(3), succeeded: true, correlationId: 'c' },
    ...over,
  });
  const known = dropJudgedActs([act()], {}, sha256).judged;

  test.each<[string, Partial<ControlPlaneAct>, number]>([
    ['that an overlapping window gives again are no second ones', {}, 0],
    ['are the same, whatever the case of their names', { operation: 'MICROSOFT.KEYVAULT/MANAGEDHSMS/WRITE' }, 0],
    ['of which a row arrives twice are the same', { arrived: at(8) }, 0],
    ['cannot hide under the correlation id of an earlier one', { at: at(1) }, 1],
    ['of somebody else are others', { caller: 'eve' }, 1],
    ['that failed before and succeed now are others', { succeeded: false }, 1],
  ])('%s', (_title, over, fresh) => {
    expect(dropJudgedActs([act(over)], known, sha256).fresh).toHaveLength(fresh);
  });

  test('are forgotten after two days, and not while they may be read again', () => {
    const three = dropJudgedActs(
      [act(), act({ at: at(1), arrived: at(2870) }), act({ at: at(2), arrived: at(2890) })],
      {},
      sha256,
    ).judged;
    expect(Object.values(forgetOldActs(three, at(2900)))).toEqual([at(2890), at(2870)]);
  });

  test('however many there are, a window says none of those that may be read again twice', () => {
    const many = Array.from({ length: 20_500 }, (_, number) => act({ correlationId: `c-${number}`, arrived: at(100) }));
    const { judged } = dropJudgedActs(many, {}, sha256);
    expect(dropJudgedActs(many, forgetOldActs(judged, at(105)), sha256).fresh).toEqual([]);
    expect(Object.keys(forgetOldActs(judged, at(200)))).toHaveLength(20_000);
  });
});
