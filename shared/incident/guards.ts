import type { ManifestRoleAssignment } from '../backup/manifest.ts';
import { VERSION_LIMIT } from '../keys/key.ts';
import { subtractDuration } from '../time.ts';
import type { Incident } from './incident.ts';
import { approvalsNeeded, type PlannedStep } from './step.ts';

/** Public: shown, sent and stored. Adding is free, renaming is a migration. */
export type ContainmentReason =
  | 'BreakGlass'
  | 'LastAdministrator'
  | 'AdministratorsUnknown'
  | 'VersionBudgetSpent'
  | 'VersionInUse'
  | 'VersionUseUnknown'
  | 'ApproverIsRequester'
  | 'ApproverIsSubject'
  | 'ApproverTwice'
  | 'StepDecided'
  /** People do the step; it is reported, not approved. */
  | 'StepIsForPeople'
  | 'ApprovalDenied'
  | 'ApprovalExpired'
  /** A stored approval is not one that the journal holds. */
  | 'ApprovalNotJournaled'
  /** Nothing in the journal says that this was taken away. */
  | 'RemovalNotJournaled'
  | 'NothingToPutBack'
  | 'NoIdentityMayGrant';

export interface Refusal {
  reason: ContainmentReason;
  explanation: string;
  nextStep: string;
}

const refuse = (reason: ContainmentReason, explanation: string, nextStep: string): Refusal => ({
  reason,
  explanation,
  nextStep,
});

/** Managed HSM Administrator. https://learn.microsoft.com/azure/key-vault/managed-hsm/built-in-roles */
export const ADMINISTRATOR = 'a290e904-7015-4bba-90c8-60543313cdb4';

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/**
 * Whether an assignment may be taken away at all, whoever agrees. Asked when the step is planned and again just before it is
 * done, because others change roles meanwhile.
 */
export function guardRevoke(
  assignment: ManifestRoleAssignment,
  assignments: readonly ManifestRoleAssignment[] | undefined,
  { breakGlass, administrators }: { breakGlass: readonly string[]; administrators: number },
): Refusal | undefined {
  if (breakGlass.some((id) => same(id, assignment.principalId))) {
    return refuse(
      'BreakGlass',
      `${assignment.principalId} is a break-glass account of the policy, which containment never touches.`,
      'If that account itself is compromised, its custodians act, outside this app.',
    );
  }
  if (!same(assignment.roleDefinitionId, ADMINISTRATOR)) return undefined;
  if (assignments === undefined) {
    return refuse(
      'AdministratorsUnknown',
      'The role assignments could not be read, so nobody knows how many administrators would be left.',
      'Let the identity of the duty respond read role assignments, then decide again.',
    );
  }
  const left = new Set(
    assignments
      .filter(({ id, scope, roleDefinitionId }) => {
        const isThis = same(id, assignment.id) && same(scope, assignment.scope);
        return same(roleDefinitionId, ADMINISTRATOR) && scope === '/' && !isThis;
      })
      .map(({ principalId }) => principalId.toLowerCase()),
  ).size;
  if (left >= administrators) return undefined;
  return refuse(
    'LastAdministrator',
    `${left} administrator${left === 1 ? '' : 's'} would be left at /, and ${administrators} must be.`,
    'Make another trusted person an administrator first, then decide again.',
  );
}

/** A key holds 100 versions for ever; from 90 on a person decides about each. */
export const TIGHT_VERSIONS = 90;

export function guardRotate(key: string, versionsUsed: number): Refusal | undefined {
  if (versionsUsed < VERSION_LIMIT) return undefined;
  return refuse(
    'VersionBudgetSpent',
    `${key} has ${versionsUsed} versions, and a key holds ${VERSION_LIMIT} at most.`,
    'Make a new key and point its consumers at it.',
  );
}

export interface SeenUse {
  version: string;
  /** Object id. */
  caller: string;
  /** For people. */
  name?: string;
  count: number;
  last: string;
}

/** A version that was used in the last week still opens somebody's data. */
const STILL_USED = 'P7D';

/** Whether what was compromised may be disabled. Nobody's agreement outweighs a log that shows it in use. */
export function guardDisable(
  key: string,
  use: readonly SeenUse[] | undefined,
  oldVersions: readonly string[],
  now: Date,
): Refusal | undefined {
  if (use === undefined) {
    return refuse(
      'VersionUseUnknown',
      `Nobody can say whether ${key} is still in use: the log could not be read.`,
      'Mend the log first; unknown is no permission.',
    );
  }
  const since = subtractDuration(now, STILL_USED).getTime();
  const recent = use.filter(
    ({ version, last }) => (oldVersions.length === 0 || oldVersions.includes(version)) && Date.parse(last) > since,
  );
  if (recent.length === 0) return undefined;
  const who = [...new Set(recent.map(({ caller, name = caller }) => name))].slice(0, 5).join(', ');
  return refuse(
    'VersionInUse',
    `${key} was used in the last 7 days by ${who}: disabling it would cut them off from their data.`,
    'Point these consumers at the new key, wait until the log shows no use, then decide again.',
  );
}

const LATE: ReadonlySet<PlannedStep['state']> = new Set<PlannedStep['state']>(['failed', 'refused', 'expired']);

/** Whether this person may decide about this step now. What is approved is guarded again before it is done. */
export function guardDecision(
  incident: Pick<Incident, 'declared' | 'declaredToo' | 'subject'>,
  step: Pick<PlannedStep, 'id' | 'state' | 'decisions' | 'mode' | 'assignment' | 'doneBy'>,
  by: string,
  decision: 'approve' | 'deny',
): Refusal | undefined {
  const own = guardPerson(incident, by, step.assignment?.principalId);
  if (own) return own;
  const first = step.decisions.find((each) => same(each.by, by) && each.decision === 'approve');
  if (decision === 'approve' && first && step.state === 'waiting') {
    return refuse(
      'ApproverTwice',
      `You approved the step ${step.id} on ${first.at}; it needs ${approvalsNeeded(step.mode)} people.`,
      'Let another person with the app role Approver decide.',
    );
  }
  if (decision === 'approve' && step.doneBy === 'people' && approvalsNeeded(step.mode) === 0) {
    return refuse(
      'StepIsForPeople',
      `People do the step ${step.id}, so nothing follows from an approval.`,
      'Once it is done, report it with kind done; if it will not be done, say no with kind deny.',
    );
  }
  // One that failed or was refused is tried again, and one that nobody decided in time is decided late.
  if (step.state === 'waiting' || LATE.has(step.state)) return undefined;
  return refuse(
    'StepDecided',
    `There is nothing to decide about the step ${step.id}: it is ${step.state}.`,
    'Look at the incident as it stands now.',
  );
}

/** Nobody decides about what they asked for, nor about themselves. */
export function guardPerson(
  { declared, declaredToo = [], subject }: Pick<Incident, 'declared' | 'declaredToo' | 'subject'>,
  by: string,
  principalId?: string,
): Refusal | undefined {
  if (declared && [declared.by, ...declaredToo].some((each) => same(each, by))) {
    return refuse(
      'ApproverIsRequester',
      'You declared this incident, so another person has to decide.',
      'Let another person with the app role Approver decide.',
    );
  }
  const suspect = subject.kind === 'caller' && same(subject.caller.oid, by);
  if (!suspect && (principalId === undefined || !same(principalId, by))) return undefined;
  return refuse(
    'ApproverIsSubject',
    'This incident is about you, so another person has to decide.',
    'Let another person with the app role Approver decide.',
  );
}
