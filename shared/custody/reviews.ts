import type { CustodyRule } from '../policy/hsm-rule.ts';
import { addDuration, subtractDuration, toIso } from '../time.ts';
import type { Custody } from './ledger.ts';
import { judgeQuorum } from './quorum.ts';

export interface ReviewState {
  state: 'ok' | 'dueSoon' | 'overdue' | 'never';
  dueOn?: string;
  lastOn?: string;
  /** What the review has to look at, each as one line to tick off. */
  agenda: string[];
  text: string;
}

/** Reminded this long before it is due, so that people can be brought together. */
const NOTICE = 'P14D';

/**
 * Whether the custody of a security domain is due for review. Microsoft advises to review it quarterly at least, and when
 * holders leave or a device is lost. https://learn.microsoft.com/azure/key-vault/managed-hsm/security-domain
 */
export function judgeReview(custody: Custody, rule: CustodyRule, now: Date): ReviewState {
  const agenda = agendaOf(custody, rule, now);
  const last = custody.lastReview;
  if (last === undefined) {
    return {
      state: 'never',
      agenda,
      text: `The custody of security domain ${custody.securityDomain} was never reviewed.`,
    };
  }
  const due = addDuration(new Date(last.at), rule.reviewEvery);
  const state = now > due ? 'overdue' : now >= subtractDuration(due, NOTICE) ? 'dueSoon' : 'ok';
  const dueOn = toIso(due);
  const text = `The custody of security domain ${custody.securityDomain} was reviewed on ${last.at} by ${last.by}; the next review ${state === 'overdue' ? 'was' : 'is'} due on ${dueOn}.`;
  return { state, dueOn, lastOn: last.at, agenda, text };
}

function agendaOf(custody: Custody, rule: CustodyRule, now: Date): string[] {
  const { shares, singlePoints } = judgeQuorum(custody, rule, now);
  const places = new Set(custody.files.map(({ place }) => place));
  return [
    ...shares.map(
      ({ certificate, holder, place, why }) =>
        `See the share of certificate ${certificate.slice(0, 16)}, held by ${holder ?? 'nobody known'}${place === undefined ? '' : ` in ${place}`} (${why}).`,
    ),
    ...custody.files.map(
      ({ copy, place, lastSeen }) =>
        `See copy ${copy} of the security-domain file in ${place} (last seen ${lastSeen.at}).`,
    ),
    ...(custody.files.length === 0 ? ['Record where the security-domain file is kept.'] : []),
    ...(custody.files.length > 0 && places.size < 2
      ? ['Keep a second copy of the security-domain file in another place.']
      : []),
    ...singlePoints.map((place) => `Move a share out of ${place}: its loss alone would break the quorum.`),
    'Confirm that every holder is still with the organisation and can be reached.',
  ];
}
