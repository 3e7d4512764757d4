import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createMailSink, type MailSink } from '../../../infra/local/mail-sink/server.ts';
import { createMailer } from '../../../shared/adapters/smtp.ts';
import type { MailSettings } from '../../../shared/config.ts';
import type { Mail } from '../../../shared/ports/mailer.ts';
import { Secret } from '../../../shared/secret.ts';
import { type Ground, startGround } from './azure/estate.ts';

let ground: Ground;
let plain: MailSink;
let encrypted: MailSink;

beforeAll(async () => {
  ground = await startGround();
  plain = createMailSink({ estate: ground.estate, startTls: false });
  encrypted = createMailSink({ estate: ground.estate, startTls: true });
  await Promise.all([plain.start(), encrypted.start()]);
});
afterEach(() => ground.faults.clear());
afterAll(async () => {
  await Promise.all([plain.stop(), encrypted.stop()]);
  await ground.stop();
});

const settings = (port: number, changes: Partial<MailSettings> = {}): MailSettings => ({
  host: 'localhost',
  port,
  security: 'none',
  from: 'Key lifecycle <keys@contoso.com>',
  fallback: [],
  ...changes,
});

const mail = (to: string[]): Mail => ({
  messageId: 'rotated-contoso-orders-1@contoso.com',
  to,
  subject: 'The key orders was rotated',
  text: 'Hello Åda',
  html: '<p>Hello Åda</p>',
  headers: { 'X-Mhsm-Event': 'KeyNewVersionCreated' },
});

test('a mail arrives with its text, its headers and the same Message-ID at every repeat', async () => {
  const mailer = createMailer(settings(plain.port));
  expect(await mailer.send(mail(['ada@contoso.com']))).toEqual({ accepted: ['ada@contoso.com'], refused: [] });
  await mailer.send(mail(['ada@contoso.com']));
  const [first, second] = plain.mail.slice(-2).map((one) => JSON.stringify(one));
  for (const text of [first, second]) {
    expect(text).toContain('<rotated-contoso-orders-1@contoso.com>');
    expect(text).toContain('KeyNewVersionCreated');
    expect(text).toContain('Hello Åda');
  }
});

test('starttls encrypts the connection, and refuses a server that cannot', async () => {
  await createMailer(settings(encrypted.port, { security: 'starttls' })).send(mail(['ada@contoso.com']));
  expect(encrypted.mail.at(-1)?.encrypted).toBe(true);
  const refused = createMailer(settings(plain.port, { security: 'starttls' })).send(mail(['ada@contoso.com']));
  await expect(refused).rejects.toMatchObject({ code: 'ERR_REFUSED_BY_SERVICE' });
});

test('a recipient that is refused does not keep the mail from the others', async () => {
  ground.faults.add({ service: 'mail', operation: 'Recipient', where: { to: 'gone@contoso.com' }, status: 550 });
  const result = await createMailer(settings(plain.port)).send(mail(['ada@contoso.com', 'gone@contoso.com']));
  expect(result).toEqual({ accepted: ['ada@contoso.com'], refused: ['gone@contoso.com'] });
});

test.each([
  ['Recipient', 550, 'ERR_REFUSED_BY_SERVICE'],
  ['Recipient', 450, 'ERR_TRANSIENT'],
  ['Data', 554, 'ERR_REFUSED_BY_SERVICE'],
  ['Data', 451, 'ERR_TRANSIENT'],
  ['Connect', 421, 'ERR_TRANSIENT'],
])('at %s the answer %i is %s', async (operation, status, code) => {
  ground.faults.add({ service: 'mail', operation, status });
  await expect(createMailer(settings(plain.port)).send(mail(['ada@contoso.com']))).rejects.toMatchObject({ code });
});

test('a server that does not answer is transient, and a sign-in it does not take is a denial', async () => {
  await expect(createMailer(settings(1)).send(mail(['ada@contoso.com']))).rejects.toMatchObject({
    code: 'ERR_TRANSIENT',
  });
  const signIn = { user: 'keys', password: new Secret('correct horse') };
  const denied = createMailer(settings(plain.port, { signIn })).send(mail(['ada@contoso.com']));
  await expect(denied).rejects.toMatchObject({ code: 'ERR_DENIED', message: expect.not.stringContaining('horse') });
});
