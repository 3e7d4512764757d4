import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import { createLog, type LogLevel } from '../../shared/log.ts';
import { Secret } from '../../shared/secret.ts';

function recording() {
  const lines: { level: LogLevel; line: string }[] = [];
  const record = (level: LogLevel) => (line: string) => void lines.push({ level, line });
  const log = createLog({ debug: record('debug'), info: record('info'), warn: record('warn'), error: record('error') });
  return { log, lines };
}

function logged(fields: Record<string, unknown>): string {
  const { log, lines } = recording();
  log.info('tested', fields);
  return lines[0]?.line ?? '';
}

const jwt = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.${Buffer.from('{"aud":"x"}').toString('base64url')}.c2lnbmF0dXJl`;
const material = Buffer.alloc(66, 7).toString('base64url');

describe('a log line', () => {
  test('is one line of JSON with its level, event and fields, sent to the sink of its level', () => {
    const { log, lines } = recording();
    log.with({ instance: 'rotate-1' }).warn('key.refused', { reason: 'KeyDisabled', text: 'two\nlines' });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.level).toBe('warn');
    expect(lines[0]?.line).not.toContain('\n');
    expect(JSON.parse(lines[0]?.line ?? '')).toEqual({
      instance: 'rotate-1',
      reason: 'KeyDisabled',
      text: 'two\nlines',
      level: 'warn',
      event: 'key.refused',
    });
  });

  test('keeps its event and level whatever the fields are called', () => {
    expect(JSON.parse(logged({ event: 'forged', level: 'debug' }))).toEqual({ event: 'tested', level: 'info' });
  });

  test('shows an error by name, code, message and cause, and nothing that hangs on it', () => {
    const cause = Object.assign(new Error('reset'), {
      code: 'ECONNRESET',
      request: { headers: { authorization: jwt } },
    });
    const line = logged({ error: new AppError('ERR_TRANSIENT', 'No answer.', { nextStep: '', cause }) });
    expect(JSON.parse(line).error).toEqual({
      name: 'AppError',
      code: 'ERR_TRANSIENT',
      message: 'No answer.',
      cause: { name: 'Error', code: 'ECONNRESET', message: 'reset' },
    });
  });

  test.each([
    ['a field named as a secret', { accessToken: 'short' }, 'short'],
    ['a field in a deep object', { request: { headers: { Authorization: 'opaque-word' } } }, 'opaque-word'],
    ['a list of secrets', { tokens: [{ token: 'one-two' }] }, 'one-two'],
    ['a private member of a JWK', { jwk: { kty: 'RSA', d: 'c2VjcmV0' } }, 'c2VjcmV0'],
    ['a token in a text', { text: `sent ${jwt} twice` }, jwt],
    ['a bearer header in a text', { text: 'authorization: Bearer opaque.token-1' }, 'opaque.token-1'],
    ['a SAS in an address', { url: 'https://a.blob/x?sv=1&sig=abc%2Fdef&se=2' }, 'abc%2Fdef'],
    ['an account key in a connection string', { text: 'AccountName=a;AccountKey=Zm9v==;Suffix=x' }, 'Zm9v'],
    ['key material in a field of the protocol', { body: { value: material } }, material],
    ['a PEM block', { text: '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----' }, 'MIIE'],
    ['bytes', { wrapped: new TextEncoder().encode('plain') }, 'plain'],
    ['a Secret', { given: new Secret('correct horse') }, 'horse'],
    ['an error that quotes an address', { error: new Error('GET https://a/x?sig=abcdef failed') }, 'abcdef'],
  ])('never shows %s', (_, fields, secret) => {
    const line = logged(fields);
    expect(line).not.toContain(secret);
    expect(line).toMatch(/redacted|bytes/);
  });

  test('shows versions, hashes and names as they are', () => {
    const fields = {
      key: 'payments-signing',
      version: '1e681bb76ed00db415bf985b6739e3d1',
      fingerprint: 'a'.repeat(64),
      activityId: '010fccf6-40d0-11f1-a254-6045bdc24371',
    };
    expect(JSON.parse(logged(fields))).toMatchObject(fields);
  });

  test('ends, and stays JSON, for any value', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    expect(logged(cyclic)).toContain('[deeper]');
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything()), (fields) => {
        expect(JSON.parse(logged(fields)).event).toBe('tested');
      }),
      { numRuns: 200 },
    );
  });
});
