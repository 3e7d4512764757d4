import type { DurableClient } from 'durable-functions';
import type * as z from 'zod';
import { hasCode } from '../../shared/errors.ts';
import { isRepeat, judgeReport, type StepReport } from '../../shared/recovery/runbook.ts';
import { knownHsm } from '../activities/joined-hsms.ts';
import { APPROVED, demandRequested } from '../activities/recovery-approvals.ts';
import {
  changeRecovery,
  journalReport,
  reportStep,
  runbookOf,
  type StoredRecovery,
} from '../activities/recovery-records.ts';
import { announceStep, recoveryWorld } from '../activities/recovery-steps.ts';
import { hex, utf8 } from '../activities/text.ts';
import { RECOVERY_REPORTED } from '../instance-ids.ts';
import { createStarter, wakeInstance } from '../start-once.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './authorise.ts';
import { ProblemError } from './problem.ts';
import { foundRecovery, refusal, showRecovery } from './recoveries.ts';
import type { recoveryStepReport } from './routes.ts';

type Told = z.infer<typeof recoveryStepReport>;

/**
 * A person says how a step ended. The loss and the restore are for another person than who asked, with the role Approver; the
 * transfer blob goes through to the HSM and is kept nowhere. The same words of the same person again change nothing, because
 * whoever got no answer has to be able to ask again.
 */
export async function reportRecoveryStep(
  world: World,
  client: DurableClient,
  caller: Caller,
  { id, step, ...told }: Told & { id: string; step: string },
): Promise<Answer> {
  const recovery = await foundRecovery(world, id);
  const runbook = await runbookOf(world, recovery);
  const known = runbook.steps.find(({ name }) => name === step);
  if (recovery.closing) throw refusal(409, 'path id', `is a rehearsal that is over: ${recovery.closing.explanation}`);
  if (!known) throw refusal(404, 'path step', `must be one of ${runbook.steps.map(({ name }) => name).join(', ')}`);
  const now = world.clock.now().toISOString();

  if (told.consumer !== undefined) {
    if (step !== 'repoint') throw refusal(400, 'body consumer', 'belongs to the step repoint');
    await consumerMoved(world, id, told.consumer, caller, now);
    return showRecovery(world, id);
  }
  if (APPROVED.has(known.name)) {
    demandApprover(recovery, caller);
    const unasked = await demandRequested(world, recovery);
    if (unasked) throw refusal(409, 'path id', `names what nobody asked for so: ${unasked.explanation}`);
  }

  const blob = told.blob === undefined ? undefined : hex(world.crypto.digest('SHA-256', utf8(told.blob)));
  const evidence = told.evidence ?? (blob === undefined ? undefined : 'handed over to the HSM');
  const report: StepReport = {
    ...{ step: known.name, result: told.result === 'retry' ? 'failed' : told.result, by: caller.oid, at: now },
    ...(evidence === undefined ? {} : { evidence }),
    told: digestOf(world, told, blob),
  };
  if (isRepeat(recovery.reports, known, report)) {
    // What is stored and was not journaled counts once the same person says it again.
    if (APPROVED.has(known.name)) await journalReport(world, recovery, report, true);
  } else {
    if (known.actor === 'automation') {
      // A failure that a person reports again is tried at once.
      if (known.state !== 'failed' || told.result !== 'retry') {
        throw refusal(409, 'path step', 'is done by the app; it can be retried when it failed');
      }
      await reportStep(world, recovery, { ...report, evidence: evidence ?? 'to be tried again' });
    } else {
      if (told.result === 'retry') throw refusal(400, 'body result', 'must be done, failed or skipped: people report');
      const verdict = judgeReport(runbook, report);
      if (verdict.kind === 'refused') throw refusal(409, 'path step', `cannot be reported now: ${verdict.explanation}`);
      if (step === 'upload' && told.result === 'done') {
        if (told.blob === undefined || blob === undefined)
          throw refusal(400, 'body blob', 'must hold the transfer blob');
        await reportStep(world, recovery, { ...report, evidence: await upload(world, recovery, told.blob, blob) });
      } else {
        if (told.blob !== undefined) throw refusal(400, 'body blob', 'belongs to the step upload');
        await reportStep(world, recovery, report);
      }
    }
  }
  await wake(client, recovery);
  return showRecovery(world, id);
}

