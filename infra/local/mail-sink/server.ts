import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import type { Estate, Service } from '../estate.ts';
import { type ParsedMail, parseMail } from './mime.ts';

/** A message that was accepted. */
export interface Mail extends ParsedMail {
  id: string;
  /** Estate time. */
  receivedAt: string;
  from: string;
  to: string[];
  /** Whether the connection was encrypted when the message came. */
  encrypted: boolean;
}

export interface MailSink extends Service {
  readonly host: string;
  readonly port: number;
  readonly mail: readonly Mail[];
}

/** What mail clients get as an answer of the given code; `responseCode` is what smtp-server sends. */
const smtpError = (responseCode: number, message: string) => Object.assign(new Error(message), { responseCode });

/**
 * An SMTP server that accepts everything and keeps it. Faults meet it as service `mail`, operations `Connect`, `Recipient`
 * (attribute `to`) and `Data` (attribute `subject`): a `status` of 400 to 599 is the SMTP code, 4xx temporary.
 */
export function createMailSink(options: {
  estate: Estate;
  port?: number;
  /** Offers STARTTLS with the estate's certificate. */
  startTls: boolean;
  onMail?(mail: Mail): void;
}): MailSink {
  const { estate, onMail } = options;
  const mail: Mail[] = [];
  let next = 1;
  let port = 0;

  const meet = async (operation: string, attributes: Record<string, string>, session: SMTPServerSession) => {
    const fault = await estate.faults.meet('mail', operation, { remoteAddress: session.remoteAddress, ...attributes });
    if (fault.kind === 'answer') throw smtpError(fault.status, fault.message);
    if (fault.kind === 'lostReply') return fault.when;
    return undefined;
  };
  const act = (promise: Promise<void>, callback: (error?: Error | null) => void) => {
    promise.then(() => callback(), callback);
  };

  const receive = async (raw: Buffer, session: SMTPServerSession): Promise<void> => {
    const parsed = parseMail(raw);
    const { mailFrom, rcptTo } = session.envelope;
    const to = rcptTo.map((one) => one.address);
    const lost = await meet('Data', { subject: parsed.subject, to: to.join(',') }, session);
    if (lost === 'before') throw smtpError(451, 'Lost before it was taken.');
    const message: Mail = {
      id: `mail-${next++}`,
      receivedAt: estate.clock.now().toISOString(),
      from: mailFrom === false ? '' : mailFrom.address,
      to,
      encrypted: session.secure,
      ...parsed,
    };
    mail.push(message);
    onMail?.(message);
    // Taken, and the sender is told otherwise: what a connection cut after the final dot looks like.
    if (lost === 'after') throw smtpError(421, 'The connection was lost after the message was taken.');
  };

  const server = new SMTPServer({
    authOptional: true,
    banner: 'Embedded estate mail sink',
    disableReverseLookup: true,
    disabledCommands: options.startTls ? ['AUTH'] : ['AUTH', 'STARTTLS'],
    key: estate.tls.key,
    cert: estate.tls.cert,
    onConnect: (session, callback) =>
      act(
        meet('Connect', {}, session).then(() => undefined),
        callback,
      ),
    onRcptTo: ({ address }, session, callback) =>
      act(
        meet('Recipient', { to: address }, session).then(() => undefined),
        callback,
      ),
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.once('error', callback);
      stream.once('end', () => act(receive(Buffer.concat(chunks), session), callback));
    },
  });
  return {
    name: 'mail',
    host: '127.0.0.1',
    get port() {
      return port;
    },
    get url() {
      return `smtp://127.0.0.1:${port}`;
    },
    mail,
    async start() {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(options.port ?? 0, '127.0.0.1', () => {
          server.off('error', reject);
          // A client that hangs up early is its own affair; anything else is told.
          server.on('error', (error: NodeJS.ErrnoException) => {
            if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') console.error('Mail sink:', error.message);
          });
          resolve();
        });
      });
      port = (server.server.address() as AddressInfo).port;
    },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
    save: () => ({ next, mail }),
    load(saved) {
      const kept = saved as { next: number; mail: Mail[] };
      next = kept.next;
      mail.splice(0, mail.length, ...kept.mail);
    },
    reset: () => void mail.splice(0),
  };
}
