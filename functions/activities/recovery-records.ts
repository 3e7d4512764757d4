import { isGood, newestFirst } from '../../shared/backup/catalogue.ts';
import { foldCustody } from '../../shared/custody/ledger.ts';
import { AppError } from '../../shared/errors.ts';
import type { ConsumerDone } from '../../shared/recovery/consumers.ts';
import { RECOVERY_REPORT } from '../../shared/recovery/journaled-reports.ts';
import type { Prerequisite } from '../../shared/recovery/prerequisites.ts';
import { buildRunbook, type RecoveryNames, type Runbook, type StepReport } from '../../shared/recovery/runbook.ts';
import type { SafetyInput } from '../../shared/restore/safety-backup.ts';
import type { World } from '../world.ts';
import { readRecord, readRecords } from './catalogue.ts';
import { readCustodyFacts } from './custody-ledger.ts';
import { APPROVED, approvalDigest } from './recovery-approvals.ts';
import { securityDomainOf } from './security-domain-lineage.ts';

/** A job of the service that is sent at most once: `sentOn` is written before, `jobId` after. */
export interface SentJob {
  sentOn: string;
  /** How often it was sent, because replies were lost and nothing had taken effect; absent: once. */
  times?: number;
  jobId?: string;
}

/** One recovery: what was asked for, what was reported, and what was found. Never a private key, and never a transfer blob. */
export interface StoredRecovery {
  schema: 1;
  id: string;
  /** The HSM that is lost. */
  hsm: string;
  newHsm: string;
  region: string;
  tenantId: string;
  /** Object ids; the identity of the duty restore has to be one of them. */
  administrators: string[];
  /** Resource ids of the identities that the new HSM reads and writes backups with. */
  identities: string[];
  reason: string;
  /** Object id of whoever asked. */
  by: string;
  at: string;
  reports: StepReport[];
  consumers: ConsumerDone[];
  prerequisites?: Prerequisite[];
  /** Public: what the holders wrap the security domain for. */
  exchangeKey?: { format: string; key: string };
  /** The backup that is restored, chosen once. */
  backup?: string;
  safety?: SentJob & { completedOn?: string };
  /** What the service said about the age of the safety backup. */
  answers: SafetyInput['answers'];
  restore?: SentJob;
  /** The transfer blob that was sent last. */
  upload?: { sha256: string; sentOn: string };
  /** Set where nothing is lost: a drill makes the new HSM, and removes it again. */
  rehearsal?: Rehearsal;
  /** When the creation of the new HSM of a rehearsal was sent last; written before. */
  creationSentOn?: string;
  /** Why a rehearsal is over. From then on nothing is made any more. */
  closing?: RehearsalEnd;
}

export interface Rehearsal {
  drill: string;
  softDeleteDays: number;
  /** ISO instant at which it stops to wait for people. */
  until: string;
  /** For whoever approves it. */
  cost: string[];
}

export interface RehearsalEnd {
  at: string;
  /** Object id, or `automation`. */
  by: string;
  reason: string;
  explanation: string;
  /** `failed`: what was found speaks against the restore. `skipped`: the drill proves nothing, either way. */
  result: 'failed' | 'skipped';
}

const path = (id: string): string => `recoveries/${id}/recovery.json`;

export const recoveryId = (hsm: string, newHsm: string): string => `recover-${hsm}-${newHsm}`;

export async function readRecovery(world: World, id: string): Promise<StoredRecovery | undefined> {
  return (await world.documents.read<StoredRecovery>('state', path(id)))?.value;
}

export const createRecovery = (world: World, recovery: StoredRecovery) =>
  world.documents.create('state', path(recovery.id), recovery);

export async function recoveryOf(world: World, id: string): Promise<StoredRecovery> {
  const found = await readRecovery(world, id);
  if (found) return found;
  throw new AppError('ERR_INPUT', `Nobody asked for the recovery ${id}.`, { nextStep: 'Ask for it first.' });
}

/** Changes a recovery, whoever else writes meanwhile. */
export async function changeRecovery(
  world: World,
  id: string,
  change: (recovery: StoredRecovery) => StoredRecovery,
): Promise<StoredRecovery> {
  for (;;) {
    const stored = await world.documents.read<StoredRecovery>('state', path(id));
    if (!stored) throw new Error(`the recovery ${id} is not there`);
    const next = change(stored.value);
    const written = await world.documents.replace('state', path(id), next, stored.etag);
    if (written !== 'changed') return next;
  }
}