/** What tells a repeat from another report; of the blob only its hash is taken. */
const digestOf = (world: World, { result, evidence }: Told, blob: string | undefined): string =>
  hex(world.crypto.digest('SHA-256', utf8(JSON.stringify([result, evidence ?? null, blob ?? null]))));

async function consumerMoved(
  world: World,
  id: string,
  { consumer, key, note }: NonNullable<Told['consumer']>,
  { oid }: Caller,
  at: string,
): Promise<void> {
  await changeRecovery(world, id, (current) =>
    current.consumers.some(
      (each) => each.consumer === consumer && each.key === key && each.by === oid && each.note === note,
    )
      ? current
      : {
          ...current,
          consumers: [...current.consumers, { consumer, key, by: oid, at, ...(note === undefined ? {} : { note }) }],
        },
  );
}

/**
 * The blob passes through memory only. That it is sent is written down before: a repeat asks the HSM first, which takes one
 * security domain only. A lost reply counts as sent: the step after it reads what became of it.
 */
async function upload(world: World, recovery: StoredRecovery, blob: string, sha256: string): Promise<string> {
  await knownHsm(world, recovery.newHsm);
  const { securityDomain } = recoveryWorld(world);
  if (recovery.upload?.sha256 === sha256 && (await isTaken(world, recovery.newHsm))) {
    return `SHA-256 ${sha256}; an earlier report of it had reached the HSM`;
  }
  const sentOn = world.clock.now().toISOString();
  await changeRecovery(world, recovery.id, (current) => ({ ...current, upload: { sha256, sentOn } }));
  const outcome = await announceStep(world, recovery, 'securityDomain.upload', `upload-${sha256.slice(0, 16)}`);
  try {
    await securityDomain.upload(recovery.newHsm, blob);
    await outcome('done', { sha256 });
    return `SHA-256 ${sha256}`;
  } catch (error) {
    const lost = hasCode(error, 'ERR_UNKNOWN_OUTCOME');
    await outcome(lost ? 'unknown' : 'failed', { sha256 });
    if (lost) return `SHA-256 ${sha256}; the reply was lost`;
    throw error;
  }
}

async function isTaken(world: World, hsm: string): Promise<boolean> {
  try {
    return (await recoveryWorld(world).securityDomain.readUpload(hsm)).kind !== 'failed';
  } catch (error) {
    if (hasCode(error, 'ERR_NOT_FOUND')) return false;
    throw error;
  }
}

/**
 * The recovery looks every hour by itself, so an event that is lost delays and loses nothing. One whose retries were spent
 * has ended: what a person reports takes it up again. A rehearsal is its drill's to start.
 */
async function wake(client: DurableClient, { id, rehearsal }: StoredRecovery): Promise<void> {
  const started = rehearsal
    ? 'running'
    : await createStarter(client).startOnce('recoverHsm', id, { recovery: id }, ['recovered']);
  if (started === 'running') await wakeInstance(client, id, RECOVERY_REPORTED);
}

function demandApprover({ by }: StoredRecovery, { oid, roles }: Caller): void {
  if (!roles.includes('Approver')) throw forbidden('This step needs the app role Approver.');
  if (oid === by) throw forbidden('Who asked for the recovery cannot approve it.');
}

const forbidden = (detail: string) =>
  new ProblemError({
    status: 403,
    code: 'Forbidden',
    title: 'Not allowed',
    detail,
    nextStep: 'Ask a person with the app role Approver who did not ask for the recovery.',
  });
