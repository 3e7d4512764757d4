import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import type { RestoreApproval } from '../../shared/restore/guard.ts';
import type { RestoreReport } from '../../shared/restore/report.ts';
import { addDuration } from '../../shared/time.ts';
import { decideOnRecord } from '../activities/journaled-decision.ts';
import { policyInForce } from '../activities/policy-in-force.ts';
import { reportPath } from '../activities/restore-report.ts';
import {
  decideOnce,
  readApproval,
  readOutcome,
  readRestoreRequest,
  restoreIds,
  restoreMatter,
  type StoredRestore,
} from '../activities/restore-requests.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './authorise.ts';
import { agreed, isSameDecision, nothingToDecide, ownRequest } from './decisions.ts';
import { notListed } from './problem.ts';

export async function listRestores(world: World): Promise<Answer> {
  const ids = await restoreIds(world.documents);
  const all = await Promise.all(ids.map((id) => stateOf(world, id)));
  const restores = all.flatMap((each) => (each ? [each] : []));
  return { status: 200, body: { restores: restores.sort((a, b) => Date.parse(b.at) - Date.parse(a.at)) } };
}

export async function showRestore(world: World, id: string): Promise<Answer> {
  const [state, report] = await Promise.all([
    stateOf(world, id),
    world.documents.read<RestoreReport>('evidence', `${reportPath(id)}.json`),
  ]);
  if (!state) throw notListed('restore', id);
  return { status: 200, body: { ...state, report: report?.value ?? null } };
}

async function stateOf(world: World, id: string) {
  const [request, decision, outcome] = await Promise.all([
    readRestoreRequest(world.documents, id),
    readApproval(world.documents, id),
    readOutcome(world.documents, id),
  ]);
  if (!request) return undefined;
  const { schema: _, started: __, confirmation: ___, ...asked } = request;
  const status =
    outcome?.kind ?? (decision?.decision === 'approved' ? 'underWay' : decision ? 'denied' : 'awaitingApproval');
  return { ...asked, status, decision: decision ?? null, outcome: outcome ?? null };
}

/** Wakes the restore that waits; what was decided is read where it is stored. */
export type Wake = (instance: string) => Promise<void>;

/**
 * Decides about a restore, once: the first decision counts. Whoever asked cannot decide, whatever roles they hold. A repeat
 * of the same decision by the same person writes what an earlier one did not come to write, and wakes the restore again.
 */
export async function decideRestore(
  world: World,
  wake: Wake,
  caller: Caller,
  { id, decision, note }: { id: string; decision: 'approve' | 'reject'; note: string },
): Promise<Answer> {
  const request = await readRestoreRequest(world.documents, id);
  if (!request) throw notListed('restore', id);
  if (request.by.toLowerCase() === caller.oid.toLowerCase()) throw ownRequest('restore', id);
  const now = world.clock.now();
  const stands = await readApproval(world.documents, id);
  if (!stands) await openForDecision(world, request, now);
  const wanted: RestoreApproval = {
    by: caller.oid,
    at: stands?.at ?? now.toISOString(),
    decision: decision === 'approve' ? 'approved' : 'denied',
    ...(note === '' ? {} : { note }),
  };
  if (stands && !isSameDecision(stands, wanted)) throw decidedBefore(id, stands);
  const counts = agreed('restore', await decideOnRecord(world, restoreMatter(world, request), stands ?? wanted));
  if (!isSameDecision(counts, wanted)) throw decidedBefore(id, counts);
  await decideOnce(world.documents, id, counts);
  if (!(await readOutcome(world.documents, id))) await wake(id);
  return { status: 202, headers: { location: `/api/operations/${id}` }, body: { id, decision: counts } };
}

async function openForDecision(world: World, { id, hsm, at }: StoredRestore, now: Date): Promise<void> {
  const outcome = await readOutcome(world.documents, id);
  const inForce = await policyInForce(world);
  const { approvalLasts } = effectiveHsmRule(inForce.policy, hsm, inForce.version).rule.recovery;
  const until = addDuration(new Date(at), approvalLasts);
  if (outcome || now >= until) {
    throw nothingToDecide(
      'restore',
      `The restore ${id} ${outcome ? 'has ended' : `could be decided until ${until.toISOString()}`}.`,
    );
  }
}

const decidedBefore = (id: string, { by, at, decision }: RestoreApproval) =>
  nothingToDecide('restore', `The restore ${id} was ${decision} by ${by} on ${at}.`);
