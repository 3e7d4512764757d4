import { describe, expect, test } from 'vitest';
import { sweepExpiringKeys } from '../../../functions/orchestrators/sweep-expiring-keys.ts';
import { answers, names, notices } from '../../support/answers.ts';
import { replay } from '../../support/replay.ts';

const surveyed = { kind: 'surveyed', keys: 60, due: 51, newVersions: 1, batches: 2, notices: [] };
const run = (overrides: Parameters<typeof answers>[0] = {}) =>
  replay(sweepExpiringKeys, {
    input: { hsm: 'contoso' },
    instanceId: 'sweep-contoso',
    answer: answers({
      surveyKeys: () => ({ result: surveyed }),
      startDueWork: (_, count) => ({ result: { kind: 'started', started: count === 1 ? 50 : 2, running: 0 } }),
      commitSurvey: () => ({ result: { kind: 'committed' } }),
      ...overrides,
    }),
  });
const denied = { kind: 'failed', code: 'ERR_DENIED', message: 'not allowed', nextStep: 'grant it' };

describe('sweepExpiringKeys', () => {
  test('surveys, starts every batch, and moves the inventory on last', () => {
    const { asked, outcome } = run();
    expect(names(asked)).toEqual(['surveyKeys', 'startDueWork', 'startDueWork', 'commitSurvey']);
    expect(outcome).toMatchObject({ value: { kind: 'swept', keys: 60, due: 51, newVersions: 1, started: 52 } });
  });

  test('works on one survey in all its steps', () => {
    const surveys = run().asked.map((each) => each.kind === 'activity' && (each.input as { survey: string }).survey);
    expect(new Set(surveys).size).toBe(1);
  });

  test('starts nothing on an HSM without keys, and says that it was swept', () => {
    const { asked, outcome } = run({
      surveyKeys: () => ({ result: { ...surveyed, keys: 0, due: 0, newVersions: 0, batches: 0 } }),
    });
    expect(names(asked)).toEqual(['surveyKeys', 'commitSurvey']);
    expect(outcome).toMatchObject({ value: { kind: 'swept', keys: 0, started: 0 } });
  });

  test('tells a policy document that does not parse, and sweeps by the last good one', () => {
    const notice = { kind: 'PolicyDocumentFault', at: 'now', rejectedVersion: '"0x8D"', inForce: '1', faults: [] };
    const { asked } = run({
      surveyKeys: () => ({
        result: { ...surveyed, notices: [{ id: 'policy-fault-"0x8D"', notice, repeatAfter: 'P1D' }] },
      }),
    });
    expect(names(asked)).toEqual(['surveyKeys', 'deliverNotification', 'startDueWork', 'startDueWork', 'commitSurvey']);
    const ids = asked.flatMap((each) => (each.kind === 'sub' ? [each.instanceId] : []));
    expect(ids).toEqual([expect.stringMatching(/^[0-9A-Za-z-]{1,100}$/)]);
  });

  test.each(['surveyKeys', 'startDueWork', 'commitSurvey'])(
    'tells that %s failed for good, and ends with it',
    (step) => {
      const { asked, outcome } = run({ [step]: () => ({ result: denied }) });
      expect(names(asked).at(-2)).toBe(step);
      expect(notices(asked)).toMatchObject([{ kind: 'SweepFailed', hsm: 'contoso', failure: { code: 'ERR_DENIED' } }]);
      expect(outcome).toMatchObject({ value: { kind: 'failed', code: 'ERR_DENIED' } });
    },
  );

  test.each(['surveyKeys', 'startDueWork', 'commitSurvey'])(
    'tells when the retries of %s are spent, then fails',
    (step) => {
      const { asked, outcome } = run({
        [step]: () => ({ throws: `Activity function '${step}' failed: the HSM cannot be reached \n {"stack":"at x"}` }),
      });
      expect(notices(asked)).toMatchObject([{ kind: 'SweepFailed', failure: { code: 'ERR_TRANSIENT' } }]);
      expect(JSON.stringify(notices(asked))).not.toContain('stack');
      expect(outcome).toMatchObject({ kind: 'threw' });
    },
  );

  test('leaves the inventory where it was when a batch could not be started, so that the next sweep starts it', () => {
    const { asked } = run({ startDueWork: (_, count) => (count === 1 ? { result: denied } : { result: {} }) });
    expect(names(asked)).not.toContain('commitSurvey');
  });

  test.each([
    ['is away', { throws: 'the topic is away' }],
    ['may not be written to', { result: denied }],
  ])(
    'starts every batch while the topic %s, tells it, and leaves the inventory, so that the events come later',
    (_, end) => {
      const { asked, outcome } = run({
        startDueWork: (_, count) => (count === 1 ? end : { result: { kind: 'started', started: 1, running: 0 } }),
        surveyKeys: () => ({ result: { ...surveyed, batches: 3 } }),
      });
      const batches = asked.flatMap((each) => (each.kind === 'activity' ? [each.input as object] : []));
      expect(batches.slice(1)).toMatchObject([
        { batch: 0 },
        { batch: 1, withoutEvents: true },
        { batch: 2, withoutEvents: true },
      ]);
      expect(names(asked)).not.toContain('commitSurvey');
      expect(notices(asked)).toMatchObject([{ kind: 'SweepFailed' }]);
      expect(outcome).toMatchObject('throws' in end ? { kind: 'threw' } : { value: denied });
    },
  );
});
