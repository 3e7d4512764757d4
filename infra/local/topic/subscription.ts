import type { Schema, TakenEvent } from './events.ts';

export type Destination =
  /** A storage queue: one message an event, base64 of its JSON, written with the topic's identity. */
  | { kind: 'queue'; queue: string }
  | { kind: 'webhook'; url: string }
  /** The Event Grid trigger of a function in the host; its address is known once the host is up. */
  | { kind: 'function'; functionName: string };

export interface Subscription {
  name: string;
  destination: Destination;
  schema: Schema;
  /** Absent: every type. */
  includedEventTypes?: string[];
  subjectBeginsWith?: string;
  subjectEndsWith?: string;
  /** 1 to 30, default 30. */
  maxDeliveryAttempts?: number;
  /** 1 to 1440, default 1440. */
  eventTimeToLiveMinutes?: number;
  /** Container for events that could not be delivered; absent: they vanish. */
  deadLetterContainer?: string;
}

/** Whether the subscription's filters let the event through. Types and subjects compare ignoring case, as in Azure. */
export function wants(subscription: Subscription, event: TakenEvent): boolean {
  const { includedEventTypes, subjectBeginsWith = '', subjectEndsWith = '' } = subscription;
  const same = (left: string, right: string) => left.toLowerCase() === right.toLowerCase();
  const subject = event.subject.toLowerCase();
  return (
    (includedEventTypes === undefined || includedEventTypes.some((type) => same(type, event.type))) &&
    subject.startsWith(subjectBeginsWith.toLowerCase()) &&
    subject.endsWith(subjectEndsWith.toLowerCase())
  );
}
