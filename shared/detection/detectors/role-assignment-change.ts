import type { RoleGrant } from '../detection-facts.ts';
import { type Detector, type Draft, parameter } from '../detector.ts';
import type { Finding } from '../finding.ts';
import { firstUseOfGrant } from '../granted-use.ts';
import { byCaller, distinct, keysOf, nameOf, namesOf, succeeded } from '../grouping.ts';
import { decayed } from '../habits.ts';
import type { JudgedCall } from '../judged-calls.ts';
import { recentOf } from '../recent.ts';
import { BUILT_IN_ROLES, graveActions, guidOf, isHsmWide } from '../roles.ts';
import { lookUp, type Scene } from '../scene.ts';
import { dayOf } from '../time-bins.ts';

const ID = 'role-assignment-change';

/** Local roles are granted inside the HSM: nobody else's log shows it. */
export const roleAssignmentChange: Detector = {
  id: ID,
  version: 2,
  sees: 'A local role assigned or removed, and to whom, where the HSM could be asked.',
  method:
    'Rule table over scope and role, read from the HSM by the id in the path; more for a grant to oneself and one that was soon removed.',
  severity: { least: 'Low', most: 'Critical' },
  falsePositives: [
    'Onboarding through the app: the journal announces it.',
    'An administrator who gives a service its role at one key, as usual and in working hours, is Low.',
    'A person activates an eligible group: that makes no local assignment.',
  ],
  runbook: [
    'Ask who approved the grant; nobody: remove it.',
    'List what the grantee did since the grant.',
    'If the grantor granted itself, treat the grantor as taken.',
    'Compare all assignments, key by key, with the approved state: a list at / does not show those at keys.',
  ],
  response: 'containByPolicy',
  compromise: 'controls',
  techniques: ['T1098.003'],
  evaluate(scene) {
    const calls = scene.calls.filter(
      (call) => (call.class === 'rbac.assign.put' || call.class === 'rbac.assign.delete') && succeeded(call),
    );
    return [
      ...byCaller(calls).map(({ calls, explained, who }) => judge(scene, who, calls, explained)),
      ...firstUseOfGrant(scene, ID),
    ];
  },
};

/** Scores from here on cannot be announced by an automation alone. */
const GRAVE = 70;

const isApproved = ({ facts }: Scene, calls: readonly JudgedCall[]): boolean => {
  const approved = new Set(facts.intents.filter(({ approvedBy }) => approvedBy).map(({ id }) => id));
  return calls.every(({ intents }) => intents.every((id) => approved.has(id)));
};

interface Weighed {
  base: number;
  title: string;
  why: string;
  grant: Finding['assignments'][number];
}

function judge(scene: Scene, who: string, calls: JudgedCall[], explained: boolean): Draft {
  const weighed = calls.map((call) => weigh(scene, who, call, calls)).sort((a, b) => b.base - a.base);
  const worst = weighed[0] as Weighed;
  const granted = calls.filter(({ class: of }) => of === 'rbac.assign.put');
  // An identity of ours could announce its own rise, so a grave grant needs the name of who approved it.
  const forged = explained && worst.base >= GRAVE && !isApproved(scene, calls);
  return {
    calls,
    explained: explained && !forged,
    subject: distinct(calls.map(({ path }) => guidOf(path)))
      .sort()
      .join(' ')
      .slice(0, 200),
    windowMinutes: 15,
    base: worst.base,
    title: worst.title,
    explanation: `${forged ? 'Announced, and approved by nobody. ' : ''}${explained && !forged ? 'The journal announced it.' : worst.why}${
      calls.length > 1 ? ` ${calls.length} changes in all, on ${namesOf(keysOf(calls))}.` : ''
    }`,
    nextStep: 'Find the approval of this change; without one, remove the assignment and look at what the grantee did.',
    assignments: weighed.map(({ grant }) => grant).slice(0, 50),
    facts: { granted: granted.length, removed: calls.length - granted.length },
    marks: granted.length > 0 ? ['granted'] : ['removed'],
  };
}

