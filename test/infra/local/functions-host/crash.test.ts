import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Child, openWorkshop, start, startHost, status, until, type Workshop } from './support.ts';

const INSTANCES = 30;
const KILLS = 4;
/** Three rounds: fan-out (3r + 6), child (r). */
const EXPECTED = 6 + 0 + (9 + 1) + (12 + 2);

let workshop: Workshop;

beforeAll(async () => {
  workshop = await openWorkshop(['durable-app']);
});

afterAll(() => workshop.dispose());

test('however often the host is killed, every instance ends with the right output and unbroken task ids', async () => {
  const state = join(workshop.folder, 'storm');
  const chaos = JSON.stringify({ activityTwice: 0.2, delayCompletionsMs: 40, reorder: true });
  const boot = () => startHost(workshop, { app: 'durable-app', state, settings: { ESTATE_CHAOS: chaos } });
  const ids = Array.from({ length: INSTANCES }, (_, index) => `storm-${index}`);

  let host: Child = await boot();
  await Promise.all(ids.map((id) => start(host, 'storm', { round: 0, total: 0 }, id)));
  for (let kill = 0; kill < KILLS; kill++) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 120));
    await host.kill();
    host = await boot();
  }
  const last = host;
  const done = await until(
    () => Promise.all(ids.map((id) => status(last, id))),
    (all) => all.every((each) => each.runtimeStatus === 'Completed' || each.runtimeStatus === 'Failed'),
  );
  await last.kill();

  expect(new Set(done.map((each) => each.output))).toEqual(new Set([EXPECTED]));
  for (const [execution, taskIds] of scheduledIds(join(state, 'durable/FixtureHub.jsonl')))
    expect(taskIds, execution).toEqual(taskIds.map((_, index) => index));
});

interface Line {
  op: string;
  id?: string;
  events?: { EventType: number; EventId: number }[];
  instance?: { instanceId: string; executionId: string; history: { EventType: number; EventId: number }[] };
}

/** Ids of scheduling events by execution, as they stand in the store. */
function scheduledIds(file: string): Map<string, number[]> {
  const byExecution = new Map<string, number[]>();
  const current = new Map<string, string>();
  const take = (execution: string, events: { EventType: number; EventId: number }[]) => {
    const ids = events.filter((each) => [4, 7, 10, 14].includes(each.EventType)).map((each) => each.EventId);
    byExecution.set(execution, [...(byExecution.get(execution) ?? []), ...ids]);
  };
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n'))
    for (const change of JSON.parse(line) as Line[]) {
      if (change.instance) {
        const execution = `${change.instance.instanceId} ${change.instance.executionId}`;
        current.set(change.instance.instanceId, execution);
        take(execution, change.instance.history);
      } else if (change.op === 'episode') take(current.get(change.id ?? '') ?? '', change.events ?? []);
    }
  return byExecution;
}
