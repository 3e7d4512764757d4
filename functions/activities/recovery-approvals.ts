import { type Asked, notJournaled, wasAsked } from '../../shared/journal/decisions.ts';
import type { InstanceRead } from '../../shared/journal/read-instance.ts';
import { judgeReported } from '../../shared/recovery/journaled-reports.ts';
import type { RecoveryStepName } from '../../shared/recovery/runbook.ts';
import type { World } from '../world.ts';
import { digestOf, journalRequest, readJournalOf } from './journaled-decision.ts';
import type { StoredRecovery } from './recovery-records.ts';
import { type StepResult, stepRefused } from './recovery-steps.ts';

/** Steps for another person than who asked, with the role Approver. */
export const APPROVED: ReadonlySet<RecoveryStepName> = new Set(['confirmLoss', 'approveRestore', 'approveCost']);

/** What was asked for, as it was asked. */
function askedFor(recovery: StoredRecovery) {
  const { id, hsm, newHsm, region, tenantId, administrators, identities, reason, by, at, rehearsal } = recovery;
  return { id, hsm, newHsm, region, tenantId, administrators, identities, reason, by, at, rehearsal };
}

const requestOf = (world: World, recovery: StoredRecovery): Asked => {
  const { id, hsm, by, at } = recovery;
  return {
    id,
    hsm,
    target: `recoveries/${id}`,
    by,
    at,
    asks: 'recovery.request',
    digest: digestOf(world, askedFor(recovery)),
  };
};

/** Before the recovery is stored: nobody can approve what the journal does not hold. */
export const journalRecoveryRequest = (world: World, recovery: StoredRecovery): Promise<void> => {
  const { newHsm, region, reason } = recovery;
  return journalRequest(world, requestOf(world, recovery), { newHsm, region, reason });
};

/** Why nobody can approve a recovery that the journal does not hold, by whom it names and as it is stored. */
export async function demandRequested(world: World, recovery: StoredRecovery, found?: InstanceRead) {
  const read = found ?? (await readJournalOf(world, recovery.id, recovery.at));
  if (read.kind === 'broken') return notJournaled(read.explanation);
  if (wasAsked(read.entries, requestOf(world, recovery))) return undefined;
  return notJournaled(`The journal does not hold that ${recovery.by} asked for ${recovery.id} as it is stored.`);
}

/** What such a step agrees to: what was asked for, and for a restore, of which backup. */
export function approvalDigest(
  world: World,
  recovery: StoredRecovery,
  step: RecoveryStepName,
  backup: string | undefined,
): string {
  return digestOf(world, { ...askedFor(recovery), step, ...(step === 'confirmLoss' ? {} : { backup }) });
}

/** Why an act may not be, as long as the journal does not hold who asked for it and who agreed; asked just before the act. */
export async function demandReported(
  world: World,
  recovery: StoredRecovery,
  act: 'createHsm' | 'restore',
  backup: string | undefined,
): Promise<StepResult | undefined> {
  const steps: RecoveryStepName[] = recovery.rehearsal
    ? ['approveCost']
    : act === 'createHsm'
      ? ['confirmLoss']
      : ['confirmLoss', 'approveRestore'];
  const read = await readJournalOf(world, recovery.id, recovery.at);
  const unasked = await demandRequested(world, recovery, read);
  if (unasked) return stepRefused(`${unasked.explanation} ${unasked.nextStep}`, unasked.reason);
  for (const step of steps) {
    const report = recovery.reports.findLast((each) => each.step === step);
    if (!report) return stepRefused(`Nobody has reported ${step}.`, 'ApprovalMissing');
    const digest = approvalDigest(world, recovery, step, backup);
    const found = judgeReported(read, report, { digest, asker: recovery.by });
    if (found.kind === 'refused') return stepRefused(`${found.explanation} ${found.nextStep}`, found.reason);
  }
  return undefined;
}
