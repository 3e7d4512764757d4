import { describe, expect, test } from 'vitest';
import type { CallGroup } from '../../../shared/detection/audit-call.ts';
import type { DetectionFacts } from '../../../shared/detection/detection-facts.ts';
import type { Finding } from '../../../shared/detection/finding.ts';
import { combineScores, compareSeverity, severityOf } from '../../../shared/detection/score.ts';
import { ALICE, aCall, aRule, detect, grownMemory, hsmCall, OURS, someFacts } from './builders.ts';

const at = (minute: string) => ({ first: `2026-03-12T${minute}:00.000Z`, last: `2026-03-12T${minute}:30.000Z` });
const onKey = (of: CallGroup['class'], key: string, minute: string, over: Partial<CallGroup> = {}) => {
  const { version: _version, verb: _verb, ...rest } = aCall();
  return { ...rest, class: of, key, path: `/keys/${key}`, caller: { oid: ALICE }, ...at(minute), ...over };
};

/** Judges windows one after the other, each with the memory of those before. */
function play(...windows: (Partial<DetectionFacts> & { now: string })[]): Finding[][] {
  let memory = grownMemory();
  return windows.map((facts) => {
    const judged = detect(someFacts(facts), memory, aRule());
    memory = judged.memory;
    return judged.findings;
  });
}

const now = (minute: string) => `2026-03-12T${minute}:00.000Z`;

