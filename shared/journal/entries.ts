import type { RotationCause } from '../rotation/decision.ts';
import { toIso } from '../time.ts';
import type { JournalEntry } from './entry.ts';

/** The acts of a rotation that touch the HSM or its owner, each with the log rows it may cause. */
export type RotationAct =
  | 'rotationPolicy.write'
  | 'key.backup'
  | 'key.rotate'
  | 'key.tag'
  | 'key.disable'
  | 'key.enable'
  | 'key.prove'
  | 'key.compare'
  | 'mail.send'
  | 'event.publish';

/** Names that the detection rules give to kinds of HSM calls. */
export type OperationClass =
  | 'key.policy.set'
  | 'key.backup'
  | 'key.rotate'
  | 'key.update'
  | 'read.key'
  | 'read.list'
  | 'crypto.protect'
  | 'crypto.unprotect'
  | 'crypto.verify';

/** What all entries of one orchestration share. */
export interface ActContext {
  hsm: string;
  /** Name of the key. */
  key: string;
  identity: { duty: string; clientId: string };
  cause: RotationCause;
  instance: string;
  /** Tells apart repeats that are acts of their own, such as a second attempt after the first was found lost. */
  step?: string;
}

export interface IntentOptions {
  at: Date;
  /** At most so many calls of each class; defaults to what the act needs when nothing is retried. */
  count?: Partial<Record<OperationClass, number>>;
  /** How long the act may take; 15 minutes unless told. */
  lastsMinutes?: number;
  /** The HSM spans regions: its rows may lag by the replication, too. */
  multiRegion?: boolean;
  detail?: JournalEntry['detail'];
}

/** Clocks of the HSM, the log and this app may differ by so much on either side. */
const SKEW_MINUTES = 5;
/** A write may need so long to reach the other region. https://learn.microsoft.com/azure/key-vault/managed-hsm/multi-region-replication */
const REPLICATION_MINUTES = 6;

const CALLS: Record<RotationAct, Partial<Record<OperationClass, number>>> = {
  'rotationPolicy.write': { 'key.policy.set': 1 },
  'key.backup': { 'key.backup': 1 },
  'key.rotate': { 'key.rotate': 1, 'read.key': 2 },
  'key.tag': { 'key.update': 1 },
  'key.disable': { 'key.update': 1 },
  'key.enable': { 'key.update': 1 },
  'key.prove': { 'crypto.protect': 4, 'crypto.unprotect': 4, 'crypto.verify': 2 },
  'key.compare': { 'read.key': 1 },
  'mail.send': {},
  'event.publish': {},
};

/** The announcement of an act: written before it, so that its log rows are known for ours. */
export function rotationIntent(act: RotationAct, context: ActContext, options: IntentOptions): JournalEntry {
  const slack = SKEW_MINUTES + (options.multiRegion === true ? REPLICATION_MINUTES : 0);
  const minutes = (count: number) => toIso(new Date(options.at.getTime() + count * 60_000));
  return {
    ...common(act, context, options.at),
    id: entryId(context.instance, act, 'intent', context.step),
    kind: 'intent',
    window: { from: minutes(-slack), to: minutes((options.lastsMinutes ?? 15) + slack) },
    count: { ...CALLS[act], ...options.count },
    ...(options.detail === undefined ? {} : { detail: options.detail }),
  };
}

/** What came of an act that was announced. */
export function rotationOutcome(
  act: RotationAct,
  context: ActContext,
  outcome: { at: Date; result: NonNullable<JournalEntry['result']>; detail?: JournalEntry['detail'] },
): JournalEntry {
  return {
    ...common(act, context, outcome.at),
    id: entryId(context.instance, act, 'outcome', context.step),
    kind: 'outcome',
    intent: entryId(context.instance, act, 'intent', context.step),
    result: outcome.result,
    ...(outcome.detail === undefined ? {} : { detail: outcome.detail }),
  };
}

/** Something found or decided that is no act: a refusal, a reminder, an ignored event. */
export function rotationNote(
  subject: string,
  context: ActContext,
  note: { at: Date; detail?: JournalEntry['detail'] },
): JournalEntry {
  return {
    ...common(subject, context, note.at),
    id: `${context.instance}:${subject}:note`,
    kind: 'note',
    ...(note.detail === undefined ? {} : { detail: note.detail }),
  };
}

/** The same for every repeat of the step, so that a journal shows a step once however often it ran. */
export const entryId = (instance: string, act: string, kind: 'intent' | 'outcome', step?: string): string =>
  [instance, act, ...(step === undefined ? [] : [step]), kind].join(':');

/** `operator alice@contoso.example: key was exposed`, `event 1111 (KeyNearExpiry)`, `sweep`, `the HSM's own policy`. */
export function describeCause(cause: RotationCause): string {
  switch (cause.kind) {
    case 'Sweep':
      return 'sweep';
    case 'Event':
      return `event ${cause.eventId} (${cause.eventType})`;
    case 'Native':
      return "the HSM's own policy";
    case 'Operator':
      return `operator ${cause.by}: ${cause.note}`;
    case 'Incident':
      return `${cause.incident}, by ${cause.by}`;
  }
}

function common(act: string, context: ActContext, at: Date) {
  return {
    class: act,
    at: toIso(at),
    hsm: context.hsm,
    target: `keys/${context.key}`,
    identity: context.identity,
    cause: describeCause(context.cause),
    instance: context.instance,
  };
}
