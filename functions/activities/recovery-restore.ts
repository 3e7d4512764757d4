import type { BackupManifest, HsmInventory } from '../../shared/backup/manifest.ts';
import { hasCode } from '../../shared/errors.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import type { JobFamily, JobStart } from '../../shared/ports/hsm-backups.ts';
import { compareWithManifest } from '../../shared/restore/compare-with-manifest.ts';
import { decideSafety } from '../../shared/restore/safety-backup.ts';
import type { World } from '../world.ts';
import { backupWorld } from './backup-world.ts';
import { readRecord } from './catalogue.ts';
import { readHsmInventory } from './hsm-inventory.ts';
import { knownHsm } from './joined-hsms.ts';
import { policyInForce } from './policy-in-force.ts';
import { announceStep, later, recoveryWorld, type StepResult, stepRefused } from './recovery-hsm.ts';
import { changeRecovery, newestGoodBackup, reportStep, type SentJob, type StoredRecovery } from './recovery-records.ts';
import { manifestOf } from './restore-requests.ts';

const SHORTEST_PAUSE_MS = 10_000;
const BUSY_PAUSE_MS = 60_000;

/**
 * Backs the new HSM up, because the service wants a full backup of the target before its first restore. The administrator acts:
 * nobody else has a role on the new HSM yet. It holds nothing, so this backup is no part of the chain of backups.
 */
