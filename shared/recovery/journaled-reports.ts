import { notJournaled } from '../journal/decisions.ts';
import type { InstanceRead } from '../journal/read-instance.ts';
import type { StepReport } from './runbook.ts';

/** Class of the entry of each report about a step. */
export const RECOVERY_REPORT = 'recovery.step';

/**
 * Whether a stored approval is the last word about its step in the journal too, of somebody else than who asked, about just
 * what is stored.
 */
export function judgeReported(
  read: InstanceRead,
  { step, result, by, at }: StepReport,
  { digest, asker }: { digest: string; asker: string },
): { kind: 'agrees' } | { kind: 'refused'; reason: 'ApprovalNotJournaled'; explanation: string; nextStep: string } {
  if (read.kind === 'broken') return notJournaled(read.explanation);
  const last = read.entries.findLast(
    ({ kind, class: act, detail }) => kind === 'note' && act === RECOVERY_REPORT && detail?.step === step,
  );
  const agrees =
    result === 'done' &&
    last?.detail?.result === result &&
    last.cause === by &&
    last.detail.digest === digest &&
    by.toLowerCase() !== asker.toLowerCase();
  if (agrees) return { kind: 'agrees' };
  return {
    ...notJournaled(
      `${step} is stored as ${result} by ${by} on ${at}, and the journal does not say so of what is stored now.`,
    ),
    nextStep:
      'Treat it as tampering until explained: read in the storage logs who wrote to the container state. If it was reported, let the same person report it again in the same words.',
  };
}
