import type { ManifestRoleAssignment } from '../../shared/backup/manifest.ts';
import type { CallGroup } from '../../shared/detection/audit-call.ts';
import { AppError, isTransient } from '../../shared/errors.ts';
import { containmentOf } from '../../shared/incident/containment.ts';
import { expireStep, skipStep, withStep } from '../../shared/incident/decide-step.ts';
import { ADMINISTRATOR, guardRevoke } from '../../shared/incident/guards.ts';
import type { Incident } from '../../shared/incident/incident.ts';
import type { Approved } from '../../shared/incident/journaled-approvals.ts';
import { revokesWaitingFor, takenBy } from '../../shared/incident/plan.ts';
import { isPlain } from '../../shared/incident/plan-keys.ts';
import type { PlannedStep } from '../../shared/incident/step.ts';
import { judgeContainment, leftByPeople } from '../../shared/incident/verify.ts';
import { POLICY_ALONE } from '../../shared/rotation/decision.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import { announceOnHsm } from './hsm-acts.ts';
import { demandApproved } from './incident-approvals.ts';
import { respondTo } from './incident-joining.ts';
import { changeIncident, incidentOf, readIncidents } from './incident-records.ts';
import { known, noted, responseWorld, rolesReader, ruleOf, US } from './incident-world.ts';

/** Clocks of the HSM and of the log may differ by so much, and a write may take as long to be seen everywhere. */
const SKEW_MS = 6 * 60_000;

export const incidentContainmentActivities = (world: World) =>
  ({
    /**
     * Takes one assignment away. What it was is written down before, so that one call puts it back; the world is compared
     * before it is changed, so that a repeat takes nothing away twice.
     */
    async revokeAssignment({ incident: id, step: stepId = '' }, { starter }) {
      const incident = await incidentOf(world, id);
      const step = stepOf(incident, stepId);
      if (!step?.assignment || (step.state !== 'approved' && step.state !== 'underWay')) return { kind: 'done' };
      try {
        const gone = await revoke(world, incident, step, step.assignment);
        if (gone) await settleElsewhere(world, starter, incident, step.assignment);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const { code: reason, message: detail, nextStep } = error;
        if (isTransient(error)) throw error;
        await settle(world, id, step, { state: 'failed', reason, detail, nextStep });
      }
      return { kind: 'done' };
    },

    /** Nobody decided in time. Where people took the role away themselves meanwhile, that is said, and not that nothing was done. */
    async expireIncidentStep({ incident: id, step = '' }) {
      const now = world.clock.now();
      const incident = await incidentOf(world, id);
      const gone = await isGone(world, incident, stepOf(incident, step)?.assignment);
      await changeIncident(world, id, (current) => {
        if (stepOf(current, step)?.state !== 'waiting') return current;
        return gone ? skipStep(current, step, 'It was gone already.', now) : expireStep(current, step, now);
      });
      return { kind: 'done' };
    },

    /** Says how far containment came, and what remains. */
    async settleContainment({ incident: id }) {
      const at = world.clock.now().toISOString();
      await changeIncident(world, id, (current) => {
        const found = containmentOf(current);
        const before = current.containment;
        if (before?.kind === found.kind && before.remains.join('\n') === found.remains.join('\n')) return current;
        const status = found.kind === 'full' ? 'contained' : 'open';
        const told = { full: 'Contained.', partial: 'Contained in part.', none: 'Nothing was taken away.' }[found.kind];
        const text = [told, ...found.remains.map((each) => `Remains: ${each}`)].join(' ');
        return {
          ...noted(current, { at, kind: 'containment', by: US, text }),
          containment: { ...found, at: before && before.kind !== 'none' ? before.at : at },
          ...(current.status === 'closed' ? {} : { status }),
        };
      });
      return { kind: 'done' };
    },

    /** Whether the intruder is kept out now: by what the log shows since, else by the roles that are left. */
    async verifyContainment({ incident: id }) {
      const incident = await incidentOf(world, id);
      const { subject, containment, removed = [] } = incident;
      if (!containment) return { kind: 'done' };
      const now = world.clock.now();
      const access = rolesReader(world);
      const assignments = await known(access?.inventory(incident.hsm, scopesOf(incident)), undefined, true);
      const verification = judgeContainment({
        subject,
        containedAt: containment.at,
        removed: [...removed.filter(({ putBackAt }) => putBackAt === undefined), ...goneBefore(incident)],
        left: leftByPeople(incident),
        keys: incident.keys,
        now,
        ...(assignments ? { assignments } : {}),
        ...optional(await callsSince(world, incident, containment.at, now)),
      });
      await changeIncident(world, id, (current) => {
        const same = current.verification?.result === verification.result;
        const line = { at: now.toISOString(), kind: 'verification', by: US, text: verification.explanation };
        return { ...(same ? current : noted(current, line)), verification };
      });
      return { kind: 'done' };
    },
  }) satisfies Partial<ActivityHandlers>;

