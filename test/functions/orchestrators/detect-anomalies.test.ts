import { describe, expect, test } from 'vitest';
import { detectAnomalies } from '../../../functions/orchestrators/detect-anomalies.ts';
import { type Asked, replay, type Told } from '../../support/replay.ts';

const FINDING = { id: 'a'.repeat(32), day: '2030-01-01' };
const judged = (more: object = {}) => ({
  result: { kind: 'judged', findings: [], calls: 3, more: 0, upTo: '2030-01-01T00:00:00.000Z', behind: false, ...more },
});

const USUAL: Record<string, Told> = {
  sendCanary: { result: { kind: 'sent', answered: true } },
  judgeWindow: judged(),
  learnBaseline: { result: { kind: 'learnt', upTo: '', hours: 1, done: true } },
  raiseFindings: { result: { kind: 'raised', published: 1 } },
  joinIncidents: { result: { kind: 'joined', incidents: [] } },
  commitWindow: { result: { kind: 'committed' } },
  noteBlindness: { result: { kind: 'noted', failures: 1, findings: [] } },
  deliverNotification: { result: { kind: 'delivered' } },
};

/** Answers by name: each in turn where there are several, the last for good. */
function run(answers: Record<string, Told | Told[]>) {
  const taken = new Map<string, number>();
  const answer = (asked: Asked): Told => {
    const name = 'name' in asked ? asked.name : asked.kind;
    const given = [answers[name] ?? USUAL[name] ?? { result: {} }].flat();
    const turn = taken.get(name) ?? 0;
    taken.set(name, turn + 1);
    return given[Math.min(turn, given.length - 1)] as Told;
  };
  const replayed = replay(detectAnomalies, { input: { hsm: 'contoso' }, instanceId: 'detect-contoso', answer });
  return { ...replayed, names: replayed.asked.map((asked) => ('name' in asked ? asked.name : asked.kind)) };
}

const failure = { kind: 'failed', code: 'ERR_DENIED', message: 'May not read the log.', nextStep: 'Grant it.' };

describe('detectAnomalies', () => {
  test('tells of findings, joins them, and moves on last', () => {
    const { names, outcome } = run({ judgeWindow: judged({ findings: [FINDING] }) });
    expect(names).toEqual(['sendCanary', 'judgeWindow', 'raiseFindings', 'joinIncidents', 'commitWindow']);
    expect(outcome).toMatchObject({ value: { kind: 'detected', windows: 1, calls: 3, findings: 1 } });
  });

  test.each<[string, Told]>([
    ['is away', { throws: 'the topic is away' }],
    ['may not be written to', { result: failure }],
  ])('joins every finding while the topic %s, so that containment begins, and moves nothing on', (_, end) => {
    const findings = Array.from({ length: 120 }, () => FINDING);
    const { names } = run({ judgeWindow: judged({ findings }), raiseFindings: end });
    expect(names.slice(0, 7)).toEqual([
      ...['sendCanary', 'judgeWindow', 'raiseFindings', 'joinIncidents', 'joinIncidents', 'joinIncidents'],
      'noteBlindness',
    ]);
    expect(names).not.toContain('commitWindow');
  });

  test('hands many findings on in parts', () => {
    const findings = Array.from({ length: 120 }, () => FINDING);
    const { asked } = run({ judgeWindow: judged({ findings }) });
    const handed = asked.flatMap((each) => ('name' in each && each.name === 'joinIncidents' ? [each] : []));
    expect(handed.map((each) => ('input' in each ? (each.input as { findings: [] }).findings.length : 0))).toEqual([
      50, 50, 20,
    ]);
  });

  test('catches up slice by slice, and leaves the rest to the next run', () => {
    const twice = run({ judgeWindow: [judged({ behind: true }), judged()] });
    expect(twice.names.filter((name) => name === 'commitWindow')).toHaveLength(2);
    const long = run({ judgeWindow: judged({ behind: true }) });
    expect(long.names.filter((name) => name === 'commitWindow')).toHaveLength(12);
    expect(long.outcome).toMatchObject({ value: { behind: true } });
  });

  test('learns the baseline before it judges the first window', () => {
    const { names } = run({
      judgeWindow: [{ result: { kind: 'unlearnt' } }, judged()],
      learnBaseline: [{ result: { kind: 'learnt', upTo: '', hours: 9, done: false } }, USUAL.learnBaseline as Told],
    });
    expect(names).toEqual([
      'sendCanary',
      'judgeWindow',
      'learnBaseline',
      'learnBaseline',
      'judgeWindow',
      'commitWindow',
    ]);
  });

  test('reads the log even when the canary cannot be sent', () => {
    expect(run({ sendCanary: { throws: 'the journal is away' } }).names).toContain('commitWindow');
  });

  test.each(['judgeWindow', 'raiseFindings', 'joinIncidents'])('moves nothing on when %s fails for good', (step) => {
    const { names, outcome } = run({ judgeWindow: judged({ findings: [FINDING] }), [step]: { result: failure } });
    expect(names).not.toContain('commitWindow');
    expect(names.at(-1)).toBe('noteBlindness');
    expect(outcome).toMatchObject({ value: { kind: 'failed', code: 'ERR_DENIED' } });
  });

  test('tells people and hands the blindness on from the third failure, and shows Failed for spent retries', () => {
    const { names, outcome } = run({
      judgeWindow: { throws: 'throttled' },
      noteBlindness: { result: { kind: 'noted', failures: 3, findings: [FINDING] } },
    });
    expect(names).toEqual([
      ...['sendCanary', 'judgeWindow', 'noteBlindness', 'deliverNotification', 'raiseFindings', 'joinIncidents'],
    ]);
    expect(outcome).toEqual({ kind: 'threw', message: 'throttled' });
  });

  test('is off without a workspace', () => {
    expect(run({ judgeWindow: { result: { kind: 'off' } } }).outcome).toMatchObject({ value: { kind: 'off' } });
  });
});
