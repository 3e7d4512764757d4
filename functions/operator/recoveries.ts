import type { DurableClient } from 'durable-functions';
import type * as z from 'zod';
import { readManifest } from '../../shared/backup/manifest.ts';
import { hasCode } from '../../shared/errors.ts';
import { listConsumers } from '../../shared/recovery/consumers.ts';
import { judgeReport, type Runbook, type StepReport } from '../../shared/recovery/runbook.ts';
import { manifestPath } from '../activities/backup-copies.ts';
import { readRecord } from '../activities/catalogue.ts';
import { knownHsm } from '../activities/joined-hsms.ts';
import { announceStep, fingerprintOf, recoveryWorld } from '../activities/recovery-hsm.ts';
import {
  changeRecovery,
  createRecovery,
  newResourceId,
  readRecovery,
  recoveryId,
  reportStep,
  runbookOf,
  type StoredRecovery,
} from '../activities/recovery-records.ts';
import { hex, utf8 } from '../activities/text.ts';
import { RECOVERY_REPORTED } from '../instance-ids.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './authorise.ts';
import { ProblemError } from './problem.ts';
import type { recoveryRequest, recoveryStepReport } from './routes.ts';

/** Asks for a recovery. Nothing happens before another person confirms that the HSM is lost. */
export async function requestRecovery(
  world: World,
  starter: Starter,
  caller: Caller,
  { dryRun, ...asked }: z.infer<typeof recoveryRequest> & { dryRun: boolean },
): Promise<Answer> {
  const { resources } = recoveryWorld(world);
  const { hsm, newHsm, region, tenantId, administrators, reason } = asked;
  if (world.hsms.some(({ name }) => name === newHsm)) {
    throw refusal(409, 'body newHsm', 'must be a new name: an HSM of this name is looked after already');
  }
  const identities = asked.identities ?? (await attachedTo(world, hsm));
  const recovery: StoredRecovery = {
    schema: 1,
    id: recoveryId(hsm, newHsm),
    ...{ hsm, newHsm, region, tenantId, administrators, identities, reason },
    by: caller.oid,
    at: world.clock.now().toISOString(),
    reports: [],
    consumers: [],
    answers: [],
  };
  if ((await resources.read(newResourceId(world, recovery))) && !(await readRecovery(world, recovery.id))) {
    throw refusal(409, 'body newHsm', 'must be a new name: Azure has an HSM of this name already');
  }
  if (dryRun) return { status: 200, body: { dryRun: true, ...view(recovery, await runbookOf(world, recovery)) } };
  await world.journal.append({
    id: `${recovery.id}:requested`,
    kind: 'note',
    class: 'recovery.request',
    at: recovery.at,
    hsm,
    target: `recoveries/${recovery.id}`,
    identity: world.identities.restore ?? world.identities.observe,
    cause: caller.oid,
    instance: recovery.id,
    detail: { newHsm, region, reason },
  });
  await createRecovery(world, recovery);
  const started = await starter.startOnce('recoverHsm', recovery.id, { recovery: recovery.id }, ['recovered']);
  return {
    status: 202,
    headers: { location: `/api/recoveries/${recovery.id}`, 'retry-after': '5' },
    body: { id: recovery.id, status: 'accepted', joined: started !== 'started' },
  };
}

/** The identities of the lost HSM, when Azure still shows it. */
async function attachedTo(world: World, hsm: string): Promise<string[]> {
  const { resourceId } = await knownHsm(world, hsm);
  const found = await recoveryWorld(world).resources.read(resourceId);
  if (found && found.identities.length > 0) return found.identities;
  throw refusal(
    400,
    'body identities',
    'must name the identities that reach the backups: Azure shows none of the lost HSM',
  );
}

/** The runbook with real names and state, what was found, and who has to be pointed at the new HSM. */
export async function showRecovery(world: World, id: string): Promise<Answer> {
  const recovery = await found(world, id);
  const runbook = await runbookOf(world, recovery);
  return { status: 200, body: { ...view(recovery, runbook), consumers: await consumersOf(world, recovery, runbook) } };
}

/**
 * A person says how a step ended. The loss and the restore are for another person than who asked, with the role Approver; the
 * transfer blob goes through to the HSM and is kept nowhere.
 */