const optional = (calls: CallGroup[] | undefined) => (calls ? { calls } : {});

const stepOf = ({ plan = [] }: Incident, id: string): PlannedStep | undefined => plan.find((each) => each.id === id);

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** What was to be taken away and was gone already. */
const goneBefore = ({ plan = [] }: Incident): ManifestRoleAssignment[] =>
  plan.flatMap(({ kind, state, assignment }) =>
    kind === 'revoke' && state === 'skipped' && assignment ? assignment : [],
  );

const isAssignment = (wanted: ManifestRoleAssignment) => (each: ManifestRoleAssignment) =>
  same(each.id, wanted.id) && same(each.scope, wanted.scope);

/** False as well where nobody can say. */
async function isGone(world: World, { hsm }: Incident, wanted: ManifestRoleAssignment | undefined): Promise<boolean> {
  if (!wanted) return false;
  const here = await known(rolesReader(world)?.roleAssignments(hsm, wanted.scope), undefined, true);
  return here !== undefined && !here.some(isAssignment(wanted));
}

/** Two incidents may be about one assignment, of who gave it and of who got it: nobody is asked for what is gone. */
async function settleElsewhere(world: World, starter: Starter, { id, hsm }: Incident, gone: ManifestRoleAssignment) {
  for (const other of await readIncidents(world.documents, hsm)) {
    if (other.id === id || other.status === 'closed' || revokesWaitingFor(other, gone).length === 0) continue;
    const now = world.clock.now();
    const changed = await changeIncident(world, other.id, (current) =>
      revokesWaitingFor(current, gone).reduce(
        (incident, step) => skipStep(incident, step.id, takenBy(id), now),
        current,
      ),
    );
    await respondTo(starter, changed, true);
  }
}

