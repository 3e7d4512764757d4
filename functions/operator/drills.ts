import type { DurableClient } from 'durable-functions';
import type { DrillReport } from '../../shared/drill/report.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import type { DrillTarget } from '../../shared/policy/hsm-rule.ts';
import { backupWorld } from '../activities/backup-world.ts';
import { startDrill } from '../activities/drill-claims.ts';
import { drillReportPath, readDrills } from '../activities/drill-records.ts';
import { costOf, decideDrillNow, drillInput } from '../activities/drills.ts';
import { policyInForce } from '../activities/policy-in-force.ts';
import { readRecovery, runbookOf } from '../activities/recovery-records.ts';
import { closeRehearsal } from '../activities/rehearsals.ts';
import type { RestoreDrillInput } from '../contracts/drill-inputs.ts';
import { RECOVERY_REPORTED, rehearsalId } from '../instance-ids.ts';
import { type Starter, wakeInstance } from '../start-once.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './authorise.ts';
import { keyUsedBefore } from './backups.ts';
import { notListed, ProblemError, refusedBecause } from './problem.ts';
import { requestDigest } from './request-digest.ts';

export async function listDrills(world: World): Promise<Answer> {
  const drills = await readDrills(world.documents);
  return { status: 200, body: { drills: drills.map(stateOf) } };
}

export async function showDrill(world: World, id: string): Promise<Answer> {
  const found = (await readDrills(world.documents)).find(({ drill }) => drill.id === id);
  if (!found) throw notListed('drill', id);
  const path = drillReportPath(found.drill.hsm, id);
  const report = await world.documents.read<DrillReport>('evidence', `${path}.json`);
  const rehearsal = await rehearsalOf(world, id);
  return { status: 200, body: { ...stateOf(found), ...rehearsal, report: report?.value ?? null } };
}

/** Whom a drill on a temporary HSM waits for, and where they report. */
async function rehearsalOf(world: World, id: string) {
  const recovery = await readRecovery(world, rehearsalId(id));
  if (!recovery) return {};
  const runbook = await runbookOf(world, recovery);
  const waiting = recovery.closing ? [] : runbook.steps.filter(({ name }) => runbook.waiting.includes(name));
  return {
    rehearsal: {
      id: recovery.id,
      progress: `${runbook.done} of ${runbook.total}`,
      waitsUntil: recovery.rehearsal?.until ?? null,
      waitingFor: waiting.map(({ name, title, who }) => ({ step: name, title, who })),
      closing: recovery.closing ?? null,
    },
  };
}

/**
 * Calls off a drill on a temporary HSM. It ends undecided at its next turn, and removes what it made; a restore that runs on
 * that HSM meanwhile is of no use to anybody.
 */
export async function cancelDrill(
  world: World,
  client: DurableClient,
  caller: Caller,
  id: string,
  reason: string,
): Promise<Answer> {
  const found = (await readDrills(world.documents)).find(({ drill }) => drill.id === id);
  if (!found) throw notListed('drill', id);
  if (found.end) throw drillRefused(`The drill has ended: ${found.end.kind}.`, 'Read its report.');
  const recovery = await readRecovery(world, rehearsalId(id));
  if (!recovery)
    throw drillRefused(`${found.drill.target.hsm} is restored to already.`, 'Let the drill end by itself.');
  const explanation = `${caller.oid} called it off: ${reason}`;
  await closeRehearsal(world, recovery, { by: caller.oid, reason: 'Cancelled', explanation, result: 'skipped' });
  await wakeInstance(client, recovery.id, RECOVERY_REPORTED);
  return accepted(id, true);
}

const stateOf = ({ drill: { schema: _, ...drill }, end }: Awaited<ReturnType<typeof readDrills>>[number]) => ({
  ...drill,
  status: end?.kind ?? 'underWay',
  outcome: end ?? null,
});

