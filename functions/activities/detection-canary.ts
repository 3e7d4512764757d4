import { AppError, hasCode } from '../../shared/errors.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { detectionRuleOf } from './detection-rule.ts';
import { announceOnHsm } from './hsm-acts.ts';

/** As many as two hours of calls every five minutes: what silence is judged by. */
const MOST_SUCCESSES = 24;

interface Canary {
  schema: 1;
  /** ISO instants at which the HSM answered, oldest first. */
  answered: string[];
}

const path = (hsm: string) => `detection/${hsm}/canary.json`;

export const readCanary = async (world: World, hsm: string): Promise<string[]> =>
  (await world.documents.read<Canary>('state', path(hsm)))?.value.answered ?? [];

export const detectionCanaryActivities = (world: World) =>
  ({
    /**
     * One cheap call to the HSM, announced like any other. Its row must reach the log: where it does not, the log is cut off, and
     * where the call itself fails, the HSM is.
     */
    async sendCanary({ hsm, instance }) {
      const { detection } = world;
      if (!detection) return { kind: 'off' };
      const { canaryKey } = await detectionRuleOf(world, detection, hsm);
      const at = world.clock.now().toISOString();
      await announceOnHsm(world, {
        act: 'detection.canary',
        duty: 'observe',
        hsm,
        target: `keys/${canaryKey}`,
        instance,
        cause: 'audit log',
        step: at,
        count: { 'read.key': 4 },
      });
      const answered = await isAnswered(() => world.keys.observe.read({ hsm, name: canaryKey }));
      if (answered) {
        const before = await readCanary(world, hsm);
        const next: Canary = { schema: 1, answered: [...before, at].slice(-MOST_SUCCESSES) };
        await world.documents.put('state', path(hsm), next);
      }
      return { kind: 'sent', answered };
    },
  }) satisfies Partial<ActivityHandlers>;

/** A refusal is an answer, and is logged; only silence and faults of the service are none. */
async function isAnswered(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (hasCode(error, 'ERR_NOT_FOUND') || hasCode(error, 'ERR_DENIED') || hasCode(error, 'ERR_HSM_BUSY')) return true;
    if (error instanceof AppError) return false;
    throw error;
  }
}