/** True once it is gone by the hand of this response. */
async function revoke(
  world: World,
  incident: Incident,
  step: PlannedStep,
  wanted: ManifestRoleAssignment,
): Promise<boolean> {
  const { id, hsm } = incident;
  const { access } = responseWorld(world);
  const here = await access.roleAssignments(hsm, wanted.scope);
  const found = here.find(isAssignment(wanted));
  if (!found) {
    const ours = step.state === 'underWay';
    const detail = ours ? 'It was taken away.' : 'It was gone already.';
    await settle(world, id, step, { state: ours ? 'done' : 'skipped', detail });
    return ours;
  }
  if (!same(found.principalId, wanted.principalId) || !same(found.roleDefinitionId, wanted.roleDefinitionId)) {
    const detail = 'An assignment of this name says something else by now; it was left as it is.';
    await settle(world, id, step, { state: 'skipped', detail });
    return false;
  }
  const { response } = await ruleOf(world, incident);
  const atRoot = same(found.roleDefinitionId, ADMINISTRATOR) ? await access.roleAssignments(hsm, '/') : here;
  const refusal = guardRevoke(found, atRoot, response);
  if (refusal) {
    const { reason, explanation: detail, nextStep } = refusal;
    await settle(world, id, step, { state: 'refused', reason, detail, nextStep });
    return false;
  }
  const approved = await demandApproved(world, incident, step, response);
  if (approved.kind === 'refused') {
    await settle(world, id, step, notApproved(approved));
    return false;
  }
  const at = world.clock.now().toISOString();
  await changeIncident(world, id, (current) => {
    const removed = current.removed ?? [];
    const isThere = removed.some((each) => each.step === step.id && each.putBackAt === undefined);
    const next = isThere ? removed : [...removed, { ...found, step: step.id, removedAt: at }];
    return withStep({ ...current, removed: next }, step.id, (each) => ({ ...each, state: 'underWay', startedAt: at }));
  });
  const approvedBy = approved.by;
  const key = /^\/keys\/(.+)$/.exec(found.scope)?.[1];
  const outcome = await announceOnHsm(world, {
    act: 'access.revoke',
    duty: 'respond',
    hsm,
    target: key === undefined ? 'roleAssignments' : `keys/${key}`,
    instance: id,
    cause: approvedBy.length > 0 ? approvedBy.join(', ') : POLICY_ALONE,
    count: { 'rbac.assign.delete': 1, 'rbac.assign.read': 4 },
    step: `${step.id}-${at}`,
    detail: {
      assignment: found.id,
      scope: found.scope,
      role: found.roleDefinitionId,
      principal: found.principalId,
      approvedBy: approvedBy.join(', '),
    },
  });
  try {
    await access.unassign(hsm, found.scope, found.id);
  } catch (error) {
    await outcome(error instanceof AppError && !isTransient(error) ? 'refused' : 'unknown', {
      code: error instanceof AppError ? error.code : 'ERR_TRANSIENT',
    });
    throw error;
  }
  await outcome('done');
  await settle(world, id, step, { state: 'done', detail: 'It was taken away.' });
  return true;
}

/** Failed, not refused: whoever has the role can still approve it, and then it is done. */
export const notApproved = ({ reason, explanation: detail, nextStep }: Extract<Approved, { kind: 'refused' }>) =>
  ({ state: 'failed', reason, detail, nextStep }) as const;

/** How a step ended. A step that ended is not ended again. */
export async function settle(
  world: World,
  incident: string,
  { id, title }: PlannedStep,
  end: Pick<PlannedStep, 'state'> & Partial<Pick<PlannedStep, 'reason' | 'detail' | 'nextStep'>>,
): Promise<void> {
  const at = world.clock.now().toISOString();
  await changeIncident(world, incident, (current) => {
    const state = stepOf(current, id)?.state;
    if (state !== 'approved' && state !== 'underWay') return current;
    const text = `${title}: ${end.state}. ${end.detail ?? ''}`.trim();
    const changed = withStep(current, id, ({ retryAt: _, ...step }) => ({ ...step, ...end, endedAt: at }));
    return noted(changed, { at, kind: 'step', by: US, text });
  });
}

function scopesOf({ keys, removed = [] }: Incident): string[] {
  const scoped = removed.flatMap(({ scope }) => /^\/keys\/(.+)$/.exec(scope)?.[1] ?? []);
  return [...new Set([...keys.filter(isPlain), ...scoped])];
}

/** What the intruder called since containment, asked again later anyhow; undefined where the log cannot be asked, or there is no caller to look for. */
async function callsSince(world: World, { hsm, subject }: Incident, since: string, now: Date) {
  const log = world.auditLog;
  if (!log || subject.kind !== 'caller') return undefined;
  const window = { hsm, after: since, upTo: now.toISOString() };
  const sensitive = await known(log.sensitiveCalls(window), undefined, true);
  const refused = await known(log.refusedCalls(window), undefined, true);
  const use = await known(log.keyUse(window), undefined, true);
  if (!sensitive || !refused || !use) return undefined;
  const after = Date.parse(since) + SKEW_MS;
  return [...sensitive.calls, ...refused.calls, ...use.calls].filter(
    ({ caller, last }) => same(caller.oid, subject.caller.oid) && Date.parse(last) > after,
  );
}
