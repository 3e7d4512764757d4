import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseMail } from '../../../infra/local/mail-sink/mime.ts';
import { createMailSink } from '../../../infra/local/mail-sink/server.ts';
import { estateParts } from './support/parts.ts';

const { estate, faults, clock, tls } = await estateParts();
const sink = createMailSink({ estate, startTls: true });
beforeAll(() => sink.start());
afterAll(() => sink.stop());
beforeEach(() => {
  faults.clear();
  sink.reset();
});

const plain = () => createTransport({ host: sink.host, port: sink.port, ignoreTLS: true });
const letter = {
  from: 'keys@contoso.example',
  to: ['payments@contoso.example', 'dpo@contoso.example'],
  subject: 'Schlüssel „payments-card-pan“ läuft in 20 Tagen ab – bitte prüfen, denn danach wird er erneuert',
  text: `Guten Tag,\n\n${'Der Schlüssel läuft ab. '.repeat(12)}\n`,
  html: '<p>Der Schlüssel <b>payments-card-pan</b> läuft ab = bald.</p>',
  headers: { 'X-Mhsm-Event': 'KeyNearExpiry' },
};

describe('The mail sink', () => {
  test('keeps what nodemailer sends and reads it: headers, text, html', async () => {
    await plain().sendMail(letter);
    expect(sink.mail).toHaveLength(1);
    expect(sink.mail[0]).toMatchObject({
      from: 'keys@contoso.example',
      to: ['payments@contoso.example', 'dpo@contoso.example'],
      subject: letter.subject,
      html: letter.html,
      encrypted: false,
      headers: { 'x-mhsm-event': 'KeyNearExpiry' },
    });
    expect(sink.mail[0]?.text.trim()).toBe(letter.text.trim());
    expect(Math.abs(Date.parse(sink.mail[0]?.receivedAt ?? '') - clock.now().getTime())).toBeLessThan(60_000);
  });

  test('offers STARTTLS with the estate’s certificate', async () => {
    const { ca } = tls;
    const secure = createTransport({ host: 'localhost', port: sink.port, requireTLS: true, tls: { ca } });
    await secure.sendMail(letter);
    expect(sink.mail[0]?.encrypted).toBe(true);
  });

  test('refuses for good or for now, as the fault says', async () => {
    faults.add({ service: 'mail', operation: 'Data', status: 451, message: 'Try later.', count: 1 });
    await expect(plain().sendMail(letter)).rejects.toMatchObject({ responseCode: 451 });
    faults.add({
      service: 'mail',
      operation: 'Recipient',
      where: { to: 'dpo@contoso.example' },
      status: 550,
      count: 1,
    });
    const sent = await plain().sendMail(letter);
    expect(sent.rejected).toEqual(['dpo@contoso.example']);
    expect(sink.mail).toHaveLength(1);
  });

  test('takes a message and loses the answer, so that a sender who repeats delivers twice', async () => {
    faults.add({ service: 'mail', operation: 'Data', lostReply: 'after', count: 1 });
    await expect(plain().sendMail(letter)).rejects.toMatchObject({ responseCode: 421 });
    await plain().sendMail(letter);
    expect(sink.mail).toHaveLength(2);
  });

  test('remembers its mail over a restart', async () => {
    await plain().sendMail(letter);
    const saved = JSON.parse(JSON.stringify(sink.save()));
    sink.reset();
    sink.load(saved);
    expect(sink.mail[0]?.subject).toBe(letter.subject);
  });
});

test('A message with base64 parts and folded headers is read', () => {
  const raw = [
    'Subject: =?utf-8?B?U2NobMO8c3NlbA==?=',
    ' =?utf-8?Q?_l=C3=A4uft?=',
    'Content-Type: multipart/mixed; boundary="b"',
    '',
    '--b',
    'Content-Type: text/plain; charset=iso-8859-1',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'f=FCr alle',
    '--b',
    'Content-Type: text/html',
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from('<p>für alle</p>').toString('base64'),
    '--b--',
  ].join('\r\n');
  expect(parseMail(Buffer.from(raw))).toMatchObject({
    subject: 'Schlüssel läuft',
    text: 'für alle',
    html: '<p>für alle</p>',
  });
});
