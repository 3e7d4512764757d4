import type { RetirementDecision } from '../../shared/adoption/judge-retirement.ts';
import { addDuration } from '../../shared/time.ts';
import { adoptionOf } from '../activities/adoption.ts';
import { inspectKey } from '../activities/inspect-key.ts';
import { decideOnRecord, journalRequest } from '../activities/journaled-decision.ts';
import { judgeStored } from '../activities/retirement.ts';
import {
  decideRetirementOnce,
  readRetirement,
  readRetirementDecision,
  readRetirementOutcome,
  retirementIds,
  retirementMatter,
  retirementPath,
  type StoredRetirement,
} from '../activities/retirement-records.ts';
import { retirementId } from '../instance-ids.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './authorise.ts';
import { keyUsedBefore } from './backups.ts';
import { agreed, isSameDecision, nothingToDecide, ownRequest } from './decisions.ts';
import { notListed, refusedBecause } from './problem.ts';
import { requestDigest } from './request-digest.ts';

export type RetirementOperation = 'requestRetirement' | 'listRetirements' | 'showRetirement' | 'decideRetirement';

export interface RetirementRequest {
  hsm: string;
  name: string;
  version: string;
  reason: string;
  dryRun: boolean;
  idempotencyKey?: string;
}

/** Asks for a retirement. What may not be is refused here, before anybody is asked; it is judged anew before the act. */
export async function requestRetirement(
  world: World,
  starter: Starter,
  caller: Caller,
  { hsm, name, version, reason, dryRun, idempotencyKey }: RetirementRequest,
): Promise<Answer> {
  const key = { hsm, name };
  const id = retirementId(key, version, requestDigest(world, caller, dryRun ? undefined : idempotencyKey));
  const earlier = await readRetirement(world.documents, id);
  if (earlier) return start(world, starter, sameRequest(earlier, reason));
  const { facts, effective } = await inspectKey(world, key);
  const now = world.clock.now();
  const until = addDuration(now, effective.rule.rotation.retirement.approvalLasts).toISOString();
  const at = now.toISOString();
  const asked: StoredRetirement = {
    schema: 1,
    id,
    hsm,
    name,
    version,
    by: caller.oid,
    at,
    reason,
    until,
    started: false,
  };
  const { verdict } = await judgeStored(world, asked);
  if (dryRun) {
    const adoption = await adoptionOf(world, facts, hsm, effective.rule);
    return { status: 200, body: { dryRun: true, key, version, verdict, adoption } };
  }
  if (verdict.kind === 'refused') {
    const title = 'This version cannot be retired now';
    throw refusedBecause(verdict, { status: 409, code: 'RetirementRefused', title });
  }
  await journalRequest(world, retirementMatter(world, asked), { version, reason });
  if ((await world.documents.create('state', retirementPath(id), asked)) === 'exists') {
    const first = await readRetirement(world.documents, id);
    if (first) return start(world, starter, sameRequest(first, reason));
  }
  return start(world, starter, asked);
}

/** Starts it once. A crash between the two writes starts nothing twice. */
async function start(world: World, starter: Starter, asked: StoredRetirement): Promise<Answer> {
  const { id, hsm, name, version } = asked;
  if (!asked.started) {
    const ends = ['retired', 'reenabled', 'stillDisabled', 'refused', 'failed'];
    await starter.startOnce('retireKeyVersion', id, { hsm, name, version }, ends);
    await world.documents.put('state', retirementPath(id), { ...asked, started: true } satisfies StoredRetirement);
  }
  return {
    status: 202,
    headers: { location: `/api/operations/${id}`, 'retry-after': '10' },
    body: { id, status: 'awaitingApproval', decision: `/api/retirements/${id}/decision`, until: asked.until },
  };
}

function sameRequest(stored: StoredRetirement, reason: string): StoredRetirement {
  if (stored.reason === reason) return stored;
  throw keyUsedBefore(`the retirement of a version of ${stored.name}`);
}

export async function listRetirements(world: World): Promise<Answer> {
  const ids = await retirementIds(world.documents);
  const all = (await Promise.all(ids.map((id) => stateOf(world, id)))).flatMap((each) => (each ? [each] : []));
  return { status: 200, body: { retirements: all.sort((a, b) => Date.parse(b.at) - Date.parse(a.at)) } };
}

export async function showRetirement(world: World, id: string): Promise<Answer> {
  const state = await stateOf(world, id);
  if (!state) throw notListed('retirement', id);
  return { status: 200, body: state };
}

async function stateOf(world: World, id: string) {
  const [request, decision, outcome] = await Promise.all([
    readRetirement(world.documents, id),
    readRetirementDecision(world.documents, id),
    readRetirementOutcome(world.documents, id),
  ]);
  if (!request) return undefined;
  const { schema: _, started: __, ...asked } = request;
  const underWay = decision?.decision === 'approved' ? 'underWay' : decision ? 'denied' : 'awaitingApproval';
  return { ...asked, status: outcome?.kind ?? underWay, decision: decision ?? null, outcome: outcome ?? null };
}

/** Decides once: the first decision counts. Whoever asked cannot decide, whatever roles they hold. */
export async function decideRetirement(
  world: World,
  wake: (instance: string) => Promise<void>,
  caller: Caller,
  { id, decision, note: said }: { id: string; decision: 'approve' | 'reject'; note: string },
): Promise<Answer> {
  const request = await readRetirement(world.documents, id);
  if (!request) throw notListed('retirement', id);
  if (request.by.toLowerCase() === caller.oid.toLowerCase()) throw ownRequest('retirement', id);
  const now = world.clock.now();
  const [stands, outcome] = await Promise.all([
    readRetirementDecision(world.documents, id),
    readRetirementOutcome(world.documents, id),
  ]);
  if (!stands && (outcome || now >= new Date(request.until))) {
    throw nothingToDecide(
      'retirement',
      `The retirement ${id} ${outcome ? 'has ended' : `could be decided until ${request.until}`}.`,
    );
  }
  const wanted: RetirementDecision = {
    by: caller.oid,
    at: stands?.at ?? now.toISOString(),
    decision: decision === 'approve' ? 'approved' : 'denied',
    ...(said === '' ? {} : { note: said }),
  };
  if (stands && !isSameDecision(stands, wanted)) throw decidedBefore(id, stands);
  const counts = agreed('retirement', await decideOnRecord(world, retirementMatter(world, request), stands ?? wanted));
  if (!isSameDecision(counts, wanted)) throw decidedBefore(id, counts);
  await decideRetirementOnce(world.documents, id, counts);
  if (!outcome) await wake(id);
  return { status: 202, headers: { location: `/api/operations/${id}` }, body: { id, decision: counts } };
}

const decidedBefore = (id: string, { by, at, decision }: RetirementDecision) =>
  nothingToDecide('retirement', `The retirement ${id} was ${decision} by ${by} on ${at}.`);
