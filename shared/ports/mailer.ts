export interface Mail {
  /** Deterministic: a repeat is the same message to every mail system that looks. */
  messageId: string;
  to: string[];
  subject: string;
  text: string;
  html: string;
  /** Extra headers, for rules and threading. */
  headers: Record<string, string>;
}

/** Hands a mail to the mail system. Throws ERR_TRANSIENT, or ERR_REFUSED_BY_SERVICE when every recipient was refused. */
export interface Mailer {
  send(mail: Mail): Promise<{ accepted: string[]; refused: string[] }>;
}
