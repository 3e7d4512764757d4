import { EVENT_PREFIX, type LifecycleEvent } from '../events/lifecycle-event.ts';
import type { Fact, Message, Severity } from './message.ts';
import type { Notice } from './notice.ts';

/**
 * What a webhook is sent, as JSON. Fields are added within a version; a change that breaks a receiver is a new version. Its
 * schema is functions/operator/webhook-schema.ts.
 */
export type WebhookPayload = EventPayload | NoticePayload;

interface Payload {
  version: 1;
  /** ISO instant of the fact, whenever it arrives. */
  timestamp: string;
  installation: string;
}

/** A published event, for programs. */
export interface EventPayload extends Payload {
  kind: 'event';
  /** With its prefix, as on the topic. */
  type: string;
  data: Pick<LifecycleEvent, 'id' | 'source' | 'subject' | 'data'>;
}

/** A notice, for people: what the mail says. */
export interface NoticePayload extends Payload {
  kind: 'notice';
  /** `ManagedHsmLifecycle.Notice.` and the kind of the notice. */
  type: string;
  data: {
    id: string;
    severity: Severity;
    hsm?: string;
    key?: string;
    headline: string;
    paragraphs: string[];
    facts: Fact[];
    warnings: string[];
    /** In this order; empty: nothing. */
    mustDo: string[];
    commands: string[];
  };
}

export const NOTICE_PREFIX = `${EVENT_PREFIX}Notice.`;

export const eventPayload = (installation: string, event: LifecycleEvent): EventPayload => {
  const { id, type, source, subject, time, data } = event;
  return {
    version: 1,
    kind: 'event',
    type: `${EVENT_PREFIX}${type}`,
    timestamp: time,
    installation,
    data: { id, source, subject, data },
  };
};

export const noticePayload = (installation: string, id: string, notice: Notice, message: Message): NoticePayload => {
  const { severity, headline, paragraphs, facts, warnings, mustDo, commands } = message;
  return {
    version: 1,
    kind: 'notice',
    type: `${NOTICE_PREFIX}${notice.kind}`,
    timestamp: notice.at,
    installation,
    data: { id, severity, ...concerning(notice), headline, paragraphs, facts, warnings, mustDo, commands },
  };
};

/** The HSM, and the key if there is one, that a notice is about. */
export function concerning(notice: Notice): { hsm?: string; key?: string } {
  if ('hsm' in notice) return { hsm: notice.hsm };
  return 'key' in notice ? { hsm: notice.key.hsm, key: notice.key.name } : {};
}
