import type { ManifestRoleAssignment } from '../../shared/backup/manifest.ts';
import type { Incident, RemovedAssignment } from '../../shared/incident/incident.ts';
import {
  type Approved,
  approvedOf,
  INCIDENT_DECIDED,
  judgeApprovals,
  peopleNeeded,
} from '../../shared/incident/journaled-approvals.ts';
import type { PlannedStep } from '../../shared/incident/step.ts';
import type { InstanceRead } from '../../shared/journal/read-instance.ts';
import type { ResponseRule } from '../../shared/policy/response-rule.ts';
import type { World } from '../world.ts';
import { digestOf, readJournalOf } from './journaled-decision.ts';

/** One decision about an incident. */
export interface IncidentDecision {
  /** Object id of whoever decides. */
  by: string;
  at: string;
  decision: string;
  /** The step, or what else is decided about. */
  what: string;
  note: string;
}

/** Enters a decision in the journal, before it is stored; one about a step is bound to what the step would do. */
export async function journalIncidentDecision(
  world: World,
  { id, hsm, plan = [] }: Pick<Incident, 'id' | 'hsm' | 'plan'>,
  { by, at, decision, what, note }: IncidentDecision,
): Promise<void> {
  const step = plan.find((each) => each.id === what);
  await world.journal.append({
    id: `${id}:decision:${decision}:${what}:${by}:${at}`,
    kind: 'note',
    class: INCIDENT_DECIDED,
    at,
    hsm,
    target: `incidents/${id}`,
    identity: world.identities.observe,
    cause: by,
    instance: id,
    detail: { decision, what, note, ...(step ? { digest: digestOf(world, approvedOf(id, step)) } : {}) },
  });
}

/** Asked before every act of a step: who agreed to it, by the journal. What the policy does alone asks for nobody. */
export async function demandApproved(
  world: World,
  incident: Incident,
  step: PlannedStep,
  rule: ResponseRule,
): Promise<Approved> {
  const { id } = incident;
  const needed = peopleNeeded(step, rule, incident);
  const [from] = step.decisions.map(({ at }) => at).sort();
  if (from === undefined && needed === 0) return { kind: 'approved', by: [] };
  const read: InstanceRead = from === undefined ? { kind: 'read', entries: [] } : await readJournalOf(world, id, from);
  return judgeApprovals(read, step, { needed, digest: digestOf(world, approvedOf(id, step)) });
}

/** Whether the journal announced that this step took just this assignment away. Anything else is not put back. */
export async function wasTakenAway(world: World, incident: string, removed: RemovedAssignment): Promise<boolean> {
  const read = await readJournalOf(world, incident, removed.removedAt);
  if (read.kind === 'broken') return false;
  const { id: assignment, scope, roleDefinitionId: role, principalId: principal }: ManifestRoleAssignment = removed;
  return read.entries.some(
    ({ kind, class: act, detail = {} }) =>
      kind === 'intent' &&
      act === 'access.revoke' &&
      detail.assignment === assignment &&
      detail.scope === scope &&
      detail.role === role &&
      detail.principal === principal,
  );
}
