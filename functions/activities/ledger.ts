import { canonicalName, type KeyRef } from '../../shared/keys/key.ts';
import type { Documents, Stored } from '../../shared/ports/documents.ts';
import type { RotateReason } from '../../shared/rotation/decision.ts';

/**
 * What we know of one key's versions, and the attempt that is under way. The document is the guard that makes a rotation
 * happen once: an attempt is written by compare-and-swap before the call is sent, so of two callers only one may send it.
 */
export interface RotationLedger {
  schema: 1;
  key: KeyRef;
  attempt?: { expectedVersion: string; instance: string; at: string };
  /** Oldest first, as many as a key can hold. */
  versions: LedgerVersion[];
}

export interface LedgerVersion {
  version: string;
  previous: string;
  by: 'us' | 'hsm';
  instance: string;
  at: string;
  proof: 'pending' | 'proven' | 'unproven' | 'failed';
  reason: RotateReason;
}

const path = (key: KeyRef) => `rotations/${key.hsm}/${canonicalName(key)}.json`;

export async function readLedger(
  documents: Documents,
  key: KeyRef,
): Promise<{ ledger: RotationLedger; stored?: Stored<RotationLedger> }> {
  const stored = await documents.read<RotationLedger>('state', path(key));
  return stored ? { ledger: stored.value, stored } : { ledger: { schema: 1, key, versions: [] } };
}

/** The ledger as written, or `changed` when somebody else wrote since it was read. */
export async function writeLedger(
  documents: Documents,
  next: RotationLedger,
  stored: Stored<RotationLedger> | undefined,
): Promise<Stored<RotationLedger> | 'changed'> {
  const written = stored
    ? await documents.replace('state', path(next.key), next, stored.etag)
    : await documents.create('state', path(next.key), next);
  return typeof written === 'string' ? 'changed' : { value: next, etag: written.etag };
}

/** Reads, changes and writes until no other writer was in between. `change` may run several times. */
export async function updateLedger(
  documents: Documents,
  key: KeyRef,
  change: (ledger: RotationLedger) => RotationLedger,
): Promise<RotationLedger> {
  for (;;) {
    const { ledger, stored } = await readLedger(documents, key);
    const next = change(ledger);
    if (next === ledger) return ledger;
    const written = await writeLedger(documents, next, stored);
    if (written !== 'changed') return written.value;
  }
}

export const withVersion = (ledger: RotationLedger, entry: LedgerVersion): RotationLedger => {
  const { attempt, ...rest } = ledger;
  const open = attempt && attempt.expectedVersion !== entry.previous ? { attempt } : {};
  const known = ledger.versions.filter((each) => each.version !== entry.version);
  return { ...rest, ...open, versions: [...known, entry].slice(-100) };
};

export const withoutAttempt = ({ attempt: _, ...rest }: RotationLedger): RotationLedger => rest;