describe('patterns over several findings', () => {
  test('C1: a backup after a download of the security domain lets the HSM be rebuilt elsewhere', () => {
    const [, second] = play(
      {
        now: now('10:05'),
        calls: [hsmCall({ class: 'sd.download', path: '/securitydomain/download', ...at('10:02') })],
      },
      { now: now('12:05'), calls: [hsmCall({ class: 'backup.start', path: '/backup', status: 202, ...at('12:02') })] },
    );
    expect(second).toMatchObject([{ detector: 'unplanned-backup', severity: 'Critical', score: 95, chains: ['C1'] }]);
  });

  test('C2: the first use of a grant that no plan announced is told, once', () => {
    const id = '6a1b2c3d-0000-4000-8000-000000000001';
    const path = `/providers/microsoft.authorization/roleassignments/${id}`;
    const role = '515eb02d-2335-4d2d-92f2-b1cbdf9c3778';
    const use = (minute: string) => aCall({ caller: { oid: 'mallory' }, ...at(minute) });
    const [, used, again] = play(
      {
        now: now('10:05'),
        calls: [hsmCall({ class: 'rbac.assign.put', path, status: 201, ...at('10:02') })],
        lookedUp: { backupContainers: {}, assignments: [{ id, scope: '/', role, principalId: 'mallory' }] },
      },
      { now: now('10:20'), calls: [use('10:17')] },
      { now: now('10:40'), calls: [use('10:37')] },
    );
    expect(used?.find(({ chains }) => chains?.includes('C2'))).toMatchObject({
      severity: 'High',
      caller: { oid: 'mallory' },
    });
    expect(again?.some(({ chains }) => chains?.includes('C2'))).toBe(false);
  });

  test('C2: what the grantee did before, or does at another key, is no use of the grant; reading weighs less', () => {
    const id = '6a1b2c3d-0000-4000-8000-000000000001';
    const path = `/keys/a/providers/microsoft.authorization/roleassignments/${id}`;
    const role = '33413926-3206-4cdd-b39a-83574fe37a17';
    const read = (key: string, minute: string) => onKey('read.key', key, minute, { caller: { oid: 'mallory' } });
    const granted = {
      now: now('10:05'),
      calls: [onKey('rbac.assign.put', 'a', '10:02', { path, status: 201 })],
      lookedUp: { backupContainers: {}, assignments: [{ id, scope: '/keys/a', role, principalId: 'mallory' }] },
    };
    const [, , elsewhere] = play(
      granted,
      { now: now('10:10'), calls: [] },
      { now: now('10:20'), calls: [read('b', '10:17')] },
    );
    expect(elsewhere?.some(({ chains }) => chains?.includes('C2'))).toBe(false);
    const [, , asBefore] = play({ now: now('10:00'), calls: [read('a', '09:57')] }, granted, {
      now: now('10:20'),
      calls: [read('a', '10:17')],
    });
    expect(asBefore?.some(({ chains }) => chains?.includes('C2'))).toBe(false);
    const [, reads] = play(granted, { now: now('10:20'), calls: [read('a', '10:17')] });
    expect(reads?.find(({ chains }) => chains?.includes('C2'))).toMatchObject({ severity: 'Medium' });
  });

  test('C3: a grave act within two hours of a cut log is an attack on both', () => {
    const cut = {
      hsm: 'contoso-hsm',
      operation: 'Microsoft.Insights/diagnosticSettings/delete',
      resource: '/x',
      caller: 'mallory@contoso.example',
      at: now('10:00'),
      succeeded: true,
      correlationId: 'c',
    };
    const [, second] = play(
      { now: now('10:05'), controlPlane: [cut] },
      { now: now('11:05'), calls: ['a', 'b', 'c'].map((key) => onKey('key.backup', key, '11:01')) },
    );
    expect(second?.find(({ detector }) => detector === 'key-material-movement')).toMatchObject({
      severity: 'Critical',
      chains: ['C3'],
    });
  });

  test('C4: refused at many keys, then let in by one', () => {
    const refused = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) =>
      onKey('crypto.unprotect', key, '10:01', { outcome: 'denied', status: 403, caller: { oid: 'mallory' } }),
    );
    const [, second] = play(
      { now: now('10:05'), calls: refused },
      { now: now('10:15'), calls: [onKey('crypto.unprotect', 'c', '10:11', { caller: { oid: 'mallory' } })] },
    );
    expect(second?.find(({ detector }) => detector === 'denied-burst')).toMatchObject({
      severity: 'High',
      keys: ['c'],
      chains: ['C4'],
    });
  });

  test('one search split over four strangers is seen as one, and one that spans two bins of the clock, too', () => {
    const denied = (who: string, key: string, minute: string) =>
      onKey('crypto.unprotect', key, minute, { outcome: 'denied', status: 403, caller: { oid: who } });
    const names = Array.from({ length: 12 }, (_, index) => `key-${index}`);
    const [split] = play({
      now: now('10:12'),
      calls: names.map((key, index) => denied(`mallory-${index % 4}`, key, index < 6 ? '10:08' : '10:10')),
    });
    expect(split?.find(({ detector }) => detector === 'denied-burst')).toMatchObject({
      severity: 'High',
      keysInAll: 12,
      facts: { callers: 4 },
    });
    const [, second] = play(
      { now: now('10:10'), calls: names.slice(0, 3).map((key) => denied('mallory', key, '10:08')) },
      { now: now('10:15'), calls: names.slice(3, 6).map((key) => denied('mallory', key, '10:11')) },
    );
    expect(second?.find(({ detector }) => detector === 'denied-burst')).toMatchObject({ keysInAll: 6 });
  });

  test('C5: a key made and another purged within a day by one caller is ransom', () => {
    const [, second] = play(
      { now: now('10:05'), calls: [onKey('key.create', 'ransom', '10:01')] },
      { now: now('13:05'), calls: [onKey('key.purge', 'pay-01', '13:01', { outcome: 'failed', status: 409 })] },
    );
    expect(second?.find(({ detector }) => detector === 'destruction')).toMatchObject({ score: 95, chains: ['C5'] });
  });

  describe('C5: a server of SQL moved to a key just made, and its old key deleted', () => {
    const moved = (minute: string, key = 'ransom') => ({
      ...{ hsm: 'contoso-hsm', operation: 'MICROSOFT.SQL/SERVERS/KEYS/WRITE', caller: 'alice@contoso.example' },
      ...{ at: `2026-03-12T${minute}:00.000Z`, succeeded: true, correlationId: `c-${minute}` },
      resource: `/subscriptions/s/resourcegroups/data/providers/microsoft.sql/servers/core/keys/contoso-hsm_${key}_0a1b`,
    });
    const made = (over: Partial<CallGroup> = {}) => onKey('key.create', 'ransom', '10:01', over);
    const cut = (minute: string, key = 'pay-01') => onKey('key.delete', key, minute);
    const chained = (findings: Finding[] | undefined) =>
      (findings ?? []).filter(({ chains }) => chains?.includes('C5')).map(({ detector, score }) => [detector, score]);

    test('is ransom when the move is known before the key is deleted', () => {
      const [, second, third] = play(
        { now: now('10:05'), calls: [made()] },
        { now: now('10:30'), controlPlane: [moved('10:10')] },
        { now: now('13:05'), calls: [cut('13:01')] },
      );
      expect(second).toMatchObject([{ detector: 'guard-rail-change', severity: 'Medium', keys: ['ransom'] }]);
      expect(chained(third)).toEqual([['destruction', 95]]);
    });

    test('is ransom when the activity log comes after the deletion', () => {
      const [, second, third] = play(
        { now: now('10:05'), calls: [made()] },
        { now: now('10:25'), calls: [cut('10:20')] },
        { now: now('10:40'), controlPlane: [moved('10:10')] },
      );
      expect(chained(second)).toEqual([]);
      expect(chained(third)).toEqual([['guard-rail-change', 95]]);
    });

    test('is none when the key is ours, is old, or is the one that was deleted', () => {
      const ours = { caller: { oid: OURS, app: OURS } };
      const cases = [
        play({ now: now('10:05'), calls: [made(ours)] }, { now: now('10:30'), controlPlane: [moved('10:10')] }),
        play({ now: now('10:30'), controlPlane: [moved('10:10', 'pay-02')] }),
        play(
          { now: now('10:05'), calls: [made()] },
          { now: now('10:30'), controlPlane: [moved('10:10')] },
          { now: now('13:05'), calls: [cut('13:01', 'ransom')] },
        ),
      ];
      expect(cases.flat().flatMap(chained)).toEqual([]);
      expect(cases[0]?.[1]).toEqual([]);
      expect(cases[1]).toEqual([[]]);
    });
  });

  test('C6: a blob restored here after a backup elsewhere', () => {
    const [there] = play({ now: now('10:05'), calls: [onKey('key.backup', 'pay-01', '10:01')] });
    const elsewhere = (there ?? []).map((finding) => ({ ...finding, hsm: 'other-hsm', marks: ['key.backup'] }));
    const { key: _key, ...blob } = onKey('key.restoreblob', '', '12:01');
    const [here] = play({ now: now('12:05'), calls: [{ ...blob, path: '/keys/restore' }], elsewhere });
    expect(here?.find(({ detector }) => detector === 'key-material-movement')).toMatchObject({
      severity: 'Critical',
      chains: ['C6'],
    });
  });

  test('keys moved one by one over several windows are a sweep', () => {
    const windows = ['a', 'b', 'c', 'd'].map((key, index) => ({
      now: now(`10:${15 + index * 5}`),
      calls: [onKey('key.backup', key, `10:${12 + index * 5}`)],
    }));
    const scores = play(...windows).map(
      (findings) => findings.find(({ detector }) => detector === 'key-material-movement')?.score,
    );
    expect(scores).toEqual([40, 40, 70, 70]);
  });
});

