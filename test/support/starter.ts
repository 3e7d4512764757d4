import type { OrchestrationName } from '../../functions/contracts/inputs.ts';
import type { Starter } from '../../functions/start-once.ts';

/** A starter in memory: what was started, and how each instance stands. */
export interface FakeStarter extends Starter {
  started: { name: OrchestrationName; id: string; input: unknown }[];
  instances: Map<string, 'running' | { kind: string }>;
  /** So many starts end before they take effect, as when the app is killed. */
  crashes: number;
  /** Incidents whose response was woken. */
  woken: string[];
}

export function createFakeStarter(): FakeStarter {
  const fake: FakeStarter = {
    started: [],
    instances: new Map(),
    crashes: 0,
    woken: [],
    wake: async (incident) => void fake.woken.push(incident),
    isUnderWay: async (id) => fake.instances.get(id) === 'running',
    async startOnce(name, id, input, final = []) {
      if (fake.crashes > 0) {
        fake.crashes -= 1;
        throw new Error('killed');
      }
      const before = fake.instances.get(id);
      if (before === 'running') return 'running';
      if (before && final.includes(before.kind)) return 'finished';
      fake.instances.set(id, 'running');
      fake.started.push({ name, id, input });
      return 'started';
    },
  };
  return fake;
}
