import type { ManifestRoleAssignment, ManifestRoleDefinition } from '../backup/manifest.ts';
import { answerFor, type ResponseRule } from '../policy/response-rule.ts';
import { guardRevoke, type SeenUse } from './guards.ts';
import { type Incident, roundOf, type SuspectAssignment } from './incident.ts';
import { keySteps } from './plan-keys.ts';
import type { LoggingFacts } from './plan-logging.ts';
import { peopleSteps } from './plan-people.ts';
import { isSettled, type PlannedStep, type StepMode, strictest } from './step.ts';

/** What is known of a key when a response is planned. */
export interface KeySituation {
  name: string;
  /** Newest version; absent: the key could not be read, or is gone. */
  version?: string;
  versionsUsed?: number;
  /** Who used it in the last 30 days; absent: the log could not be asked. */
  use?: SeenUse[];
}

export interface PlanFacts {
  now: Date;
  incident: Incident;
  rule: ResponseRule;
  /** Every assignment, those at single keys included; absent: could not be read. */
  assignments?: ManifestRoleAssignment[];
  definitions?: ManifestRoleDefinition[];
  keys: KeySituation[];
  /** Where the log went and goes; absent: nobody looked. */
  logging?: LoggingFacts;
  /** Client ids of the app's own identities. */
  ownClients: string[];
  /** Roles of the intruder that the response to another incident took away lately, and which. */
  takenElsewhere?: { incident: string; assignment: ManifestRoleAssignment }[];
}

/** A grant is new for so long: whoever got it depends on nothing yet. */
const NEW_GRANT_MS = 60 * 60_000;

/**
 * The steps that answer an incident, in order: take away what let the intruder in, protect the keys, then what only people
 * can do. The policy lowers what detectors propose and never raises it; what no policy may do alone waits for people.
 */
export function planResponse(facts: PlanFacts): PlannedStep[] {
  const answer = answerFor(facts.rule, facts.incident);
  if (answer === 'observe') return [];
  return [...revokeSteps(facts), ...goneSteps(facts), ...keySteps(facts, answer), ...peopleSteps(facts)];
}

/**
 * A plan made again: what was begun or decided stays as it is, and what is no longer wanted falls away. What could not be
 * planned before, because a guard forbade it or nothing could be read, is judged anew.
 */
export function mergePlan(before: readonly PlannedStep[], fresh: readonly PlannedStep[]): PlannedStep[] {
  const moved = before.filter((step) => step.decisions.length > 0 || !isUntouched(step));
  const kept = new Set(moved.map(({ id }) => id));
  return [...moved, ...fresh.filter(({ id }) => !kept.has(id))];
}

/** Steps that were begun and then refused or skipped have an end. */
const isUntouched = ({ state, endedAt }: PlannedStep): boolean =>
  state === 'planned' || ((state === 'refused' || state === 'skipped') && endedAt === undefined);

export const isOpen = (step: PlannedStep): boolean => !isSettled(step) && step.offered !== true;

function revokeSteps(facts: PlanFacts): PlannedStep[] {
  const { assignments, incident } = facts;
  if (assignments === undefined) return [];
  return assignments
    .map((assignment) => ({ assignment, suspect: suspectOf(incident, assignment) }))
    .filter(({ assignment, suspect }) => suspect !== undefined || letsIn(incident, assignment))
    .toSorted((a, b) => Number(b.suspect !== undefined) - Number(a.suspect !== undefined))
    .map(({ assignment, suspect }) => revokeStep(facts, assignment, suspect));
}

/** Nothing is left to do about them, and they say how the intruder lost what let them in. */
function goneSteps(facts: PlanFacts): PlannedStep[] {
  const { incident, assignments = [], takenElsewhere = [] } = facts;
  return takenElsewhere
    .filter(({ assignment }) => letsIn(incident, assignment))
    .filter(
      ({ assignment: { id, scope } }) => !assignments.some((each) => same(each.id, id) && same(each.scope, scope)),
    )
    .map(({ assignment, incident: by }) => ({
      ...revokeStep(facts, assignment),
      state: 'skipped' as const,
      detail: takenBy(by),
    }));
}

/** Steps that wait for people to let this assignment be taken away. */
export const revokesWaitingFor = ({ plan = [] }: Incident, { id, scope }: ManifestRoleAssignment): PlannedStep[] =>
  plan.filter(
    ({ kind, state, assignment }) =>
      kind === 'revoke' &&
      state === 'waiting' &&
      assignment &&
      same(assignment.id, id) &&
      same(assignment.scope, scope),
  );

export const takenBy = (incident: string): string => `It was taken away by the response to ${incident}.`;

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

const suspectOf = ({ assignments = [] }: Incident, { id, scope }: ManifestRoleAssignment) =>
  assignments.find((each) => same(each.id, id) && same(each.scope, scope));

/** Roles of the intruder that reach what was touched. */
function letsIn({ subject, keys }: Incident, { principalId, scope }: ManifestRoleAssignment): boolean {
  if (subject.kind !== 'caller' || !same(subject.caller.oid, principalId)) return false;
  if (!isKeyScope(scope) || keys.length === 0) return true;
  return keys.some((key) => same(scope, `/keys/${key}`));
}

