import type { Documents } from '../../shared/ports/documents.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';

/** The exclusive operation of an HSM: the service allows one full backup or restore at a time. Says who holds it. */
export interface HsmLock {
  schema: 1;
  kind: 'backup' | 'restore';
  since: string;
  /** Instance id of the orchestration that holds it. */
  holder: string;
}

const lockPath = (hsm: string): string => `locks/${hsm}.json`;

export const readHsmLock = async (documents: Documents, hsm: string): Promise<HsmLock | undefined> =>
  (await documents.read<HsmLock>('state', lockPath(hsm)))?.value;

export type LockTaken = { kind: 'locked' } | { kind: 'held'; by: string };

interface LockAsked {
  hsm: string;
  holder: string;
  operation: HsmLock['kind'];
}

/**
 * Takes the lock of an HSM, or says who has it. A lock outlives every crash; one whose holder is under way no more is an
 * orphan and is taken over.
 */
export async function takeHsmLock(
  world: World,
  starter: Starter,
  { hsm, holder, operation }: LockAsked,
): Promise<LockTaken> {
  const mine: HsmLock = { schema: 1, kind: operation, since: world.clock.now().toISOString(), holder };
  const found = await world.documents.read<HsmLock>('state', lockPath(hsm));
  if (!found) {
    const written = await world.documents.create('state', lockPath(hsm), mine);
    return written === 'exists' ? { kind: 'held', by: 'another caller' } : { kind: 'locked' };
  }
  if (found.value.holder === holder) return { kind: 'locked' };
  if (await starter.isUnderWay(found.value.holder)) return { kind: 'held', by: found.value.holder };
  const written = await world.documents.replace('state', lockPath(hsm), mine, found.etag);
  return written === 'changed' ? { kind: 'held', by: 'another caller' } : { kind: 'locked' };
}

/** Gives the lock back; somebody else's stays. */
export async function releaseHsmLock(world: World, hsm: string, holder: string): Promise<void> {
  const lock = await readHsmLock(world.documents, hsm);
  if (lock?.holder === holder) await world.documents.remove('state', lockPath(hsm));
}

/**
 * Gives back the lock of an orchestration that is gone: terminated, or failed while the state account was away. Takes it first,
 * so that nobody's new lock is removed; `holder` has to be under way itself.
 */
export async function freeOrphanedLock(world: World, starter: Starter, hsm: string, holder: string): Promise<void> {
  const lock = await readHsmLock(world.documents, hsm);
  if (!lock || (lock.holder !== holder && (await starter.isUnderWay(lock.holder)))) return;
  const taken = await takeHsmLock(world, starter, { hsm, holder, operation: lock.kind });
  if (taken.kind === 'locked') await releaseHsmLock(world, hsm, holder);
}

export const hsmLockActivities = (world: World) =>
  ({
    lockHsm: (asked, { starter }) => takeHsmLock(world, starter, asked),

    async unlockHsm({ hsm, holder }) {
      await releaseHsmLock(world, hsm, holder);
      return { kind: 'unlocked' };
    },
  }) satisfies Partial<ActivityHandlers>;