export async function takeSafetyBackup(world: World, recovery: StoredRecovery): Promise<StepResult> {
  await knownHsm(world, recovery.newHsm);
  const { jobs } = recoveryWorld(world);
  const { landingContainerUrl } = backupWorld(world);
  const followed = await follow(world, recovery, 'safety', 'backup', () =>
    jobs.startBackup(recovery.newHsm, landingContainerUrl),
  );
  if (followed.kind === 'lost') {
    await forget(world, recovery, 'safety');
    return later(world, SHORTEST_PAUSE_MS, 'the reply to the safety backup was lost: it is taken again');
  }
  if (followed.kind === 'failed') return stepRefused(`The safety backup failed: ${followed.reason}`);
  if (followed.kind !== 'succeeded') return followed;
  const completedOn = world.clock.now().toISOString();
  await changeRecovery(world, recovery.id, (current) => ({
    ...current,
    safety: { sentOn: completedOn, ...current.safety, completedOn: current.safety?.completedOn ?? completedOn },
  }));
  return { kind: 'done', evidence: followed.folder };
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
        await forget(world, recovery, 'safety');
        await reportStep(world, recovery, {
          ...{ step: 'safetyBackup', result: 'failed', by: 'automation', evidence: decision.explanation },
          at: world.clock.now().toISOString(),
        });
        return later(world, 0, decision.explanation);
      case 'try':
        break;
    }
  }
  const followed = await follow(world, recovery, 'restore', 'restore', () =>
    jobs.startRestore(newHsm, `${landingContainerUrl}/${backup}`),
  );
  switch (followed.kind) {
    case 'lost': {
      const compared = await compare(world, { ...recovery, backup });
      if (compared.kind === 'compared' && compared.critical === 0) {
        return { kind: 'done', evidence: `${backup}; the reply was lost, and the HSM shows that it took effect` };
      }
      await forget(world, recovery, 'restore');
      return later(world, SHORTEST_PAUSE_MS, 'the reply was lost, and the HSM shows that nothing happened');
    }
    case 'failed':
      await forget(world, recovery, 'restore');
      return answered(world, recovery, followed);
    case 'succeeded':
      return { kind: 'done', evidence: `${backup}, job ${followed.jobId}` };
    default:
      return followed;
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
    await readFingerprints(world, newHsm, found.manifest, await readHsmInventory(world, newHsm)),
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

/**
 * An inventory knows the material of newest versions only, and the HSM may have rotated a key since the restore: the versions
 * whose material the manifest knows are read by themselves.
 */
async function readFingerprints(
  world: World,
  hsm: string,
  manifest: BackupManifest,
  inventory: HsmInventory,
): Promise<HsmInventory> {
  const sealed = new Set(
    manifest.keys.flatMap(({ name, versions }) =>
      versions.flatMap(({ version, publicFingerprint }) => (publicFingerprint ? [`${name}/${version}`] : [])),
    ),
  );
  const keys: HsmInventory['keys'] = [];
  for (const key of inventory.keys) {
    const versions: typeof key.versions = [];
    for (const each of key.versions) {
      if (each.publicFingerprint !== undefined || !sealed.has(`${key.name}/${each.version}`)) {
        versions.push(each);
        continue;
      }
      const { publicFingerprint } = await world.keys.observe.read({ hsm, name: key.name }, each.version);
      versions.push({ ...each, ...(publicFingerprint === undefined ? {} : { publicFingerprint }) });
    }
    keys.push({ ...key, versions });
  }
  return { ...inventory, keys };
}

type Followed =
  | { kind: 'succeeded'; jobId: string; folder: string }
  /** `ran`: the job began, and did not succeed. */
  | { kind: 'failed'; cause: string; reason: string; ran?: boolean }
  /** It was sent and its reply never came; the time in which it could still take effect is over. */
  | { kind: 'lost' }
  | StepResult;

/** Starts a job once, or asks how far it has come. That it is sent is written down before. */
async function follow(
  world: World,
  recovery: StoredRecovery,
  slot: 'safety' | 'restore',
  family: JobFamily,
  start: () => Promise<JobStart>,
): Promise<Followed> {
  const now = world.clock.now();
  const sent: SentJob | undefined = recovery[slot];
  if (sent?.jobId !== undefined) return read(world, recovery, family, sent.jobId);
  if (sent) {
    const settled = Date.parse(sent.sentOn) + world.settleMs(recovery.newHsm);
    if (settled > now.getTime()) return later(world, settled - now.getTime(), 'the reply to the start was lost');
    return { kind: 'lost' };
  }
  const noted: SentJob = { sentOn: now.toISOString() };
  await changeRecovery(world, recovery.id, (current) => ({ ...current, [slot]: noted }));
  const outcome = await announceStep(world, recovery, `hsm.${family}`, `${slot}-${noted.sentOn}`);
  const started = await start();
  switch (started.kind) {
    case 'started': {
      const { jobId } = started;
      await changeRecovery(world, recovery.id, (current) => ({ ...current, [slot]: { ...noted, jobId } }));
      await outcome('done', { jobId });
      return later(world, Math.max(started.retryAfterMs ?? 0, SHORTEST_PAUSE_MS), `job ${jobId} runs`);
    }
    case 'unknown':
      await outcome('unknown', { reason: started.reason });
      return later(world, world.settleMs(recovery.newHsm), 'the reply to the start was lost');
    case 'busy':
      await outcome('refused', { reason: started.reason });
      await forget(world, recovery, slot);
      return later(world, BUSY_PAUSE_MS, started.reason);
    default:
      await outcome('refused', { reason: started.reason });
      return { kind: 'failed', cause: started.kind, reason: started.reason };
  }
}

async function read(world: World, recovery: StoredRecovery, family: JobFamily, jobId: string): Promise<Followed> {
  try {
    const reading = await recoveryWorld(world).jobs.readJob(recovery.newHsm, family, jobId);
    switch (reading.kind) {
      case 'running':
        return later(world, Math.max(reading.retryAfterMs ?? 0, SHORTEST_PAUSE_MS), `job ${jobId} runs`);
      case 'succeeded':
        return { kind: 'succeeded', jobId, folder: reading.job.folderUri ?? `job ${jobId}` };
      case 'failed':
        return { kind: 'failed', cause: reading.cause, reason: reading.reason, ran: true };
      case 'notFound':
        return { kind: 'failed', cause: 'refused', reason: `the service does not know the job ${jobId}` };
    }
  } catch (error) {
    // While it restores, an HSM answers nothing else.
    if (hasCode(error, 'ERR_HSM_BUSY')) return later(world, BUSY_PAUSE_MS, `${recovery.newHsm} restores`);
    throw error;
  }
}

/** A refusal over the age of the safety backup is kept and judged again; any other ends the attempt. */
async function answered(
  world: World,
  recovery: StoredRecovery,
  { cause, reason, ran }: { cause: string; reason: string; ran?: boolean },
): Promise<StepResult> {
  const completedOn = recovery.safety?.completedOn;
  if ((cause !== 'tooSoon' && cause !== 'tooLate') || completedOn === undefined) {
    return stepRefused(`The service refused the restore: ${reason}`, ran ? 'JobFailed' : undefined);
  }
  const answer = { answer: cause, completedOn, at: world.clock.now().toISOString() } as const;
  await changeRecovery(world, recovery.id, (current) => ({ ...current, answers: [...current.answers, answer] }));
  return later(world, 0, reason);
}

/** Lets a job be sent anew. */
const forget = (world: World, recovery: StoredRecovery, slot: 'safety' | 'restore') =>
  changeRecovery(world, recovery.id, ({ [slot]: _, ...rest }) => rest as StoredRecovery);
