import { describe, expect, test } from 'vitest';
import { watchCustody } from '../../../functions/orchestrators/watch-custody.ts';
import { type Asked, replay, type Told } from '../../support/replay.ts';

const due = (id: string) => ({ id, notice: { kind: 'QuorumAtRisk' }, repeatAfter: 'P1D' });
const event = { alarm: 'QuorumAtRisk', state: 'lost-1-0-3', summary: 'One of three reachable, need two.' };
const alarms = [{ due: due('quorum'), event }, { due: due('review') }, { due: due('expiring'), event }];
const watched = { kind: 'watched', securityDomain: 'sd-1', at: '2030-01-01T06:29:00.000Z', alarms };

const run = (answers: (asked: Asked) => Told | undefined) =>
  replay(watchCustody, {
    input: { hsm: 'contoso' },
    answer: (asked) =>
      answers(asked) ??
      (asked.kind === 'activity' && asked.name === 'lookAtCustody'
        ? { result: watched }
        : { result: { kind: asked.kind === 'sub' ? 'told' : 'published' } }),
  });
const asked = ({ asked: all }: ReturnType<typeof run>) => all.map((each) => (each.kind === 'timer' ? '' : each.name));

describe('watchCustody', () => {
  test('tells every alarm and publishes those that are events', () => {
    const replayed = run(() => undefined);
    expect(asked(replayed)).toEqual([
      'lookAtCustody',
      ...['deliverNotification', 'publishCustodyAlarm'],
      'deliverNotification',
      ...['deliverNotification', 'publishCustodyAlarm'],
    ]);
    expect(replayed.outcome).toEqual({
      kind: 'returned',
      value: { kind: 'watched', alarms: ['quorum', 'review', 'expiring'] },
    });
  });

  test('does not publish what was told lately', () => {
    const replayed = run(({ kind }) => (kind === 'sub' ? { result: { kind: 'toldRecently', on: 'x' } } : undefined));
    expect(asked(replayed)).not.toContain('publishCustodyAlarm');
  });

  test('goes on with the next alarm when the topic is down', () => {
    const replayed = run((each) =>
      each.kind === 'activity' && each.name === 'publishCustodyAlarm' ? { throws: 'topic down' } : undefined,
    );
    expect(asked(replayed).filter((name) => name === 'deliverNotification')).toHaveLength(3);
    expect(replayed.outcome.kind).toBe('returned');
  });

  test('leaves a shared security domain to the HSM that speaks for it', () => {
    const replayed = run(() => ({ result: { kind: 'sharedWith', hsm: 'fabrikam' } }));
    expect(replayed.outcome).toEqual({ kind: 'returned', value: { kind: 'sharedWith', hsm: 'fabrikam' } });
  });
});
