import type * as z from 'zod';
import { readManifest } from '../../shared/backup/manifest.ts';
import { hasCode } from '../../shared/errors.ts';
import { listConsumers } from '../../shared/recovery/consumers.ts';
import { type Runbook, uriBeside } from '../../shared/recovery/runbook.ts';
import { manifestPath } from '../activities/backup-copies.ts';
import { readRecord } from '../activities/catalogue.ts';
import { knownHsm } from '../activities/joined-hsms.ts';
import { journalRecoveryRequest } from '../activities/recovery-approvals.ts';
import { fingerprintOf } from '../activities/recovery-hsm.ts';
import {
  createRecovery,
  newResourceId,
  readRecovery,
  recoveryId,
  recoveryOf,
  runbookOf,
  type StoredRecovery,
} from '../activities/recovery-records.ts';
import { recoveryWorld } from '../activities/recovery-steps.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './authorise.ts';
import { ProblemError } from './problem.ts';
import type { recoveryRequest } from './routes.ts';

/** Asks for a recovery. Nothing happens before another person confirms that the HSM is lost. */
export async function requestRecovery(
  world: World,
  starter: Starter,
  caller: Caller,
  { dryRun, ...asked }: Asked & { dryRun: boolean },
): Promise<Answer> {
  const { resources } = recoveryWorld(world);
  const { hsm, newHsm, region, tenantId, administrators, reason } = asked;
  if (world.hsms.some(({ name }) => name === newHsm)) {
    throw refusal(409, 'body newHsm', 'must be a new name: an HSM of this name is looked after already');
  }
  const earlier = await readRecovery(world, recoveryId(hsm, newHsm));
  if (earlier && !dryRun) return goOn(starter, asked, earlier);
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
  if (!earlier && (await resources.read(newResourceId(world, recovery)))) {
    throw refusal(409, 'body newHsm', 'must be a new name: Azure has an HSM of this name already');
  }
  if (dryRun) return { status: 200, body: { dryRun: true, ...view(recovery, await runbookOf(world, recovery)) } };
  await journalRecoveryRequest(world, recovery);
  if ((await createRecovery(world, recovery)) === 'exists')
    return goOn(starter, asked, await recoveryOf(world, recovery.id));
  return start(starter, recovery.id);
}

async function start(starter: Starter, id: string): Promise<Answer> {
  const started = await starter.startOnce('recoverHsm', id, { recovery: id }, ['recovered']);
  return {
    status: 202,
    headers: { location: `/api/recoveries/${id}`, 'retry-after': '5' },
    body: { id, status: 'accepted', joined: started !== 'started' },
  };
}

type Asked = z.infer<typeof recoveryRequest>;

/** Asked for before: whoever asks for the same again sees it started, and nobody changes it so. */
async function goOn(starter: Starter, asked: Asked, stored: StoredRecovery): Promise<Answer> {
  const differs = (['region', 'tenantId', 'administrators', 'identities'] as const).find(
    (field) => asked[field] !== undefined && JSON.stringify(asked[field]) !== JSON.stringify(stored[field]),
  );
  if (differs) {
    throw refusal(409, `body ${differs}`, `must be as ${stored.by} asked for it on ${stored.at}`);
  }
  return start(starter, stored.id);
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
  const recovery = await foundRecovery(world, id);
  const runbook = await runbookOf(world, recovery);
  return { status: 200, body: { ...view(recovery, runbook), consumers: await consumersOf(world, recovery, runbook) } };
}

export async function foundRecovery(world: World, id: string): Promise<StoredRecovery> {
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
  const to = names.newHsmUri ?? uriBeside(names.hsmUri, recovery.newHsm);
  return listConsumers(read.manifest.keys, { from: names.hsmUri, to }, recovery.consumers);
}

export const refusal = (status: 400 | 404 | 409, field: string, rule: string) =>
  new ProblemError({
    status,
    code: status === 404 ? 'OperationNotFound' : 'InvalidRequest',
    title: 'The recovery does not go on like this',
    detail: `${field} ${rule}`,
    nextStep: 'Look at the runbook: GET the recovery, and send what it waits for.',
    errors: [{ field, rule }],
  });
