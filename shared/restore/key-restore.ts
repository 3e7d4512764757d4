import type { BackupRecord } from '../backup/backup.ts';
import { hasReached, isPresent, whyAbsent } from '../backup/catalogue.ts';
import type { BackupManifest } from '../backup/manifest.ts';

/** What the target knows of the key now. */
export type KeyPresence =
  | { kind: 'absent' }
  | { kind: 'active'; versions: number }
  | {
      kind: 'softDeleted';
      purgeOn?: string /** Purge protection: nobody can purge it before that. */;
      protected: boolean;
    }
  /** The list of deleted keys could not be read. */
  | { kind: 'unknown' };

export type KeyRestoreReason =
  | 'LockHeld'
  | 'BackupNotUsable'
  | 'WrongSecurityDomain'
  | 'KeyNotCovered'
  | 'KeyNotInBackup'
  | 'KeyStateUnknown'
  | 'KeyStillActive'
  | 'KeySoftDeleted'
  | 'PurgeProtected';

export type KeyRestoreDecision =
  | { kind: 'proceed'; versions: number; explanation: string }
  | { kind: 'refused'; reason: KeyRestoreReason; explanation: string; nextStep: string };

export interface KeyRestoreInput {
  key: string;
  target: { hsm: string; securityDomain?: string };
  backup: BackupRecord;
  manifest: BackupManifest;
  presence: KeyPresence;
  lock?: { operation: string; holder: string };
  /** Instance of this restore, whose own lock is none. */
  instance: string;
}

/**
 * Whether one key may be restored from a full backup, with all its versions. The service takes it only when the name is free:
 * purged, or never used. A key that is merely soft-deleted is recovered, which costs nothing and loses nothing.
 * https://learn.microsoft.com/azure/key-vault/managed-hsm/backup-restore
 */
export function decideKeyRestore(input: KeyRestoreInput): KeyRestoreDecision {
  const { key, target, backup, manifest, lock, instance } = input;
  if (lock !== undefined && lock.holder !== instance) {
    const explanation = `${target.hsm} is locked by ${lock.holder} for ${lock.operation}.`;
    return refuse('LockHeld', explanation, 'Wait until it has finished, then ask again.');
  }
  if (!isPresent(backup) || !hasReached(backup, 'verified')) {
    const why = isPresent(backup) ? 'was never verified' : whyAbsent(backup);
    return refuse('BackupNotUsable', `Backup ${backup.id} ${why}.`, 'Choose a verified backup.');
  }
  if (target.securityDomain !== backup.securityDomain) {
    const explanation = `${target.hsm} belongs to security domain ${target.securityDomain ?? 'unknown'}, and backup ${backup.id} to ${backup.securityDomain}.`;
    return refuse('WrongSecurityDomain', explanation, 'Restore to an HSM of the same security domain.');
  }
  const wanted = key.toLowerCase();
  if (manifest.notCovered.some(({ name }) => name.toLowerCase() === wanted)) {
    const explanation = `${key} is held by an external key manager, and no backup covers it.`;
    return refuse('KeyNotCovered', explanation, 'Restore it in the external key manager.');
  }
  const stored = manifest.keys.find(({ name }) => name.toLowerCase() === wanted);
  if (stored === undefined) {
    const explanation = `Backup ${backup.id} of ${backup.takenOn} holds no key ${key}.`;
    return refuse('KeyNotInBackup', explanation, 'Choose a backup that was taken while the key was there.');
  }
  return judgePresence(input, stored.versions.length);
}

function judgePresence({ key, target, presence, backup }: KeyRestoreInput, versions: number): KeyRestoreDecision {
  switch (presence.kind) {
    case 'absent': {
      const told = versions === 1 ? 'one version' : `${versions} versions`;
      return { kind: 'proceed', versions, explanation: `${key} with ${told} is restored from ${backup.id}.` };
    }
    case 'active':
      return refuse(
        'KeyStillActive',
        `${target.hsm} holds ${key} with ${presence.versions === 1 ? 'one version' : `${presence.versions} versions`}.`,
        'Restore it to another HSM of the same security domain; or delete and purge it here first, if losing its present versions is meant.',
      );
    case 'softDeleted':
      if (!presence.protected) {
        return refuse(
          'KeySoftDeleted',
          `${key} is deleted on ${target.hsm}, but not purged.`,
          `Recover it, with all its versions: az keyvault key recover --hsm-name ${target.hsm} --name ${key}. Purge it first only if the state of the backup is wanted.`,
        );
      }
      return refuse(
        'PurgeProtected',
        `${key} is deleted on ${target.hsm}, and purge protection keeps the name taken${presence.purgeOn === undefined ? '' : ` until ${presence.purgeOn}`}.`,
        `Recover it, with all its versions: az keyvault key recover --hsm-name ${target.hsm} --name ${key}. Or restore it to another HSM of the same security domain.`,
      );
    case 'unknown':
      return refuse(
        'KeyStateUnknown',
        `Whether ${target.hsm} holds ${key} as a deleted key could not be read.`,
        'Let the restore identity list deleted keys, then ask again.',
      );
  }
}

const refuse = (reason: KeyRestoreReason, explanation: string, nextStep: string): KeyRestoreDecision => ({
  kind: 'refused',
  reason,
  explanation,
  nextStep,
});
