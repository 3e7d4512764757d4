import { describe, expect, test } from 'vitest';
import { watchHeartbeats } from '../../../functions/orchestrators/watch-heartbeats.ts';
import { answers, names } from '../../support/answers.ts';
import { replay } from '../../support/replay.ts';

const memory = { schema: 1, lookedOn: '2030-01-01T00:00:00.000Z', seen: {} };
const missed = {
  due: { id: 'heartbeat-missed-app-x', notice: { kind: 'HeartbeatMissed' }, repeatAfter: 'P1D' },
  event: { name: 'app' },
};
const recovered = {
  due: { id: 'heartbeat-recovered-app-x', notice: { kind: 'HeartbeatRecovered' }, repeatAfter: 'P1D' },
};
const run = (alarms: unknown[], overrides: Parameters<typeof answers>[0] = {}) =>
  replay(watchHeartbeats, {
    input: {},
    instanceId: 'watch-heartbeats',
    answer: answers({
      lookAtHeartbeats: () => ({ result: { kind: 'looked', alarms, memory } }),
      publishHeartbeatMissed: () => ({ result: { kind: 'published' } }),
      rememberHeartbeats: () => ({ result: { kind: 'remembered' } }),
      ...overrides,
    }),
  });

describe('watchHeartbeats', () => {
  test('tells, publishes, and remembers last', () => {
    const { asked } = run([missed, recovered]);
    expect(names(asked)).toEqual([
      'lookAtHeartbeats',
      'deliverNotification',
      'publishHeartbeatMissed',
      'deliverNotification',
      'rememberHeartbeats',
    ]);
    expect(asked.at(-1)).toMatchObject({ input: { memory } });
  });

  test('publishes nothing that was told lately, and goes on', () => {
    const { asked } = run([missed], { deliverNotification: () => ({ result: { kind: 'toldRecently', on: 'x' } }) });
    expect(names(asked)).toEqual(['lookAtHeartbeats', 'deliverNotification', 'rememberHeartbeats']);
  });

  test('remembers though the topic is down', () => {
    const { asked, outcome } = run([missed], { publishHeartbeatMissed: () => ({ throws: 'away' }) });
    expect(names(asked).at(-1)).toBe('rememberHeartbeats');
    expect(outcome).toMatchObject({ value: { kind: 'watched' } });
  });
});
