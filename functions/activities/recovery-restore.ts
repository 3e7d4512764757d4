import { hasCode } from '../../shared/errors.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import { compareWithManifest } from '../../shared/restore/compare-with-manifest.ts';
import { decideSafety } from '../../shared/restore/safety-backup.ts';
import type { World } from '../world.ts';
import { backupWorld } from './backup-world.ts';
import { folderSince } from './backups.ts';
import { readRecord } from './catalogue.ts';
import { readHsmInventory, withSealedMaterial } from './hsm-inventory.ts';
import { knownHsm } from './joined-hsms.ts';
import { policyInForce } from './policy-in-force.ts';
import { demandReported } from './recovery-approvals.ts';
import { followJob, forgetJob } from './recovery-jobs.ts';
import { changeRecovery, newestGoodBackup, reportStep, type StoredRecovery } from './recovery-records.ts';
import { later, recoveryWorld, type StepResult, stepRefused } from './recovery-steps.ts';
import { manifestOf } from './restore-requests.ts';

/**
 * Backs the new HSM up, because the service wants a full backup of the target before its first restore. The administrator acts:
 * nobody else has a role on the new HSM yet. It holds nothing, so this backup is no part of the chain of backups.
 */
export async function takeSafetyBackup(world: World, recovery: StoredRecovery): Promise<StepResult> {
  await knownHsm(world, recovery.newHsm);
  const { jobs } = recoveryWorld(world);
  const { landingContainerUrl, vault } = backupWorld(world);
  const followed = await followJob(world, recovery, {
    slot: 'safety',
    family: 'backup',
    start: () => jobs.startBackup(recovery.newHsm, landingContainerUrl),
    async effectSince(sentOn) {
      const folder = await folderSince(vault, recovery.newHsm, sentOn);
      return folder === undefined ? { kind: 'none' } : { kind: 'done', evidence: folder };
    },
  });
  if (followed.kind === 'failed') {
    await forgetJob(world, recovery, 'safety');
    return stepRefused(`The safety backup failed: ${followed.reason}`);
  }
  if (followed.kind !== 'succeeded') return followed;
  const completedOn = world.clock.now().toISOString();
  await changeRecovery(world, recovery.id, (current) => ({
    ...current,
    safety: { sentOn: completedOn, ...current.safety, completedOn: current.safety?.completedOn ?? completedOn },
  }));
  return { kind: 'done', evidence: followed.evidence };
}

/** Restores the chosen backup, once. What the service says about the age of the safety backup is waited out. */
export async function restoreBackup(world: World, recovery: StoredRecovery): Promise<StepResult> {
  const { newHsm, answers, safety, hsm } = recovery;
  await knownHsm(world, newHsm);
  const { jobs } = recoveryWorld(world);
  const { landingContainerUrl } = backupWorld(world);
  const backup = recovery.backup ?? (await newestGoodBackup(world, hsm))?.id;
  if (backup === undefined) return stepRefused(`No verified backup of ${hsm} is known.`);
  // Chosen once: a newer one that turns up meanwhile is not what was approved.
  if (recovery.backup === undefined) await changeRecovery(world, recovery.id, (current) => ({ ...current, backup }));

  if (recovery.restore === undefined) {
    const inForce = await policyInForce(world);
    const { thirtyMinuteRule: rule } = effectiveHsmRule(inForce.policy, hsm, inForce.version).rule.recovery;
    const completed = safety?.completedOn === undefined ? {} : { completedOn: safety.completedOn };
    const decision = decideSafety({ rule, ...completed, answers, now: world.clock.now() });
    switch (decision.kind) {
      case 'wait':
        return { kind: 'later', until: decision.until, why: decision.explanation };
      case 'refused':
        return stepRefused(`${decision.explanation} ${decision.nextStep}`);
      case 'take':
        await forgetJob(world, recovery, 'safety');
        await reportStep(world, recovery, {
          // Not a failure to be left alone for a while: it is taken again at once.
          ...{ step: 'safetyBackup', result: 'failed', by: 'automation:restore', evidence: decision.explanation },
          at: world.clock.now().toISOString(),
        });
        return later(world, 0, decision.explanation);
      case 'try':
        break;
    }
  }
  if (recovery.restore?.jobId === undefined) {
    const unapproved = await demandReported(world, recovery, 'restore', backup);
    if (unapproved) return unapproved;
  }
  const followed = await followJob(world, recovery, {
    slot: 'restore',
    family: 'restore',
    start: () => jobs.startRestore(newHsm, `${landingContainerUrl}/${backup}`),
    async effectSince() {
      return (await holdsKeys(world, newHsm))
        ? { kind: 'done', evidence: 'the reply was lost, and the HSM shows that it took effect' }
        : { kind: 'none' };
    },
  });
  if (followed.kind === 'failed') {
    const { ran, reason, cause } = followed;
    // A drill restores once: that the job failed is what it has found, and what it reads again after a crash.
    if (recovery.rehearsal && ran && cause === 'refused')
      return stepRefused(`The restore failed: ${reason}`, 'JobFailed');
    await forgetJob(world, recovery, 'restore');
    return answered(world, recovery, followed);
  }
  if (followed.kind !== 'succeeded') return followed;
  return { kind: 'done', evidence: `${backup}; ${followed.evidence}` };
}