/**
 * Enters a report about a step, in the journal first. Its id counts the reports about the step, so that one which a crash made
 * run again stands in the journal once.
 */
export async function reportStep(world: World, recovery: StoredRecovery, report: StepReport): Promise<void> {
  await journalReport(world, recovery, report);
  const { step, result, by, at } = report;
  const isThis = (each: StepReport) => each.step === step && each.by === by && each.at === at && each.result === result;
  await changeRecovery(world, recovery.id, (current) =>
    current.reports.some(isThis) ? current : { ...current, reports: [...current.reports, report] },
  );
}

/**
 * An approval is bound to what was approved, and counts only where the journal has it. `again`: the recovery holds the report
 * already, and its entry is the same one.
 */
export async function journalReport(
  world: World,
  recovery: StoredRecovery,
  report: StepReport,
  again = false,
): Promise<void> {
  const { step, result, by, at, evidence = '' } = report;
  const backup = recovery.backup ?? (await newestGoodBackup(world, recovery.hsm))?.id;
  const bound = APPROVED.has(step) ? { digest: approvalDigest(world, recovery, step, backup) } : {};
  const count = recovery.reports.filter((each) => each.step === step).length + (again ? 0 : 1);
  await world.journal.append({
    id: `${recovery.id}:${step}:${count}:${result}:${by}`,
    kind: 'note',
    class: RECOVERY_REPORT,
    at,
    hsm: recovery.hsm,
    target: `recoveries/${recovery.id}`,
    identity: world.identities.restore ?? world.identities.observe,
    cause: by,
    instance: recovery.id,
    detail: { step, result, evidence, ...bound },
  });
}

/** The newest backup that is good: what a recovery restores when nobody says otherwise. */
export async function newestGoodBackup(world: World, hsm: string) {
  return newestFirst(await readRecords(world.documents, hsm)).find(isGood);
}

/** The runbook, filled with what is known now. */
export async function runbookOf(world: World, recovery: StoredRecovery): Promise<Runbook> {
  return buildRunbook(await namesOf(world, recovery), recovery.reports);
}

async function namesOf(world: World, recovery: StoredRecovery): Promise<RecoveryNames> {
  const { id, hsm, newHsm, region, administrators, backup, rehearsal } = recovery;
  const settings = world.hsms.find(({ name }) => name === hsm);
  const joined = world.hsms.find(({ name }) => name === newHsm);
  const lineage = await securityDomainOf(world, hsm);
  const custody = foldCustody(lineage, await readCustodyFacts(world.documents, lineage));
  const record =
    backup === undefined ? await newestGoodBackup(world, hsm) : await readRecord(world.documents, hsm, backup);
  const resourceGroup = /\/resourceGroups\/([^/]+)\//i.exec(settings?.resourceId ?? '')?.[1];
  const [file] = custody.files;
  return {
    recovery: id,
    hsm,
    hsmUri: settings?.uri ?? `https://${hsm}`,
    newHsm,
    region,
    holders: custody.shares.flatMap(({ holder }) => (holder ? [`${holder.name} (${holder.place})`] : [])),
    administrators,
    ...(joined ? { newHsmUri: joined.uri } : {}),
    ...(resourceGroup === undefined ? {} : { resourceGroup }),
    ...(record ? { backup: record.id, takenOn: record.takenOn } : {}),
    ...(world.backups ? { container: world.backups.landingContainerUrl } : {}),
    ...(custody.quorum === undefined ? {} : { quorum: custody.quorum }),
    ...(file ? { securityDomainFile: `${file.copy} in ${file.place}` } : {}),
    ...(rehearsal ? { rehearsal: { ...rehearsal, newHsm, region, ...(resourceGroup ? { resourceGroup } : {}) } } : {}),
  };
}

/** Resource id of the new HSM: beside the one that is lost. */
export function newResourceId(world: World, { hsm, newHsm }: Pick<StoredRecovery, 'hsm' | 'newHsm'>): string {
  const lost = world.hsms.find(({ name }) => name === hsm);
  if (!lost) throw new Error(`no HSM named ${hsm} in the settings`);
  return lost.resourceId.replace(/[^/]+$/, newHsm);
}
