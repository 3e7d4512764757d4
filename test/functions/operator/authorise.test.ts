import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Authorise, createAuthorise } from '../../../functions/operator/authorise.ts';

const issuer = 'https://login.example/tenant/v2.0';
const audience = 'api://managed-hsm-lifecycle';
let server: Server;
let authorise: Authorise;
let sign: (claims?: Record<string, unknown>, change?: (jwt: SignJWT) => SignJWT, kid?: string) => Promise<string>;
let answer: { status: number; body: string };
let url: string;

beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  answer = { status: 200, body: JSON.stringify({ keys: [jwk] }) };
  server = createServer((_, response) => response.writeHead(answer.status).end(answer.body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  authorise = createAuthorise({ issuers: [issuer], audience, jwksUrl: url });
  sign = async (claims = {}, change = (jwt) => jwt, kid = 'k1') =>
    `Bearer ${await change(
      new SignJWT({ oid: 'alice', name: 'Alice', roles: ['Operator'], ...claims })
        .setProtectedHeader({ alg: 'ES256', kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime('5m'),
    ).sign(privateKey)}`;
});
afterAll(() => server.close());

const refusal = (authorization: string | null, by = authorise) =>
  by(authorization, ['Operator']).then(
    () => undefined,
    (error: { problem?: { status: number; code: string } }) => error.problem,
  );

describe('authorise', () => {
  test('knows the caller of a valid token by object id, with the roles of this app only', async () => {
    expect(await authorise(await sign({ roles: ['Operator', 'GlobalAdmin', 7] }), ['Viewer', 'Operator'])).toEqual({
      oid: 'alice',
      name: 'Alice',
      roles: ['Operator'],
    });
  });

  test('takes a token as each host of its authority writes the issuer, and as no other', async () => {
    const both = createAuthorise({ issuers: ['https://login.example/other', issuer], audience, jwksUrl: url });
    expect(await both(await sign(), ['Operator'])).toMatchObject({ oid: 'alice' });
    const other = await sign({}, (jwt) => jwt.setIssuer('https://login.example/other'));
    expect(await both(other, ['Operator'])).toMatchObject({ oid: 'alice' });
    expect(await refusal(other)).toMatchObject({ status: 401 });
  });

  test('tells an application that acts for a person from one that acts by its own right', async () => {
    const [person, app] = [await sign({ azp: 'tool', scp: 'user_impersonation' }), await sign({ azp: 'tool' })];
    expect(await authorise(person, ['Operator'])).toMatchObject({ app: 'tool', delegated: true });
    expect(await authorise(app, ['Operator'])).not.toHaveProperty('delegated');
  });

  test.each([
    ['no header', async () => null],
    ['another scheme', async () => 'Basic YTpi'],
    ['no token', async () => 'Bearer '],
    ['something that is no token', async () => 'Bearer abc'],
    ['another issuer', () => sign({}, (jwt) => jwt.setIssuer('https://evil.example'))],
    ['another audience', () => sign({}, (jwt) => jwt.setAudience('https://management.azure.com'))],
    ['an expired token', () => sign({}, (jwt) => jwt.setExpirationTime('-1m'))],
    ['a token that is not valid yet', () => sign({}, (jwt) => jwt.setNotBefore('5m'))],
    ['a token that names nobody', () => sign({ oid: undefined })],
    ['a key that is not published', () => sign({}, undefined, 'k2')],
    [
      'a changed payload',
      async () => {
        const [head, , signature] = (await sign()).split('.');
        const claims = { oid: 'mallory', roles: ['Operator'], iss: issuer, aud: audience, exp: 4e9 };
        return [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
      },
    ],
    [
      'alg none',
      async () =>
        `Bearer ${new UnsecuredJWT({ oid: 'mallory', roles: ['Operator'] }).setIssuer(issuer).setAudience(audience).setExpirationTime('5m').encode()}`,
    ],
    [
      'HS256 with the public key as its secret',
      async () =>
        `Bearer ${await new SignJWT({ oid: 'mallory', roles: ['Operator'] })
          .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
          .setIssuer(issuer)
          .setAudience(audience)
          .setExpirationTime('5m')
          .sign(new TextEncoder().encode(answer.body))}`,
    ],
  ])('answers 401 to %s', async (_, token) => {
    expect(await refusal(await token())).toMatchObject({ status: 401, code: 'Unauthenticated' });
  });

  test.each([
    ['none', undefined],
    ['another', ['Viewer', 'Approver']],
    ['a text instead of a list', 'Operator'],
    ['a nested list', [['Operator']]],
  ])('answers 403 to a token with roles: %s', async (_, roles) => {
    expect(await refusal(await sign({ roles }))).toMatchObject({ status: 403, code: 'Forbidden' });
  });

  test.each([
    ['answer with an error', { status: 500, body: '' }],
    ['are no keys', { status: 200, body: '{"keys":7}' }],
    ['are no JSON', { status: 200, body: '<html>' }],
  ])('does not blame the token when the signing keys %s', async (_, broken) => {
    const good = answer;
    answer = broken;
    const problem = await refusal(await sign(), createAuthorise({ issuers: [issuer], audience, jwksUrl: url }));
    answer = good;
    expect(problem).toMatchObject({ status: 503, code: 'SignInUnavailable' });
  });

  test('does not blame the token when the identity provider cannot be reached, and recovers by itself', async () => {
    const nowhere = createAuthorise({ issuers: [issuer], audience, jwksUrl: 'http://127.0.0.1:1/keys' });
    expect(await refusal(await sign(), nowhere)).toMatchObject({ status: 503, code: 'SignInUnavailable' });
    expect(await refusal(await sign())).toBeUndefined();
  });
});
