/**
 * One act, or the announcement of one. An intent is written before the act, so that detection can later tell our own acts
 * from an intruder's: a log row may consume an intent only if class, target, actor and window match, and only `count` times.
 */
export interface JournalEntry {
  /** Unique and deterministic: a repeat of the same step has the same id. */
  id: string;
  kind: 'intent' | 'outcome' | 'note';
  /** What is done: `key.rotate`, `key.backup`, `key.prove`, `rotationPolicy.write`, `mail.send`, … */
  class: string;
  /** ISO instant. */
  at: string;
  hsm: string;
  /** `keys/{name}` or the operation. */
  target: string;
  /** The identity that acts: object or client id, and the duty it serves. */
  identity: { duty: string; clientId: string };
  /** The person or door that caused it. */
  cause: string;
  /** Instance id of the orchestration that the act belongs to. */
  instance: string;
  /** Intents only: when log rows may match, and how many calls at most by operation class. */
  window?: { from: string; to: string };
  count?: Record<string, number>;
  /** Outcomes only: id of the intent it answers. */
  intent?: string;
  result?: 'done' | 'refused' | 'failed' | 'unknown';
  /** Small facts: versions, reasons. Never key material, tokens or SAS. */
  detail?: Record<string, string | number | boolean | null>;
}
