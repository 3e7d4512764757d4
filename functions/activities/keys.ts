import { AppError, hasCode } from '../../shared/errors.ts';
import { compareVersion } from '../../shared/rotation/compare-version.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { inspectKey } from './inspect-key.ts';

/** Reads, with the observing identity. Nothing here changes anything, so each may run any number of times. */
export const keyActivities = (world: World) =>
  ({
    inspectKey: ({ key }) => inspectKey(world, key),

    /** Reads the new version back before its reference is handed to anybody: a creation may come out incomplete (R03). */
    async compareKeyVersion({ key, version, previous, validity }) {
      const [after, before] = await Promise.all([
        readFresh(world, key, version),
        previous === undefined ? undefined : world.keys.observe.read(key, previous),
      ]);
      const differences = compareVersion({ after, validity, ...(before ? { before } : {}), now: world.clock.now() });
      return { kind: 'compared', facts: after, differences };
    },
  }) satisfies Partial<ActivityHandlers>;

/** A version that was just made may not have reached the region that answers: then it is asked for again. */
export async function readFresh(world: World, key: { hsm: string; name: string }, version: string) {
  try {
    return await world.keys.observe.read(key, version);
  } catch (error) {
    if (!hasCode(error, 'ERR_NOT_FOUND')) throw error;
    throw new AppError('ERR_TRANSIENT', `Version ${version} of ${key.hsm}/${key.name} cannot be read yet.`, {
      nextStep: 'Nothing to do: it is asked for again.',
      cause: error,
    });
  }
}
