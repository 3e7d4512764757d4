import { canonicalName, type KeyRef } from '../shared/keys/key.ts';

/** Longest instance id that the durable extension takes. */
const LONGEST = 100;

/**
 * Instance ids are the dedupe keys: the same work asked for twice is one instance. Ids that would be too long (a key name
 * has up to 127 characters) or that hold what an id may not (a policy's ETag has quotes) keep a readable head and end in a
 * hash of the whole.
 */
export const rotationId = (key: KeyRef, version: string): string =>
  bounded(`rotate-${key.hsm}-${canonicalName(key)}-${version}`);

/** A version that we find rather than make is confirmed under its own id, because the one it replaced may be unknown. */
export const confirmationId = (key: KeyRef, version: string): string =>
  bounded(`confirm-${key.hsm}-${canonicalName(key)}-${version}`);

export const sweepId = (hsm: string): string => bounded(`sweep-${hsm}`);

export const backupWatchId = (hsm: string): string => bounded(`watch-backups-${hsm}`);

export const custodyWatchId = (hsm: string): string => bounded(`watch-custody-${hsm}`);

/** One at a time for each HSM: windows of its log follow each other. */
export const detectionId = (hsm: string): string => bounded(`detect-${hsm}`);

export const reconciliationId = (hsm: string): string => bounded(`reconcile-${hsm}`);

/** One call that waits for one webhook. */
export const relayId = (webhook: string, message: string): string => bounded(`relay-${webhook}-${message}`);

/** A mail that a person has sent again. */
export const redeliveryId = (undelivered: string): string => bounded(`redeliver-${undelivered}`);

export const retirementId = (key: KeyRef, version: string, request: string): string =>
  bounded(`retire-${key.hsm}-${canonicalName(key)}-${version}-${request}`);

/** The event that wakes a retirement which waits for a decision; the decision itself is stored. */
export const RETIREMENT_DECIDED = 'RetirementDecided';

export const adoptionWatchId = (hsm: string): string => bounded(`watch-adoption-${hsm}`);

export const HEARTBEAT_WATCH_ID = 'watch-heartbeats';

export const RELAY_ID = 'relay-waiting-calls';

export const noticeId = (instance: string, kind: string): string => bounded(`notify-${instance}-${kind}`);

/** A restore, by whatever makes its request one of its own. */
export const restoreId = (hsm: string, request: string): string => bounded(`restore-${hsm}-${request}`);

/** The event that wakes a restore which waits for a decision; the decision itself is stored. */
export const RESTORE_DECIDED = 'RestoreDecided';

export const safetyBackupId = (restore: string, number: number): string => bounded(`backup-${restore}-${number}`);

/** A backup that a person asked for. */
export const requestedBackupId = (hsm: string, request: string): string => bounded(`backup-${hsm}-asked-${request}`);

/** The recovery that a drill rehearses on a temporary HSM. */
export const rehearsalId = (drill: string): string => bounded(`rehearse-${drill}`);

export const tearDownId = (drill: string): string => bounded(`tear-down-${drill}`);

/**
 * The temporary HSM of a drill: 3 to 24 letters, digits and hyphens, unique in the whole cloud, and taken for as long as it
 * stays soft-deleted. So each drill has a name of its own, which a repeat makes again.
 * https://learn.microsoft.com/azure/key-vault/managed-hsm/recovery
 */
export const temporaryHsmName = (installation: string, drill: string): string =>
  `drill-${fnv1a64(`${installation} ${drill}`)}`;

/** Wakes a recovery that waits for people. Its name is part of histories. */
export const RECOVERY_REPORTED = 'recoveryStepReported';

/** An incident, which is the instance of its response as well; `digest`: 16 hex digits. */
export const incidentId = (hsm: string, digest: string): string => bounded(`incident-${hsm}-${digest}`);

/** Wakes a response; what changed is read where it is stored. Its name is part of histories. */
export const INCIDENT_CHANGED = 'IncidentChanged';

function bounded(id: string): string {
  const readable = id.replaceAll(/[^0-9A-Za-z-]/g, '-');
  if (readable === id && id.length <= LONGEST) return id;
  const tail = `-${fnv1a64(id)}`;
  return readable.slice(0, LONGEST - tail.length) + tail;
}

/** FNV-1a, 64 bit: short, stable and no secret. http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a64(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index++) {
    hash ^= BigInt(text.charCodeAt(index));
    hash = (hash * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  return hash.toString(16).padStart(16, '0');
}
