import type { Decision } from '../../shared/journal/decisions.ts';
import type { decideOnRecord } from '../activities/journaled-decision.ts';
import { ProblemError, refusedBecause } from './problem.ts';

type Decided = 'restore' | 'retirement';

/** The words of each capability for the same fact; both are public. */
const OWN_REQUEST = { restore: 'ApproverIsRequester', retirement: 'ApprovedByRequester' } as const;

const CODE = { restore: 'RestoreDecided', retirement: 'RetirementDecided' } as const;

/** Whoever asked cannot be the other person. */
export const ownRequest = (what: Decided, id: string) =>
  new ProblemError({
    status: 403,
    code: 'Forbidden',
    title: 'Not your own request',
    detail: `You asked for the ${what} ${id}, so another person has to decide about it.`,
    reason: OWN_REQUEST[what],
    nextStep: 'Let another person with the app role Approver decide.',
  });

export const nothingToDecide = (what: Decided, detail: string) =>
  new ProblemError({
    status: 409,
    code: CODE[what],
    title: 'There is nothing to decide any more',
    detail,
    nextStep: `Look at the ${what}; if it is still wanted, it is asked for anew.`,
  });

export const isSameDecision = (one: Decision, other: Decision): boolean =>
  one.by === other.by && one.decision === other.decision;

/** The decision that counts, or a refusal where the journal does not hold what is decided about. */
export function agreed(what: Decided, found: Awaited<ReturnType<typeof decideOnRecord>>): Decision {
  if (found.kind === 'counts') return found.decision;
  const title = 'The journal does not hold what is decided about';
  throw refusedBecause(found, { status: 409, code: CODE[what], title });
}
