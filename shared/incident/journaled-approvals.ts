import { notJournaled } from '../journal/decisions.ts';
import type { InstanceRead } from '../journal/read-instance.ts';
import { answerFor, type ResponseRule } from '../policy/response-rule.ts';
import type { Incident } from './incident.ts';
import { isKeyScope } from './plan.ts';
import { approvalsNeeded, type PlannedStep, type StepMode, strictest } from './step.ts';

/** Class of the entry of each decision about an incident. */
export const INCIDENT_DECIDED = 'incident.decide';

export type Approved = { kind: 'approved'; by: string[] } | ReturnType<typeof notJournaled>;

/** What of a step its approval binds: everything that says what would be done, to whom, and by how many people. */
export const approvedOf = (
  incident: string,
  { id, kind, mode, assignment, key, expectedVersion }: PlannedStep,
): Record<string, unknown> => ({ incident, id, kind, mode, assignment, key, expectedVersion });

/**
 * How many people must have agreed, whatever the stored step says of itself: the policy alone does what its answer says, and
 * more than one key is never its alone.
 */
export function peopleNeeded(
  { kind, mode, assignment }: PlannedStep,
  rule: ResponseRule,
  incident: Pick<Incident, 'class' | 'severity'>,
): number {
  const { keyScope, hsmScope } = rule;
  const answer = answerFor(rule, incident);
  const byAnswer: StepMode = answer === 'rotate' || (answer === 'contain' && kind === 'revoke') ? 'auto' : 'approval';
  const byScope: StepMode =
    assignment === undefined
      ? 'auto'
      : isKeyScope(assignment.scope)
        ? keyScope === 'policy'
          ? 'auto'
          : keyScope
        : hsmScope;
  return approvalsNeeded(strictest(mode, byAnswer, byScope));
}

/**
 * Whether enough people agreed to exactly this step, and none said no, by what the journal holds. A stored approval alone is
 * nobody's word: the incident can be written by whoever reaches the store.
 */
export function judgeApprovals(
  read: InstanceRead,
  { id, decisions }: PlannedStep,
  { needed, digest }: { needed: number; digest: string },
): Approved {
  if (read.kind === 'broken') return notJournaled(read.explanation);
  const about = read.entries.filter(
    ({ kind, class: act, detail }) => kind === 'note' && act === INCIDENT_DECIDED && detail?.what === id,
  );
  const no = about.find(({ detail }) => detail?.decision === 'deny');
  if (no) return notJournaled(`The journal says that ${no.cause} said no to ${id} on ${no.at}.`);
  const stored = decisions.filter(({ decision }) => decision === 'approve');
  const lacking = stored.find(
    ({ by, at }) =>
      !about.some(
        (entry) =>
          entry.cause === by &&
          entry.at === at &&
          entry.detail?.decision === 'approve' &&
          entry.detail.digest === digest,
      ),
  );
  if (lacking) {
    return notJournaled(
      `${id} is stored as approved by ${lacking.by} on ${lacking.at}, and the journal holds no such decision about it as it stands.`,
    );
  }
  const by = [...new Map(stored.map((each) => [each.by.toLowerCase(), each.by])).values()];
  if (by.length >= needed) return { kind: 'approved', by };
  return notJournaled(`${id} needs the approval of ${needed} people, and the journal holds that of ${by.length}.`);
}
