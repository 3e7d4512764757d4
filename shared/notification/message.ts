/** What one mail says, before it becomes text or HTML. Every string is clean: one line, no control characters, bounded. */
export interface Message {
  /** `[installation] ACTION: hsm/key …`, fit to be a mail header. */
  subject: string;
  /** What happened, for the top of the mail. */
  headline: string;
  /** The line that a list of mails shows after the subject. */
  preheader: string;
  severity: Severity;
  greeting: string;
  paragraphs: string[];
  facts: Fact[];
  /** How a new version was proven; absent when nothing was to be proven. */
  checks?: Check[];
  warnings: string[];
  /** In this order; empty: nothing. */
  mustDo: string[];
  /** What else holds for those who use the key, said after what must be done. */
  mustDoNote?: string;
  /** To be copied as they are. */
  commands: string[];
  footer: string;
}

/** `attention`: somebody should read it. `critical`: somebody should read it now, and not the owner alone. */
export type Severity = 'info' | 'attention' | 'critical';

export interface Fact {
  label: string;
  value: string;
}

/** One check in the words of somebody who uses the key. */
export interface Check {
  text: string;
  result: 'ok' | 'failed' | 'unprovable';
  detail?: string;
}

/** What a kind of notice contributes; the rest is the same for every mail. */
export interface Draft extends Omit<Message, 'subject' | 'greeting' | 'footer' | 'warnings' | 'commands'> {
  /** Somebody has to do something: says so in the subject, unless it is critical, which says so already. */
  action: boolean;
  /** Name for the greeting. */
  owner?: string;
  warnings?: string[];
  commands?: string[];
}
