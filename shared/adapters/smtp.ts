import type { SendMailOptions, Transporter } from 'nodemailer';
import type { MailSettings } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Mail, Mailer } from '../ports/mailer.ts';
import { redactText } from '../redact.ts';
import { once } from './once.ts';

const WAIT_MS = 20_000;

/** Mail through one SMTP server. A mail keeps its Message-ID, so that a repeat is the same mail. */
export function createMailer(settings: MailSettings): Mailer {
  const connect = once(() => openTransport(settings));
  return {
    async send(mail) {
      const transport = await connect();
      try {
        const { accepted, rejected } = await transport.sendMail(compose(mail, settings.from));
        return { accepted: accepted.map(addressText), refused: rejected.map(addressText) };
      } catch (error) {
        throw classifyMailFailure(error, settings);
      }
    },
  };
}

async function openTransport({
  host,
  port,
  security,
  signIn,
}: MailSettings): Promise<Transporter<{ accepted: Address[]; rejected: Address[] }>> {
  const { createTransport } = await import('nodemailer');
  return createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    // Forced: a server that stopped offering sign-in must be noticed, not written to as a stranger.
    ...(signIn ? { auth: { user: signIn.user, pass: signIn.password.reveal() }, forceAuth: true } : {}),
    connectionTimeout: WAIT_MS,
    greetingTimeout: WAIT_MS,
    socketTimeout: WAIT_MS,
    // Bodies are ours; a mail never makes the server read a file or fetch an address.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

function compose({ messageId, to, subject, text, html, headers }: Mail, from: string): SendMailOptions {
  const bracketed = messageId.startsWith('<') ? messageId : `<${messageId}>`;
  return { from, to, subject, text, html, headers, messageId: bracketed };
}

type Address = string | { address: string };

const addressText = (address: Address): string => (typeof address === 'string' ? address : address.address);

/** SMTP: 4yz asks to come again, 5yz is for good (RFC 5321, section 4.2.1). No code: no conversation took place. */
function classifyMailFailure(cause: unknown, { host, port }: MailSettings): unknown {
  if (!(cause instanceof Error) || !('code' in cause)) return cause;
  const { code, responseCode } = cause as Error & { code?: unknown; responseCode?: unknown };
  const server = `${host}:${port}`;
  const said = redactText(cause.message.split('\n')[0] ?? '').slice(0, 300);
  if (code === 'EAUTH' || code === 'ENOAUTH') {
    return new AppError('ERR_DENIED', `The mail server ${server} refuses the sign-in: ${said}`, {
      nextStep: 'Check MHSM_MAIL_USER and MHSM_MAIL_PASSWORD.',
      cause,
    });
  }
  if (code === 'ETLS') {
    return new AppError('ERR_REFUSED_BY_SERVICE', `No encrypted connection to the mail server ${server}: ${said}`, {
      nextStep: 'Check MHSM_MAIL_SECURITY and the certificate of the server.',
      cause,
    });
  }
  if (typeof responseCode === 'number' && responseCode >= 500) {
    return new AppError('ERR_REFUSED_BY_SERVICE', `The mail server ${server} refuses the mail: ${said}`, {
      nextStep: 'Check the sender and the recipients.',
      cause,
    });
  }
  return new AppError('ERR_TRANSIENT', `The mail server ${server} did not take the mail: ${said}`, {
    nextStep: 'Nothing to do: it is tried again.',
    cause,
  });
}
