import { oneLine, readableInstants } from './clean.ts';
import {
  keyVersionAdopted,
  keyVersionReenabled,
  keyVersionRetired,
  retirementFailed,
  retirementRequested,
} from './compose/adoption-notices.ts';
import { backupCompleted, backupFailed, backupHeld, backupOverdue } from './compose/backup-notices.ts';
import { custodyExpiring, custodyReviewDue, quorumAtRisk, recoveryStepWaiting } from './compose/custody-notices.ts';
import { drillFailed, drillHsmRemains, drillPassed, drillRefused } from './compose/drill-notices.ts';
import { heartbeatMissed, heartbeatRecovered } from './compose/heartbeat-notices.ts';
import {
  incidentApprovalWanted,
  incidentClosed,
  incidentContained,
  incidentEscalated,
  incidentOpened,
  incidentRaised,
} from './compose/incident-notices.ts';
import { keyRotated } from './compose/key-rotated.ts';
import { keysUnreadable } from './compose/keys-unreadable.ts';
import { policyDocumentFault, policyDocumentMissing } from './compose/policy-document-fault.ts';
import { policyDrift } from './compose/policy-drift.ts';
import { policyDriftDigest } from './compose/policy-drift-digest.ts';
import { restoreCompleted, restoreFailed, restoreRequested } from './compose/restore-notices.ts';
import { rotationFailed } from './compose/rotation-failed.ts';
import { rotationNotCounted } from './compose/rotation-not-counted.ts';
import { rotationRefused } from './compose/rotation-refused.ts';
import { rotationReminder } from './compose/rotation-reminder.ts';
import { sweepFailed } from './compose/sweep-failed.ts';
import type { Draft, Message } from './message.ts';
import type { ComposeContext, Notice } from './notice.ts';

export type { Message, Severity } from './message.ts';

/** A subject that mail programs show whole in most lists, and that folds into few header lines. */
const LONGEST_SUBJECT = 160;
const LONGEST_LINE = 120;
const LONGEST_TEXT = 2000;

/** The mail that tells a notice: the only place where wording lives, with the functions in `compose/`. */
export function composeMessage(notice: Notice, context: ComposeContext): Message {
  const { action, owner, ...draft } = draftOf(notice, context);
  const urgency = draft.severity === 'critical' ? 'CRITICAL: ' : action ? 'ACTION: ' : '';
  return clean({
    warnings: [],
    commands: [],
    ...draft,
    subject: `[${context.installation}] ${urgency}${draft.headline}`,
    greeting: owner === undefined ? 'Hello,' : `Hello ${oneLine(owner, LONGEST_LINE)},`,
    footer: `Sent by the Managed HSM lifecycle automation of ${context.installation}. Who is told follows from ${'hsm' in notice ? '' : 'the tags notify and owner of the key, then from '}the policy document.`,
  });
}

function draftOf(notice: Notice, context: ComposeContext): Draft {
  switch (notice.kind) {
    case 'KeyRotated':
      return keyRotated(notice, context);
    case 'RotationRefused':
      return rotationRefused(notice, context);
    case 'RotationReminder':
      return rotationReminder(notice, context);
    case 'RotationNotCounted':
      return rotationNotCounted(notice, context);
    case 'RotationFailed':
      return rotationFailed(notice, context);
    case 'PolicyDrift':
      return policyDrift(notice, context);
    case 'PolicyDriftDigest':
      return policyDriftDigest(notice, context);
    case 'PolicyDocumentFault':
      return policyDocumentFault(notice, context);
    case 'PolicyDocumentMissing':
      return policyDocumentMissing(notice, context);
    case 'KeysUnreadable':
      return keysUnreadable(notice, context);
    case 'SweepFailed':
      return sweepFailed(notice, context);
    case 'BackupCompleted':
      return backupCompleted(notice, context);
    case 'BackupFailed':
      return backupFailed(notice, context);
    case 'BackupOverdue':
      return backupOverdue(notice, context);
    case 'BackupHeld':
      return backupHeld(notice, context);
    case 'DrillPassed':
      return drillPassed(notice, context);
    case 'DrillFailed':
      return drillFailed(notice, context);
    case 'DrillRefused':
      return drillRefused(notice, context);
    case 'DrillHsmRemains':
      return drillHsmRemains(notice, context);
    case 'RestoreRequested':
      return restoreRequested(notice, context);
    case 'RestoreCompleted':
      return restoreCompleted(notice, context);
    case 'RestoreFailed':
      return restoreFailed(notice, context);
    case 'CustodyExpiring':
      return custodyExpiring(notice, context);
    case 'CustodyReviewDue':
      return custodyReviewDue(notice, context);
    case 'QuorumAtRisk':
      return quorumAtRisk(notice, context);
    case 'KeyVersionAdopted':
      return keyVersionAdopted(notice, context);
    case 'RetirementRequested':
      return retirementRequested(notice, context);
    case 'KeyVersionRetired':
      return keyVersionRetired(notice, context);
    case 'KeyVersionReenabled':
      return keyVersionReenabled(notice, context);
    case 'RetirementFailed':
      return retirementFailed(notice, context);
    case 'HeartbeatMissed':
      return heartbeatMissed(notice, context);
    case 'HeartbeatRecovered':
      return heartbeatRecovered(notice, context);
    case 'IncidentOpened':
      return incidentOpened(notice, context);
    case 'IncidentRaised':
      return incidentRaised(notice, context);
    case 'IncidentApprovalWanted':
      return incidentApprovalWanted(notice, context);
    case 'IncidentContained':
      return incidentContained(notice, context);
    case 'IncidentEscalated':
      return incidentEscalated(notice, context);
    case 'IncidentClosed':
      return incidentClosed(notice, context);
    case 'RecoveryStepWaiting':
      return recoveryStepWaiting(notice, context);
  }
}

/**
 * Names, tags and explanations come from outside; here, once, all of it becomes single clean lines of bounded length, and
 * instants become what people read. Commands stay as they are, because they are copied.
 */
function clean(message: Message): Message {
  const prose = (value: string, longest = LONGEST_TEXT) => oneLine(readableInstants(value), longest);
  const { checks, mustDoNote } = message;
  return {
    subject: prose(message.subject, LONGEST_SUBJECT),
    headline: prose(message.headline, LONGEST_SUBJECT),
    preheader: prose(message.preheader, LONGEST_LINE),
    severity: message.severity,
    greeting: prose(message.greeting),
    paragraphs: message.paragraphs.map((value) => prose(value)).filter((paragraph) => paragraph !== ''),
    facts: message.facts.map(({ label, value }) => ({ label: oneLine(label, 24), value: prose(value) })),
    ...(checks === undefined
      ? {}
      : {
          checks: checks.map(({ text: told, result, detail }) => ({
            text: prose(told),
            result,
            ...(detail === undefined ? {} : { detail: prose(detail) }),
          })),
        }),
    warnings: message.warnings.map((value) => prose(value)),
    mustDo: message.mustDo.map((value) => prose(value)),
    ...(mustDoNote === undefined ? {} : { mustDoNote: prose(mustDoNote) }),
    commands: message.commands.map((value) => oneLine(value, LONGEST_TEXT)),
    footer: prose(message.footer),
  };
}