export const isKeyScope = (scope: string): boolean => /^\/keys\/.+$/i.test(scope);

function revokeStep(facts: PlanFacts, assignment: ManifestRoleAssignment, suspect?: SuspectAssignment): PlannedStep {
  const { incident, rule, assignments, definitions } = facts;
  const { scope, id, principalId, roleDefinitionId } = assignment;
  const role = definitions?.find((each) => same(each.id, roleDefinitionId))?.name ?? roleDefinitionId;
  const round = roundOf(incident);
  const { mode, offered, reasons } = modeOf(facts, assignment, suspect);
  const refusal = guardRevoke(assignment, assignments, rule);
  return {
    id: `${round > 1 ? `r${round}-` : ''}revoke-${scope.replaceAll(/[^0-9A-Za-z]+/g, '-').replaceAll(/^-|-$/g, '') || 'all'}-${id}`,
    kind: 'revoke',
    doneBy: 'app',
    title: `Take the role ${role} at ${scope} away from ${nameOf(incident, principalId)}`,
    why: suspect
      ? `A finding speaks of this assignment. ${reasons.join(' ')}`
      : `It lets ${nameOf(incident, principalId)} reach what was touched. ${reasons.join(' ')}`,
    mode,
    ...(offered ? { offered: true as const } : {}),
    state: refusal ? 'refused' : 'planned',
    compensation: `Assign ${roleDefinitionId} to ${principalId} at ${scope} again, under the same name ${id}.`,
    shown: [...dependants(facts, principalId), 'Access tokens live on, and the HSM asks its own roles at every call.'],
    commands: [],
    assignment,
    decisions: [],
    ...(refusal ? { reason: refusal.reason, detail: refusal.explanation, nextStep: refusal.nextStep } : {}),
  };
}

/** Who must agree, with the reasons told to whoever is asked. */
function modeOf(
  { incident, rule, assignments = [], ownClients, now }: PlanFacts,
  { id, scope, principalId }: ManifestRoleAssignment,
  suspect?: SuspectAssignment,
): { mode: StepMode; offered: boolean; reasons: string[] } {
  const proposed = suspect?.response ?? incident.response ?? 'notify';
  const answer = answerFor(rule, incident);
  const offered = answer === 'notify' || proposed === 'notify' || proposed === 'record';
  const reasons: string[] = [];
  const asks = (mode: StepMode, why: string): StepMode => {
    if (mode !== 'auto') reasons.push(why);
    return mode;
  };
  const byDetector: StepMode =
    proposed === 'containByTwo' ? 'twoApprovals' : proposed === 'containByApproval' || offered ? 'approval' : 'auto';
  const byScope = isKeyScope(scope) ? (rule.keyScope === 'policy' ? 'auto' : rule.keyScope) : rule.hsmScope;
  const caller =
    incident.subject.kind === 'caller' && same(incident.subject.caller.oid, principalId)
      ? incident.subject.caller
      : undefined;
  const isNew = suspect?.at !== undefined && now.getTime() - Date.parse(suspect.at) < NEW_GRANT_MS;
  const others = assignments.some((each) => same(each.principalId, principalId) && !same(each.id, id));
  const fresh = isNew && !others;
  const human = caller?.upn !== undefined;
  const byKind: StepMode = fresh
    ? 'auto'
    : human
      ? incident.severity === 'Critical'
        ? 'auto'
        : 'approval'
      : rule.services;
  const ours = caller?.app !== undefined && ownClients.some((client) => same(client, caller.app ?? ''));
  const mode = strictest(
    asks(byDetector, 'The finding asks for a person.'),
    asks(
      byScope,
      isKeyScope(scope) ? 'The policy asks for a person at single keys.' : `${scope} holds more than one key.`,
    ),
    asks(
      byKind,
      human ? 'A person is locked out only with an approval, unless it is critical.' : 'A service would stop.',
    ),
    asks(ours ? 'twoApprovals' : 'auto', 'It is an identity of this app, whose duty ends with it.'),
  );
  if (mode === 'auto')
    reasons.push(fresh ? 'The grant is new, and the only one.' : 'The policy lets it happen at once.');
  return { mode, offered, reasons };
}

function nameOf({ subject }: Incident, principalId: string): string {
  if (subject.kind !== 'caller' || !same(subject.caller.oid, principalId)) return principalId;
  return subject.caller.upn ?? subject.caller.oid;
}

/** What would stop: every key that the principal used lately, with when. */
function dependants({ keys }: PlanFacts, principalId: string): string[] {
  if (keys.some(({ use }) => use === undefined))
    return ['What depends on it is not known: the log could not be asked.'];
  const uses = keys.flatMap(({ name, use = [] }) =>
    use.filter(({ caller }) => same(caller, principalId)).map(({ count, last }) => ({ name, count, last })),
  );
  if (uses.length === 0) return ['It used none of these keys in the last 30 days.'];
  return uses
    .toSorted((a, b) => Date.parse(b.last) - Date.parse(a.last))
    .slice(0, 8)
    .map(({ name, count, last }) => `It used ${name} ${count} times in the last 30 days, last on ${last}.`);
}
