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

/**
 * Hands a mail to the mail system. Throws ERR_TRANSIENT, ERR_REFUSED_BY_SERVICE when every recipient was refused, or
 * ERR_DENIED when the mail system refuses our sign-in.
 */
export interface Mailer {
  send(mail: Mail): Promise<{ accepted: string[]; refused: string[] }>;
}
