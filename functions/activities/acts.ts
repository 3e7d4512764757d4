import { AppError, isTransient } from '../../shared/errors.ts';
import type { RotationAct } from '../../shared/journal/entries.ts';
import { type IntentOptions, rotationIntent, rotationOutcome } from '../../shared/journal/entries.ts';
import type { JournalEntry } from '../../shared/journal/entry.ts';
import type { KeyRef } from '../../shared/keys/key.ts';
import type { RotationCause } from '../../shared/rotation/decision.ts';
import type { World } from '../world.ts';

/** An HSM in two regions settles no sooner. https://learn.microsoft.com/azure/key-vault/managed-hsm/multi-region-replication */
const REPLICATION_MS = 6 * 60_000;

export interface Act {
  act: RotationAct;
  duty: 'observe' | 'rotate';
  key: KeyRef;
  instance: string;
  cause: RotationCause;
  /** Tells apart repeats that are acts of their own. */
  step?: string;
  detail?: NonNullable<JournalEntry['detail']>;
  /** Calls by class, at most; what the act usually needs unless told. */
  count?: NonNullable<IntentOptions['count']>;
}

/**
 * Writes the intent before an act, so that detection knows our calls from an intruder's. Returns how to write the outcome.
 * A repeat calls the HSM again, so each run is announced by itself, with a window and a count of its own.
 */
export async function announce(world: World, { act, duty, key, instance, cause, step, detail, count }: Act) {
  const at = world.clock.now();
  const context = {
    hsm: key.hsm,
    key: key.name,
    identity: world.identities[duty],
    cause,
    instance,
    step: step === undefined ? at.toISOString() : `${step}:${at.toISOString()}`,
  };
  const multiRegion = world.settleMs(key.hsm) >= REPLICATION_MS;
  await world.journal.append(
    rotationIntent(act, context, { at, multiRegion, ...(detail ? { detail } : {}), ...(count ? { count } : {}) }),
  );
  return (result: NonNullable<JournalEntry['result']>, more: NonNullable<JournalEntry['detail']> = {}) =>
    world.journal.append(
      rotationOutcome(act, context, { at: world.clock.now(), result, detail: { ...detail, ...more } }),
    );
}

/** What an act gave, and how the journal tells it. */
export interface Done<T> {
  value: T;
  /** `done` unless told. */
  result?: NonNullable<JournalEntry['result']>;
  detail?: NonNullable<JournalEntry['detail']>;
}

/** Announces an act, does it, and writes what came of it, also when it is refused or fails. */
export async function onRecord<T>(world: World, act: Act, work: () => Promise<Done<T>>): Promise<T> {
  const outcome = await announce(world, act);
  const { value, result, detail } = await work().catch(async (error: unknown) => {
    if (error instanceof AppError) await outcome(isTransient(error) ? 'failed' : 'refused', { code: error.code });
    throw error;
  });
  await outcome(result ?? 'done', detail);
  return value;
}
