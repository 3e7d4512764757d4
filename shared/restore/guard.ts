import type { BackupRecord } from '../backup/backup.ts';
import { hasReached, isPresent, whyAbsent } from '../backup/catalogue.ts';
import { addDuration, toIso } from '../time.ts';
import { decideSafety, type SafetyInput } from './safety-backup.ts';

/** Public: shown, sent and stored. Adding is free, renaming is a migration. */
export type RestoreRefusalReason =
  | 'LockHeld'
  | 'BackupPruned'
  | 'BackupNotVerified'
  | 'BackupDoubted'
  | 'SecurityDomainUnknown'
  | 'WrongSecurityDomain'
  | 'ExternalKeysUnknown'
  | 'ExternalKeysPresent'
  | 'ConfirmationWrong'
  | 'ApproverIsRequester'
  | 'ApprovalDenied'
  | 'ApprovalExpired'
  | 'SafetyRuleUnclear';

export interface RestoreApproval {
  by: string;
  at: string;
  decision: 'approved' | 'denied';
  note?: string;
}

export interface RestoreGuardInput {
  target: {
    /** The HSM's name, which a person has to type. */
    hsm: string;
    /** Lineage of its security domain; undefined when nobody recorded it. */
    securityDomain?: string;
    /** Names; undefined when they could not be looked for. */
    externalKeys?: readonly string[];
  };
  backup: BackupRecord;
  request: { by: string; at: string /** What the person typed. */; confirmation: string; instance: string };
  /** Absent while nobody has answered. */
  approval?: RestoreApproval;
  /** How long an approval stays good, and a request waits for one. ISO duration. */
  approvalLasts: string;
  /** Whoever holds the HSM's lock, this restore included. */
  lock?: { operation: string; holder: string };
  /** A person who knows better may accept these two; both are journaled. */
  accepts?: readonly ('externalKeys' | 'unverifiedBackup')[];
  safety: Omit<SafetyInput, 'now'>;
  now: Date;
}

export type RestoreVerdict =
  | { kind: 'refused'; reason: RestoreRefusalReason; explanation: string; nextStep: string }
  | { kind: 'awaitApproval'; until: string; explanation: string }
  | { kind: 'takeSafetyBackup'; reason: 'SafetyBackupMissing' | 'SafetyBackupTooOld'; explanation: string }
  | { kind: 'wait'; reason: 'SafetyBackupTooYoung' | 'SafetyAnswerUnclear'; until: string; explanation: string }
  | { kind: 'proceed'; explanation: string };

type Check = (input: RestoreGuardInput) => RestoreVerdict | undefined;

/**
 * First violation wins, and the order is behaviour: what can never work comes first, then what a person must say, then what
 * waiting cures. A restore wipes the HSM, so what cannot be read is never taken for permission.
 */
const CHECKS: readonly Check[] = [
  lockIsFree,
  backupIsGood,
  securityDomainFits,
  noExternalKeys,
  confirmationIsTheName,
  approvalIsGood,
  safetyBackupIsThere,
];

/** Whether a full restore may start, what it waits for, or why it may not. */
export function guardRestore(input: RestoreGuardInput): RestoreVerdict {
  for (const check of CHECKS) {
    const verdict = check(input);
    if (verdict !== undefined) return verdict;
  }
  const explanation = `Backup ${input.backup.id} is restored to ${input.target.hsm}.`;
  return { kind: 'proceed', explanation };
}

const refuse = (reason: RestoreRefusalReason, explanation: string, nextStep: string): RestoreVerdict => ({
  kind: 'refused',
  reason,
  explanation,
  nextStep,
});

function lockIsFree({ lock, request, target }: RestoreGuardInput): RestoreVerdict | undefined {
  if (lock === undefined || lock.holder === request.instance) return undefined;
  return refuse(
    'LockHeld',
    `${target.hsm} is locked by ${lock.holder} for ${lock.operation}; it does one full backup or restore at a time.`,
    'Wait until it has finished, then ask again.',
  );
}