export async function reportRecoveryStep(
  world: World,
  client: DurableClient,
  caller: Caller,
  { id, step, ...told }: z.infer<typeof recoveryStepReport> & { id: string; step: string },
): Promise<Answer> {
  const recovery = await found(world, id);
  const runbook = await runbookOf(world, recovery);
  const known = runbook.steps.find(({ name }) => name === step);
  if (recovery.closing) throw refusal(409, 'path id', `is a rehearsal that is over: ${recovery.closing.explanation}`);
  if (!known) throw refusal(404, 'path step', `must be one of ${runbook.steps.map(({ name }) => name).join(', ')}`);
  const now = world.clock.now().toISOString();

  if (told.consumer !== undefined) {
    if (step !== 'repoint') throw refusal(400, 'body consumer', 'belongs to the step repoint');
    const { consumer, key, note } = told.consumer;
    const done = { consumer, key, by: caller.oid, at: now, ...(note === undefined ? {} : { note }) };
    await changeRecovery(world, id, (current) => ({ ...current, consumers: [...current.consumers, done] }));
    return showRecovery(world, id);
  }
  const again = known.actor === 'automation' && known.state === 'failed' && told.result === 'retry';
  if (again) {
    // A failure that a person reports again is tried at once.
    await reportStep(world, recovery, {
      ...{ step: known.name, result: 'failed', by: caller.oid, at: now },
      evidence: told.evidence ?? 'to be tried again',
    });
    await wake(client, id);
    return showRecovery(world, id);
  }
  if (known.actor === 'automation')
    throw refusal(409, 'path step', 'is done by the app; it can be retried when it failed');
  if (told.result === 'retry') throw refusal(400, 'body result', 'must be done, failed or skipped: people report');
  if (APPROVED.has(step)) demandApprover(recovery, caller);

  const evidence = told.evidence ?? (told.blob === undefined ? undefined : 'handed over to the HSM');
  const report: StepReport = {
    ...{ step: known.name, result: told.result, by: caller.oid, at: now },
    ...(evidence === undefined ? {} : { evidence }),
  };
  const verdict = judgeReport(runbook, report);
  if (verdict.kind === 'refused') throw refusal(409, 'path step', `cannot be reported now: ${verdict.explanation}`);
  if (step === 'upload' && told.result === 'done') {
    if (told.blob === undefined) throw refusal(400, 'body blob', 'must hold the transfer blob');
    const sha256 = hex(world.crypto.digest('SHA-256', utf8(told.blob)));
    const evidence = await upload(world, recovery, told.blob, sha256);
    await reportStep(world, recovery, { ...report, evidence });
  } else {
    if (told.blob !== undefined) throw refusal(400, 'body blob', 'belongs to the step upload');
    await reportStep(world, recovery, report);
  }
  await wake(client, id);
  return showRecovery(world, id);
}

/** The blob passes through memory only. A lost reply counts as sent: the step after it reads what became of it. */
async function upload(world: World, recovery: StoredRecovery, blob: string, sha256: string): Promise<string> {
  await knownHsm(world, recovery.newHsm);
  const outcome = await announceStep(world, recovery, 'securityDomain.upload', `upload-${sha256.slice(0, 16)}`);
  try {
    await recoveryWorld(world).securityDomain.upload(recovery.newHsm, blob);
    await outcome('done', { sha256 });
    return `SHA-256 ${sha256}`;
  } catch (error) {
    const lost = hasCode(error, 'ERR_UNKNOWN_OUTCOME');
    await outcome(lost ? 'unknown' : 'failed', { sha256 });
    if (lost) return `SHA-256 ${sha256}; the reply was lost`;
    throw error;
  }
}

/** The recovery looks every hour by itself, so an event that is lost delays and loses nothing. */
async function wake(client: DurableClient, id: string): Promise<void> {
  await client.raiseEvent(id, RECOVERY_REPORTED, {});
}

/** Steps for another person than who asked, with the role Approver. */
const APPROVED: ReadonlySet<string> = new Set(['confirmLoss', 'approveRestore', 'approveCost']);

function demandApprover({ by }: StoredRecovery, { oid, roles }: Caller): void {
  if (!roles.includes('Approver')) throw forbidden('This step needs the app role Approver.');
  if (oid === by) throw forbidden('Who asked for the recovery cannot approve it.');
}

async function found(world: World, id: string): Promise<StoredRecovery> {
  const recovery = await readRecovery(world, id);
  if (!recovery) throw refusal(404, 'path id', 'must be the id of a recovery');
  await knownHsm(world, recovery.newHsm).catch((error: unknown) => {
    // Not created yet.
    if (!hasCode(error, 'ERR_INPUT')) throw error;
  });
  return recovery;
}

const view = (recovery: StoredRecovery, runbook: Runbook) => ({
  id: recovery.id,
  ...{ hsm: recovery.hsm, newHsm: recovery.newHsm, region: recovery.region, reason: recovery.reason },
  requestedBy: recovery.by,
  requestedOn: recovery.at,
  ...(recovery.rehearsal ? { rehearsal: recovery.rehearsal, closing: recovery.closing ?? null } : {}),
  complete: runbook.complete,
  progress: `${runbook.done} of ${runbook.total}`,
  waitingFor: runbook.waiting,
  prerequisites: recovery.prerequisites ?? null,
  exchangeKey: recovery.exchangeKey
    ? { ...recovery.exchangeKey, fingerprint: fingerprintOf(recovery.exchangeKey.key) }
    : null,
  runbook,
});

/** From the tags in the sealed manifest, because the lost HSM cannot be asked. */
async function consumersOf(world: World, recovery: StoredRecovery, { names }: Runbook) {
  // Nobody is pointed at an HSM that a drill removes again.
  if (recovery.rehearsal) return null;
  const record = names.backup === undefined ? undefined : await readRecord(world.documents, recovery.hsm, names.backup);
  const stored = record && (await world.backups?.vault.readJson(manifestPath(record.id)));
  if (!record?.manifest || !stored) return null;
  const read = readManifest(JSON.stringify(stored.value), record.manifest.sha256, () => stored.sha256);
  if (read.kind !== 'manifest') return null;
  const to = names.newHsmUri ?? `https://${recovery.newHsm}.managedhsm.azure.net`;
  return listConsumers(read.manifest.keys, { from: names.hsmUri, to }, recovery.consumers);
}

const refusal = (status: 400 | 404 | 409, field: string, rule: string) =>
  new ProblemError({
    status,
    code: status === 404 ? 'OperationNotFound' : 'InvalidRequest',
    title: 'The recovery does not go on like this',
    detail: `${field} ${rule}`,
    nextStep: 'Look at the runbook: GET the recovery, and send what it waits for.',
    errors: [{ field, rule }],
  });

const forbidden = (detail: string) =>
  new ProblemError({
    status: 403,
    code: 'Forbidden',
    title: 'Not allowed',
    detail,
    nextStep: 'Ask a person with the app role Approver who did not ask for the recovery.',
  });
