import type { JournalEntry } from './entry.ts';
import type { InstanceRead } from './read-instance.ts';

/** Something that a person asks for. */
export interface Asked {
  /** The instance that waits for the decision. */
  id: string;
  hsm: string;
  /** `keys/{name}` or the operation. */
  target: string;
  /** Object id of whoever asked, and the ISO instant. */
  by: string;
  at: string;
  /** Class of the entry. */
  asks: 'restore.request' | 'retirement.request' | 'recovery.request';
  /** Hex SHA-256 of everything that was asked for. */
  digest: string;
}

/** Something that one person asks for and another decides about. */
export interface Matter extends Asked {
  decides: 'restore.decide' | 'retirement.decide';
}

export interface Decision {
  /** Object id of whoever decided. */
  by: string;
  at: string;
  decision: 'approved' | 'denied';
  note?: string;
}

/** What the journal says to a decision that is stored elsewhere. */
export type Agreement =
  | { kind: 'agrees'; decision: Decision }
  | { kind: 'refused'; reason: 'ApprovalNotJournaled'; explanation: string; nextStep: string };

const TAMPERING =
  'Treat it as tampering until explained: read in the storage logs who wrote to the container state, then ask anew.';

export const notJournaled = (explanation: string): Extract<Agreement, { kind: 'refused' }> => ({
  kind: 'refused',
  reason: 'ApprovalNotJournaled',
  explanation: `${explanation} So nothing was done.`,
  nextStep: TAMPERING,
});

/** Whether the journal holds that this was asked for, by whom it names, as it stands now. */
export const wasAsked = (entries: readonly JournalEntry[], { asks, by, digest }: Asked): boolean =>
  entries.some(
    ({ kind, class: act, cause, detail }) =>
      kind === 'note' && act === asks && cause === by && detail?.digest === digest,
  );

/** The decision that counts: the first that was journaled about exactly this. */
export function firstDecision(entries: readonly JournalEntry[], { decides, digest }: Matter): Decision | undefined {
  const first = entries.find(({ kind, class: act }) => kind === 'note' && act === decides);
  const { decision, note, digest: of } = first?.detail ?? {};
  if (!first || of !== digest || (decision !== 'approved' && decision !== 'denied')) return undefined;
  return {
    by: first.cause,
    at: first.at,
    decision,
    ...(typeof note === 'string' && note !== '' ? { note } : {}),
  };
}

/**
 * Whether a stored decision is the one in the journal. A document can be written by whoever reaches the store; the journal is
 * append-only, so what it lacks was decided by nobody.
 */
export function judgeStoredDecision(read: InstanceRead, matter: Matter, stored: Decision): Agreement {
  if (read.kind === 'broken') return notJournaled(read.explanation);
  const decision = firstDecision(read.entries, matter);
  if (!decision) {
    return notJournaled(
      `${matter.id} is stored as ${stored.decision} by ${stored.by}, and the journal holds no decision about it as it stands.`,
    );
  }
  if (decision.by === stored.by && decision.at === stored.at && decision.decision === stored.decision) {
    return { kind: 'agrees', decision };
  }
  return notJournaled(
    `${matter.id} is stored as ${stored.decision} by ${stored.by} on ${stored.at}, and the journal says ${decision.decision} by ${decision.by} on ${decision.at}.`,
  );
}