describe('repeats', () => {
  const backup = (minute: string, over: Partial<CallGroup> = {}) => onKey('key.backup', 'pay-01', minute, over);
  const replaced = (minute: string) => onKey('key.import', 'pay-01', minute);

  test('are stored and marked within the time of the detector, and told again after it', () => {
    const [first, second, third] = play(
      { now: now('01:05'), calls: [backup('01:01')] },
      { now: now('05:05'), calls: [backup('05:01')] },
      {
        now: '2026-03-14T01:05:00.000Z',
        calls: [backup('01:01', { first: '2026-03-14T01:01:00Z', last: '2026-03-14T01:01:00Z' })],
      },
    );
    const moved = (findings?: Finding[]) => findings?.find(({ detector }) => detector === 'key-material-movement');
    expect(moved(first)?.suppressed).toBeUndefined();
    expect(moved(second)?.suppressed).toEqual({ by: moved(first)?.id, until: '2026-03-13T01:05:00.000Z' });
    expect(moved(third)?.suppressed).toBeUndefined();
  });

  test.each([
    ['are told of an emergency account of the policy, whatever its case', ALICE.toUpperCase(), undefined],
    ['of anybody else stay marked', '99999999-9999-4999-8999-999999999999', { until: '2026-03-13T01:05:00.000Z' }],
  ])('%s', (_title, account, suppressed) => {
    const breakGlass = [account];
    const [, second] = play(
      { now: now('01:05'), calls: [backup('01:01')], breakGlass },
      { now: now('05:05'), calls: [backup('05:01')], breakGlass },
    );
    const moved = second?.find(({ detector }) => detector === 'key-material-movement');
    if (suppressed) expect(moved?.suppressed).toMatchObject(suppressed);
    else expect(moved).toEqual(expect.not.objectContaining({ suppressed: expect.anything() }));
  });

  test('are told at once when the severity rises a band', () => {
    const keys = [{ name: 'pay-01', createdOn: '2025-01-01T00:00:00Z', versions: [], decoy: false }];
    const [, second] = play(
      { now: now('01:05'), calls: [replaced('01:01')] },
      { now: now('05:05'), calls: [replaced('05:01')], keys },
    );
    expect(second?.find(({ detector }) => detector === 'key-material-movement')).toMatchObject({ severity: 'High' });
    expect(second?.some(({ suppressed }) => suppressed)).toBe(false);
  });

  test('of the security domain are always told', () => {
    const call = (minute: string) => hsmCall({ class: 'sd.download', path: '/securitydomain/download', ...at(minute) });
    const told = play({ now: now('10:05'), calls: [call('10:01')] }, { now: now('10:45'), calls: [call('10:41')] });
    const access = told.flat().filter(({ detector }) => detector === 'security-domain-access');
    expect(access.filter(({ suppressed }) => suppressed)).toEqual([]);
    expect(new Set(access.map(({ id }) => id)).size).toBe(2);
  });
});

describe('scores', () => {
  test.each([
    [0, 'Low'],
    [21, 'Low'],
    [22, 'Medium'],
    [47, 'Medium'],
    [48, 'High'],
    [73, 'High'],
    [74, 'Critical'],
    [100, 'Critical'],
  ] as const)('%i is %s', (score, severity) => expect(severityOf(score)).toBe(severity));

  test('add up over detectors, take the strongest of each, and leave out what is explained', () => {
    const finding = (detector: string, score: number, severity = severityOf(score)) => ({ detector, score, severity });
    expect(combineScores([])).toBe(0);
    expect(combineScores([finding('a', 50), finding('b', 40)])).toBe(70);
    expect(combineScores([finding('a', 50), finding('a', 40), finding('a', 45)])).toBe(50);
    expect(combineScores([finding('a', 50), { detector: 'b', score: 20, severity: 'Informational' }])).toBe(50);
    expect(combineScores([finding('b', 40), finding('a', 50)])).toBe(
      combineScores([finding('a', 50), finding('b', 40)]),
    );
    expect(compareSeverity('Critical', 'High')).toBeGreaterThan(0);
  });
});
