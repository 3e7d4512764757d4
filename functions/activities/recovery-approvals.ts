import { judgeReported } from '../../shared/recovery/journaled-reports.ts';
import type { RecoveryStepName } from '../../shared/recovery/runbook.ts';
import type { World } from '../world.ts';
import { digestOf, readJournalOf } from './journaled-decision.ts';
import type { StoredRecovery } from './recovery-records.ts';
import { type StepResult, stepRefused } from './recovery-steps.ts';

/** Steps for another person than who asked, with the role Approver. */
export const APPROVED: ReadonlySet<RecoveryStepName> = new Set(['confirmLoss', 'approveRestore', 'approveCost']);

/** What such a step agrees to: what was asked for, and for a restore, of which backup. */
export function approvalDigest(
  world: World,
  { id, hsm, newHsm, region, tenantId, administrators, identities, reason, by, at, rehearsal }: StoredRecovery,
  step: RecoveryStepName,
  backup: string | undefined,
): string {
  const asked = { id, hsm, newHsm, region, tenantId, administrators, identities, reason, by, at, rehearsal };
  return digestOf(world, { ...asked, step, ...(step === 'confirmLoss' ? {} : { backup }) });
}

/** Why an act may not be, as long as the journal does not hold who agreed to it; asked just before the act. */
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
  for (const step of steps) {
    const report = recovery.reports.findLast((each) => each.step === step);
    if (!report) return stepRefused(`Nobody has reported ${step}.`, 'ApprovalMissing');
    const read = await readJournalOf(world, recovery.id, report.at);
    const digest = approvalDigest(world, recovery, step, backup);
    const found = judgeReported(read, report, { digest, asker: recovery.by });
    if (found.kind === 'refused') return stepRefused(`${found.explanation} ${found.nextStep}`, found.reason);
  }
  return undefined;
}