export interface DrillRequest {
  hsm: string;
  backup?: string;
  reason: string;
  dryRun: boolean;
  idempotencyKey?: string;
}

/** What an Idempotency-Key stands for; a repeat starts what the first request did not come to start. */
interface DrillReceipt {
  schema: 1;
  /** As it was asked for. */
  asked: { hsm: string; backup: string | null; reason: string };
  instance: string;
  input: RestoreDrillInput;
  started: boolean;
}

/** Asks for a drill now. A request with the same Idempotency-Key is the same request, however often it is sent. */
export async function requestDrill(
  world: World,
  starter: Starter,
  caller: Caller,
  { hsm, backup, reason, dryRun, idempotencyKey }: DrillRequest,
): Promise<Answer> {
  backupWorld(world);
  const id = requestDigest(world, caller, dryRun ? undefined : idempotencyKey);
  const path = `drill-requests/${id}.json`;
  const asked = { hsm, backup: backup ?? null, reason };
  const earlier = (await world.documents.read<DrillReceipt>('state', path))?.value;
  if (earlier) return start(world, starter, path, sameRequest(earlier, asked));

  const request = { id, by: caller.oid, note: reason, ...(backup === undefined ? {} : { backup }) };
  const decision = await decideDrillNow(world, starter, hsm, request);
  if (dryRun) {
    const cost = decision.kind === 'run' ? { cost: await costOfDrill(world, hsm, decision.target) } : {};
    return { status: 200, body: { dryRun: true, hsm, decision, ...cost } };
  }
  switch (decision.kind) {
    case 'join':
      return accepted(decision.holder, true);
    case 'keep':
      throw refusedBecause({ ...decision, nextStep: 'Ask again once it is due.' }, DRILL_REFUSED);
    case 'refused':
      throw refusedBecause(decision, DRILL_REFUSED);
    case 'run': {
      const input = drillInput(hsm, decision, caller.oid, reason);
      const receipt: DrillReceipt = { schema: 1, asked, instance: decision.instance, input, started: false };
      if ((await world.documents.create('state', path, receipt)) === 'exists') {
        const first = (await world.documents.read<DrillReceipt>('state', path))?.value;
        if (first) return start(world, starter, path, sameRequest(first, asked));
      }
      return start(world, starter, path, receipt);
    }
  }
}

async function costOfDrill(world: World, hsm: string, target: DrillTarget) {
  const inForce = await policyInForce(world);
  return costOf(effectiveHsmRule(inForce.policy, hsm, inForce.version).rule.drills, target);
}

async function start(world: World, starter: Starter, path: string, receipt: DrillReceipt): Promise<Answer> {
  const { instance, input } = receipt;
  if (receipt.started) return accepted(instance, false);
  const outcome = await startDrill(world, starter, instance, input);
  // Another one was asked for in the same instant, or began meanwhile: this request joins it.
  if (outcome.kind === 'held') return accepted(outcome.heldBy, true);
  await world.documents.put('state', path, { ...receipt, started: true } satisfies DrillReceipt);
  return accepted(instance, outcome.kind === 'running');
}

function sameRequest(receipt: DrillReceipt, asked: DrillReceipt['asked']): DrillReceipt {
  const essence = ({ hsm, backup, reason }: DrillReceipt['asked']) => JSON.stringify([hsm, backup, reason]);
  if (essence(receipt.asked) === essence(asked)) return receipt;
  throw keyUsedBefore(`a drill of ${receipt.asked.hsm}`);
}

const accepted = (id: string, joined: boolean): Answer => ({
  status: 202,
  headers: { location: `/api/operations/${id}`, 'retry-after': '10' },
  body: { id, status: 'accepted', joined },
});

const DRILL_REFUSED = { status: 409, code: 'DrillRefused', title: 'The drill cannot run' } as const;

const drillRefused = (detail: string, nextStep: string) => new ProblemError({ ...DRILL_REFUSED, detail, nextStep });
