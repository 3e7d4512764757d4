import { AppError } from '../../shared/errors.ts';
import type { RecoveryActivityOutcomes } from '../contracts/recovery-outcomes.ts';
import type { RecoveryWorld, World } from '../world.ts';
import { announceOnHsm } from './hsm-acts.ts';
import type { StoredRecovery } from './recovery-records.ts';

/** What a step comes to: `done` with what shows it, or what `performRecoveryStep` answers. */
export type StepResult =
  | { kind: 'done'; evidence: string }
  | Exclude<RecoveryActivityOutcomes['performRecoveryStep'], { kind: 'done' }>;

/** How long to leave a busy HSM alone before asking again. */
export const BUSY_PAUSE_MS = 60_000;

export const later = (world: World, ms: number, why: string): StepResult => ({
  kind: 'later',
  until: new Date(world.clock.now().getTime() + ms).toISOString(),
  why,
});

/** `final`, by its public reason: in a rehearsal it is not tried again, because trying again changes nothing. */
export const stepRefused = (explanation: string, final?: string): StepResult => ({
  kind: 'refused',
  explanation,
  ...(final === undefined ? {} : { final }),
});

/** What a recovery needs of the installation, or a fault that says which setting is missing. */
export function recoveryWorld(world: World): RecoveryWorld {
  if (world.recovery) return world.recovery;
  throw new AppError('ERR_CONFIG', 'This installation recovers nothing: no identity has the duty of restoring.', {
    nextStep: 'Set MHSM_IDENTITY_RESTORE, and let it create Managed HSMs in the resource group.',
  });
}

/** Announces an act of a recovery; the id names the recovery, so that a repeat is the same act. */
export const announceStep = (world: World, recovery: StoredRecovery, act: string, step = act) =>
  announceOnHsm(world, {
    act,
    duty: 'restore',
    hsm: recovery.newHsm,
    target: `recoveries/${recovery.id}`,
    instance: recovery.id,
    cause: recovery.by,
    count: { [act]: 1 },
    lastsMinutes: 240,
    step,
    detail: { reason: recovery.reason },
  });
