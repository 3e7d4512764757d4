import type * as z from 'zod';
import { type ClosingReason, guardVerdict, obstaclesToClosing } from '../../shared/incident/closing.ts';
import { decideStep, withStep } from '../../shared/incident/decide-step.ts';
import { type ContainmentReason, guardDecision, guardDisable, guardPerson } from '../../shared/incident/guards.ts';
import type { Incident } from '../../shared/incident/incident.ts';
import type { PlannedStep } from '../../shared/incident/step.ts';
import { announceOnHsm } from '../activities/hsm-acts.ts';
import { journalIncidentDecision, wasTakenAway } from '../activities/incident-approvals.ts';
import { respondTo } from '../activities/incident-joining.ts';
import { useOf } from '../activities/incident-planning.ts';
import { changeIncident, readIncident } from '../activities/incident-records.ts';
import { noted } from '../activities/incident-world.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './authorise.ts';
import { keyUsedBefore } from './backups.ts';
import type { incidentDecision } from './incident-routes.ts';
import type { How } from './incidents.ts';
import { notListed, ProblemError, refusedBecause } from './problem.ts';
import { requestDigest } from './request-digest.ts';

type Decision = z.infer<typeof incidentDecision>;
type Refused = { reason: ContainmentReason | ClosingReason; explanation: string; nextStep: string };

/**
 * A person's word: approve or deny a step, report one, put an assignment back, say what it was, close. Nobody decides about
 * what they asked for, nor about themselves. A repeat with the same Idempotency-Key has no further effect.
 */
export async function decideIncident(
  world: World,
  starter: Starter,
  caller: Caller,
  id: string,
  decision: Decision,
  { dryRun, idempotencyKey }: How,
): Promise<Answer> {
  const incident = await readIncident(world.documents, id);
  if (!incident) throw notListed('incident', id);
  if (decision.kind !== 'done' && !caller.roles.includes('Approver')) throw approversOnly();
  const receipt = idempotencyKey === undefined || dryRun ? undefined : receiptOf(world, caller, idempotencyKey);
  if (receipt && (await repeated(world, receipt, id, decision))) return accepted(world, starter, id);

  const refusal = await guard(world, incident, caller, decision);
  if (dryRun) return { status: 200, body: { dryRun: true, incident: id, decision, refusal: refusal ?? null } };
  if (refusal) throw refused(refusal);
  const at = world.clock.now().toISOString();
  await journal(world, incident, caller, decision, at);
  if (decision.kind === 'putBack') await putBack(world, caller, incident, decision.step, decision.note);
  else await changeIncident(world, id, (current) => decided(current, caller, decision, at));
  if (receipt) await world.documents.put('state', receipt, { schema: 1, id, decision });
  return accepted(world, starter, id);
}

const receiptOf = (world: World, caller: Caller, key: string): string =>
  `incident-decisions/${requestDigest(world, caller, key)}.json`;

async function repeated(world: World, path: string, id: string, decision: Decision): Promise<boolean> {
  const stored = (await world.documents.read<{ id: string; decision: Decision }>('state', path))?.value;
  if (!stored) return false;
  if (stored.id === id && JSON.stringify(stored.decision) === JSON.stringify(decision)) return true;
  throw keyUsedBefore(`a decision about ${stored.id}`);
}

async function accepted(world: World, starter: Starter, id: string): Promise<Answer> {
  const incident = await readIncident(world.documents, id);
  if (incident) await respondTo(starter, incident, true);
  const body = { id, status: incident?.status ?? 'unknown', plan: incident?.plan ?? [] };
  return { status: 202, headers: { location: `/api/operations/${id}` }, body };
}

async function guard(
  world: World,
  incident: Incident,
  caller: Caller,
  decision: Decision,
): Promise<Refused | undefined> {
  const { oid } = caller;
  const now = world.clock.now();
  switch (decision.kind) {
    case 'verdict':
      return guardPerson(incident, oid) ?? guardVerdict(incident, decision.verdict);
    case 'close': {
      const own = guardPerson(incident, oid);
      if (own) return own;
      const [first, ...more] = obstaclesToClosing(incident, now);
      if (!first) return undefined;
      return { ...first, explanation: [first, ...more].map(({ explanation }) => explanation).join(' ') };
    }
    case 'putBack':
      return guardPutBack(world, incident, oid, stepOf(incident, decision.step));
    case 'done':
      return guardDone(incident, oid, stepOf(incident, decision.step));
    default: {
      const step = stepOf(incident, decision.step);
      const refusal = guardDecision(incident, step, oid, decision.kind);
      if (refusal || decision.kind === 'deny' || step.kind !== 'disableOld') return refusal;
      const key = step.key ?? '';
      const use = (await useOf(world, incident.hsm, [key])).get(key);
      return guardDisable(key, use, [], now);
    }
  }
}

function guardDone({ subject }: Incident, oid: string, step: PlannedStep): Refused | undefined {
  // Whoever declared it may well be who mends it; the intruder may not say that it is mended.
  const own = guardPerson({ subject }, oid);
  if (own) return own;
  const needs = step.mode === 'twoApprovals' ? 'approved' : 'waiting';
  if (step.doneBy === 'people' && (step.state === needs || step.state === 'approved')) return undefined;
  return {
    reason: 'StepDecided',
    explanation:
      step.doneBy === 'app'
        ? `The app does the step ${step.id} itself.`
        : `The step ${step.id} is ${step.state}${needs === 'approved' ? ', and needs two approvals first' : ''}.`,
    nextStep: 'Look at the incident as it stands now.',
  };
}