function weigh(scene: Scene, who: string, call: JudgedCall, calls: readonly JudgedCall[]): Weighed {
  const id = guidOf(call.path);
  const scope = call.key === undefined ? '/' : `/keys/${call.key}`;
  const { assignments, assignmentsBefore } = scene.facts.lookedUp;
  const known = findGrant(assignments, id) ?? findGrant(assignmentsBefore, id);
  const told: Finding['assignments'][number] = {
    scope: known?.scope ?? scope,
    id,
    ...(known === undefined ? {} : { role: known.role, principalId: known.principalId }),
  };
  const role = known === undefined ? undefined : roleOf(scene, known.role);
  const name = role?.name ?? 'an unknown role';
  const at = call.key === undefined ? 'the whole HSM' : `the key ${call.key}`;
  if (call.class === 'rbac.assign.delete') return removal(scene, call, told, name, at, role?.weight === 'rules');

  const wide = isHsmWide(known?.scope ?? scope);
  let base: number = (wide ? HSM_WIDE : ONE_KEY)[role?.weight ?? 'unknown'];
  const reasons = [wide ? `${name} on the whole HSM` : `${name} on one key`];
  const self = known !== undefined && known.principalId.toLowerCase() === who;
  if (!wide && !self && role?.weight !== 'rules' && isRoutine(scene, who, call)) {
    base = 15;
    reasons.push('given by a person who does so now and then, in its usual way');
  }
  if (self) {
    base += 15;
    reasons.push('granted by the grantee itself');
  } else if (known !== undefined && !isKnownPrincipal(scene, known.principalId) && base > 25) {
    base += 10;
    reasons.push('to a principal that was never seen here');
  }
  if (calls.some((other) => other.class === 'rbac.assign.delete' && guidOf(other.path) === id)) {
    base += 15;
    reasons.push('and removed again at once');
  }
  const grantee = self ? 'itself' : (known?.principalId ?? 'somebody');
  return {
    base: Math.min(100, base),
    title: `${nameOf(call)} gave ${grantee} ${name} on ${at}`,
    why: `${reasons.join(', ')}. No plan announced it.`,
    grant: told,
  };
}

const HSM_WIDE = { rules: 85, reaches: 70, uses: 45, reads: 25, unknown: 70 } as const;
const ONE_KEY = { rules: 45, reaches: 25, uses: 25, reads: 15, unknown: 25 } as const;

function removal(
  scene: Scene,
  call: JudgedCall,
  grant: Finding['assignments'][number],
  name: string,
  at: string,
  ruled: boolean,
): Weighed {
  const span = parameter(scene, ID, 'hiddenMinutes') * 60_000;
  const before = recentOf(scene, ID, span, [call]).find(
    ({ assignments, marks, severity }) =>
      severity !== 'Informational' && marks.includes('granted') && assignments.some(({ id }) => id === grant.id),
  );
  const title = `${nameOf(call)} removed ${name} from ${grant.principalId ?? 'somebody'} on ${at}`;
  if (before !== undefined) {
    return {
      base: Math.min(100, before.score + 15),
      title,
      why: 'It was granted minutes before: used, and hidden.',
      grant,
    };
  }
  const ours = grant.principalId !== undefined && scene.own.has(grant.principalId.toLowerCase());
  if (ours) return { base: 60, title, why: 'The assignment was one of this app, which is blinded by it.', grant };
  if (ruled) return { base: 40, title, why: 'Whoever loses this role can no longer defend the HSM.', grant };
  return { base: 15, title, why: 'A removal takes access away, and is told for the record.', grant };
}

const findGrant = (grants: RoleGrant[] | undefined, id: string): RoleGrant | undefined =>
  grants?.find((grant) => guidOf(grant.id) === id);

function roleOf({ facts }: Scene, role: string): { name: string; weight: keyof typeof HSM_WIDE } {
  const guid = guidOf(role);
  const builtIn = lookUp(BUILT_IN_ROLES, guid);
  if (builtIn !== undefined) return builtIn;
  const custom = facts.lookedUp.definitions?.find(({ id }) => guidOf(id) === guid);
  if (custom === undefined) return { name: `role ${guid.slice(0, 40)}`, weight: 'unknown' };
  return { name: custom.name.slice(0, 80), weight: graveActions(custom.dataActions).length > 0 ? 'rules' : 'reaches' };
}

/** A person who has granted roles before, at one key, in a network of its own. */
function isRoutine({ memory, age, rule }: Scene, who: string, call: JudgedCall): boolean {
  if (age < rule.learning.noveltyDays) return false;
  const habit = lookUp(lookUp(memory.callers, who)?.actions ?? {}, 'rbac.assign.put');
  return habit !== undefined && decayed(habit, dayOf(call.firstMs)) >= 0.5;
}

const isKnownPrincipal = ({ memory, identities, own }: Scene, principal: string): boolean => {
  const id = principal.toLowerCase();
  return lookUp(memory.callers, id) !== undefined || identities.has(id) || own.has(id);
};
