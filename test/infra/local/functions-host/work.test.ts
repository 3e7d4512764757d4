import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Child, openWorkshop, raise, start, startHost, status, type Workshop } from './support.ts';

const HOUR = 3_600_000;
let workshop: Workshop;
let host: Child;

beforeAll(async () => {
  workshop = await openWorkshop(['durable-app']);
  host = await startHost(workshop, { app: 'durable-app' });
});
afterAll(async () => {
  await host.kill();
  workshop.dispose();
});

describe('what the host says it has left to do', () => {
  test('is nothing only when every activity of every orchestration has ended', async () => {
    for (let round = 0; round < 5; round++) {
      const ids = [
        await start(host, 'fanOut', { length: 20 }),
        await start(host, 'chain', { length: 5 }),
        await start(host, 'tallying', {}),
      ];
      expect((await host.idle()).underWay).toEqual([]);
      for (const id of ids) expect((await status(host, id)).runtimeStatus).toBe('Completed');
    }
  });

  test('names the first timer of what waits for time, and is something again once the clock has passed it', async () => {
    const before = Date.now();
    await start(host, 'approval', { timeoutMs: HOUR }, 'hour');
    await start(host, 'approval', { timeoutMs: 2 * HOUR }, 'two-hours');
    await start(host, 'twoEvents', {}, 'events');
    const { underWay } = await host.idle();
    const next = Object.fromEntries(underWay.map(({ instanceId, next: at }) => [instanceId, at]));
    expect(Object.keys(next).toSorted()).toEqual(['events', 'hour', 'two-hours']);
    expect(next.events).toBeUndefined();
    expect(Date.parse(next.hour ?? '')).toBeGreaterThanOrEqual(before + HOUR);
    expect(Date.parse(next['two-hours'] ?? '')).toBeGreaterThanOrEqual(before + 2 * HOUR);

    host.moveClock(Date.parse(next.hour ?? '') - Date.now() + 1);
    expect((await host.idle()).underWay.map(({ instanceId }) => instanceId).toSorted()).toEqual([
      'events',
      'two-hours',
    ]);
    expect((await status(host, 'hour')).output).toBe('timed out');

    await raise(host, 'two-hours', 'Approval', 'yes');
    for (const word of ['a', 'b']) await raise(host, 'events', 'Word', word);
    expect((await host.idle()).underWay).toEqual([]);
  });
});
