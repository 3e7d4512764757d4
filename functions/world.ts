import type { HsmSettings } from '../shared/config.ts';
import type { Clock } from '../shared/ports/clock.ts';
import type { CreationSlots } from '../shared/ports/creation-slots.ts';
import type { Documents } from '../shared/ports/documents.ts';
import type { EventPublisher } from '../shared/ports/event-publisher.ts';
import type { HsmCrypto } from '../shared/ports/hsm-crypto.ts';
import type { HsmKeys } from '../shared/ports/hsm-keys.ts';
import type { JournalLog } from '../shared/ports/journal-log.ts';
import type { Mailer } from '../shared/ports/mailer.ts';

/** A duty and the identity that serves it; each has the least role that works. */
export type Duty = 'observe' | 'rotate';

/** Everything that activities and operator handlers may touch, in our words. Built once in main.ts. */
export interface World {
  installation: string;
  /** Who is told when the policy names nobody, or while there is no policy. */
  fallbackRecipients: string[];
  hsms: HsmSettings[];
  identities: Record<Duty, { duty: Duty; clientId: string }>;
  /** Reads as the observing identity, acts as the rotating one. */
  keys: Record<Duty, HsmKeys>;
  crypto: HsmCrypto;
  documents: Documents;
  journal: JournalLog;
  events: EventPublisher;
  mailer: Mailer;
  slots: CreationSlots;
  clock: Clock;
  /** How long a call whose reply was lost may still take effect, and a write may need to be seen, in milliseconds. */
  settleMs(hsm: string): number;
}