async function guardPutBack(
  world: World,
  incident: Incident,
  oid: string,
  step: PlannedStep,
): Promise<Refused | undefined> {
  const removed = incident.removed?.find((each) => each.step === step.id && each.putBackAt === undefined);
  if (!removed || step.state === 'underWay') {
    return {
      reason: 'NothingToPutBack',
      explanation: `The step ${step.id} took nothing away that is not back.`,
      nextStep: 'Look at `removed` of the incident.',
    };
  }
  const own = guardPerson(incident, oid, removed.principalId);
  if (own) return own;
  if (!(await wasTakenAway(world, incident.id, removed))) {
    return {
      reason: 'RemovalNotJournaled',
      explanation: `The journal does not hold that the step ${step.id} took away what is stored of it.`,
      nextStep: 'Treat it as tampering until explained: read in the storage logs who wrote to the container state.',
    };
  }
  if (world.response?.reinstate) return undefined;
  const { scope, roleDefinitionId, principalId, id } = removed;
  return {
    reason: 'NoIdentityMayGrant',
    explanation: 'This installation has no identity that may assign roles, so a person does it.',
    nextStep: `Run: az keyvault role assignment create --hsm-name ${incident.hsm} --scope ${scope} --role ${roleDefinitionId} --assignee-object-id ${principalId} --name ${id}`,
  };
}

function stepOf({ plan = [], id: incident }: Incident, id: string): PlannedStep {
  const step = plan.find((each) => each.id === id);
  if (step) return step;
  throw new ProblemError({
    status: 404,
    code: 'IncidentNotFound',
    title: 'No such step',
    detail: `The incident ${incident} has no step ${id}.`,
    nextStep: 'Use the id of a step that GET /api/incidents/{id} shows.',
  });
}

function decided(
  incident: Incident,
  { oid, name, roles }: Caller,
  decision: Exclude<Decision, { kind: 'putBack' }>,
  at: string,
): Incident {
  const { note } = decision;
  switch (decision.kind) {
    case 'verdict': {
      const verdict = { verdict: decision.verdict, by: oid, name, at, note };
      const line = { at, kind: 'verdict', by: oid, text: `${name} says ${decision.verdict}: ${note}` };
      return { ...noted(incident, line), verdict };
    }
    case 'close': {
      const line = { at, kind: 'decision', by: oid, text: `${name} closes it: ${note}` };
      return { ...noted(incident, line), closeAsked: { by: oid, name, at, note } };
    }
    default: {
      const step = incident.plan?.find((each) => each.id === decision.step);
      // Somebody decided between the look and the write: what they decided stands.
      const open =
        decision.kind === 'done'
          ? step && guardDone(incident, oid, step) === undefined
          : step && roles.includes('Approver') && guardDecision(incident, step, oid, decision.kind) === undefined;
      if (!open) return incident;
      return decideStep(incident, decision.step, { by: oid, name, at, decision: decision.kind, note });
    }
  }
}

/** Assigns again, under its own name, what a step took away. Repeating it changes nothing. */
async function putBack(
  world: World,
  { oid, name }: Caller,
  { id, hsm, removed = [] }: Incident,
  step: string,
  note: string,
) {
  const taken = removed.find((each) => each.step === step && each.putBackAt === undefined);
  const reinstate = world.response?.reinstate;
  if (!taken || !reinstate) return;
  const { id: assignment, scope, roleDefinitionId, principalId } = taken;
  const key = /^\/keys\/(.+)$/.exec(scope)?.[1];
  const outcome = await announceOnHsm(world, {
    act: 'access.reinstate',
    duty: 'reinstate',
    hsm,
    target: key === undefined ? 'roleAssignments' : `keys/${key}`,
    instance: id,
    cause: `${oid}: ${note}`,
    count: { 'rbac.assign.put': 1, 'rbac.assign.read': 1 },
    step: `${step}-${world.clock.now().toISOString()}`,
    detail: { assignment, scope, role: roleDefinitionId, principal: principalId, approvedBy: oid },
  });
  try {
    await reinstate.assign(hsm, { id: assignment, scope, roleDefinitionId, principalId });
  } catch (error) {
    await outcome('failed');
    throw error;
  }
  await outcome('done');
  const at = world.clock.now().toISOString();
  await changeIncident(world, id, (current) => {
    const text = `${name} put back what ${step} took away: ${note}`;
    const next = noted(
      withStep(current, step, (each) => ({ ...each, state: 'undone', endedAt: at })),
      {
        at,
        kind: 'putBack',
        by: oid,
        text,
      },
    );
    const all = (current.removed ?? []).map((each) =>
      each.step === step && each.putBackAt === undefined ? { ...each, putBackAt: at, putBackBy: oid } : each,
    );
    return { ...next, removed: all };
  });
}

/** Before it is stored: what a crash keeps from the store counts for nothing until it is said again. */
async function journal(world: World, incident: Incident, { oid }: Caller, decision: Decision, at: string) {
  const what = 'step' in decision ? decision.step : decision.kind === 'verdict' ? decision.verdict : 'close';
  const { kind, note } = decision;
  await journalIncidentDecision(world, incident, { by: oid, at, decision: kind, what, note });
}

const FORBIDDEN = new Set(['ApproverIsRequester', 'ApproverIsSubject', 'ApproverTwice']);

const refused = (refusal: Refused) =>
  refusedBecause(
    refusal,
    FORBIDDEN.has(refusal.reason)
      ? { status: 403, code: 'Forbidden', title: 'Another person has to decide' }
      : { status: 409, code: 'IncidentRefused', title: 'This cannot be decided so' },
  );

const approversOnly = () =>
  new ProblemError({
    status: 403,
    code: 'Forbidden',
    title: 'Not allowed',
    detail: 'Only the app role Approver decides about a response; an Operator may report what people did.',
    nextStep: 'Let a person with the app role Approver decide.',
  });