function backupIsGood({ backup, accepts }: RestoreGuardInput): RestoreVerdict | undefined {
  if (!isPresent(backup)) {
    return refuse('BackupPruned', `Backup ${backup.id} ${whyAbsent(backup)}.`, 'Choose another backup.');
  }
  if (accepts?.includes('unverifiedBackup')) return undefined;
  if (!hasReached(backup, 'verified')) {
    return refuse(
      'BackupNotVerified',
      `Backup ${backup.id} has landed, but its copy was never verified.`,
      'Verify it or choose a verified one; accept it as it is only when there is nothing better.',
    );
  }
  if (backup.doubt === undefined) return undefined;
  return refuse(
    'BackupDoubted',
    `Drill ${backup.doubt.drill} found backup ${backup.id} wanting: ${backup.doubt.reason}`,
    'Choose another backup; accept this one only when there is nothing better.',
  );
}

function securityDomainFits({ backup, target }: RestoreGuardInput): RestoreVerdict | undefined {
  if (target.securityDomain === undefined) {
    return refuse(
      'SecurityDomainUnknown',
      `Nobody recorded which security domain ${target.hsm} belongs to, and only one of ${backup.securityDomain} can restore this backup.`,
      'Record it in the custody ledger: an HSM keeps the security domain that it was activated or recovered with.',
    );
  }
  if (target.securityDomain === backup.securityDomain) return undefined;
  return refuse(
    'WrongSecurityDomain',
    `${target.hsm} belongs to security domain ${target.securityDomain}, and backup ${backup.id} to ${backup.securityDomain}.`,
    'Restore to an HSM of the same security domain, or recover a new HSM with it first.',
  );
}

function noExternalKeys({ target, accepts }: RestoreGuardInput): RestoreVerdict | undefined {
  if (accepts?.includes('externalKeys')) return undefined;
  if (target.externalKeys === undefined) {
    return refuse(
      'ExternalKeysUnknown',
      `Whether ${target.hsm} holds keys of an external key manager could not be read.`,
      'Let the restore identity read the keys, or accept that some may be lost.',
    );
  }
  if (target.externalKeys.length === 0) return undefined;
  return refuse(
    'ExternalKeysPresent',
    `${target.hsm} holds keys of an external key manager, which no backup covers: ${target.externalKeys.join(', ')}.`,
    'Move their consumers first; a restore can leave the HSM degraded. Accept it only when that is known.',
  );
}

function confirmationIsTheName({ request, target }: RestoreGuardInput): RestoreVerdict | undefined {
  if (request.confirmation === target.hsm) return undefined;
  return refuse(
    'ConfirmationWrong',
    `The restore wipes ${target.hsm}, and what was typed is not its name.`,
    `Ask again and type the name of the HSM: ${target.hsm}`,
  );
}

function approvalIsGood({ approval, approvalLasts, request, now }: RestoreGuardInput): RestoreVerdict | undefined {
  const until = addDuration(new Date(approval?.at ?? request.at), approvalLasts);
  if (approval === undefined && now < until) {
    const explanation = `Another person than ${request.by} has to approve it until ${toIso(until)}.`;
    return { kind: 'awaitApproval', until: toIso(until), explanation };
  }
  if (approval !== undefined && samePerson(approval.by, request.by)) {
    return refuse(
      'ApproverIsRequester',
      `${request.by} asked for it and approved it.`,
      'Let another person approve it.',
    );
  }
  if (approval?.decision === 'denied') {
    const note = approval.note === undefined ? '' : `: ${approval.note}`;
    return refuse('ApprovalDenied', `${approval.by} denied it${note}`, 'Clear up why, then ask again.');
  }
  if (now < until) return undefined;
  const what = approval === undefined ? 'Nobody approved it' : `The approval of ${approval.by} ended`;
  return refuse('ApprovalExpired', `${what} by ${toIso(until)}.`, 'Ask again; the preview may have changed meanwhile.');
}

const samePerson = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();

function safetyBackupIsThere({ safety, now }: RestoreGuardInput): RestoreVerdict | undefined {
  const decision = decideSafety({ ...safety, now });
  switch (decision.kind) {
    case 'try':
      return undefined;
    case 'take':
      return { ...decision, kind: 'takeSafetyBackup' };
    case 'wait':
    case 'refused':
      return decision;
  }
}
