import type { AuditRow } from './estate.ts';
import type { HostChange } from './host-process.ts';
import type { Mail } from './mail-sink/server.ts';
import type { Delivery, RecordedEvent } from './topic/delivery.ts';
import type { WebhookCall } from './webhook-sink/server.ts';

/** Something that happened in the estate, for the terminal and for scenarios. */
export type Happening =
  | { kind: 'audit'; row: AuditRow }
  | { kind: 'event'; event: RecordedEvent }
  | { kind: 'delivery'; event: RecordedEvent; delivery: Delivery }
  | { kind: 'mail'; mail: Mail }
  | { kind: 'webhook'; call: WebhookCall }
  | { kind: 'clock'; now: Date; offsetMs: number }
  | { kind: 'host'; change: HostChange };

export type HappeningListener = (happening: Happening) => void;