/** A new HSM holds nothing, and nobody but its administrators has a role, until the restore brings both. */
async function holdsKeys(world: World, hsm: string): Promise<boolean> {
  try {
    for await (const page of world.keys.observe.pages(hsm)) if (page.length > 0) return true;
    return false;
  } catch (error) {
    if (hasCode(error, 'ERR_DENIED')) return false;
    throw error;
  }
}

/** Compares every key, version and assignment of the new HSM with the manifest of the backup. */
export async function verifyRestore(world: World, recovery: StoredRecovery): Promise<StepResult> {
  await knownHsm(world, recovery.newHsm);
  const compared = await compare(world, recovery);
  if (compared.kind === 'unread') return stepRefused(compared.explanation);
  const { keys, critical, text } = compared;
  return critical === 0
    ? { kind: 'done', evidence: `${keys} keys are as the manifest says; ${text}` }
    : stepRefused(`${critical} critical differences from the manifest: ${text}`);
}

async function compare(world: World, { hsm, newHsm, backup }: StoredRecovery) {
  const record = backup === undefined ? undefined : await readRecord(world.documents, hsm, backup);
  const found = record && (await manifestOf(world, record));
  if (found?.kind !== 'manifest') {
    return { kind: 'unread' as const, explanation: found?.explanation ?? `The catalogue has no backup ${backup}.` };
  }
  const { critical, differences } = compareWithManifest(
    found.manifest,
    await withSealedMaterial(world, newHsm, found.manifest, await readHsmInventory(world, newHsm)),
  );
  const text = `${differences.length} differences${
    differences.length === 0
      ? ''
      : `: ${differences
          .slice(0, 3)
          .map(({ kind, subject }) => `${kind} of ${subject}`)
          .join(', ')}`
  }`;
  return { kind: 'compared' as const, keys: found.manifest.keys.length, critical, text };
}

/** A refusal over the age of the safety backup is kept and judged again; any other ends the attempt. */
async function answered(
  world: World,
  recovery: StoredRecovery,
  { cause, reason }: { cause: string; reason: string },
): Promise<StepResult> {
  const completedOn = recovery.safety?.completedOn;
  if ((cause !== 'tooSoon' && cause !== 'tooLate') || completedOn === undefined) {
    return stepRefused(`The service refused the restore: ${reason}`);
  }
  const answer = { answer: cause, completedOn, at: world.clock.now().toISOString() } as const;
  await changeRecovery(world, recovery.id, (current) => ({ ...current, answers: [...current.answers, answer] }));
  return later(world, 0, reason);
}
