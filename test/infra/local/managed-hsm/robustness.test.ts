import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN, type Bench, CRYPTO_USER, startHsm } from './support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startHsm();
  bench.hsm.seedAssignment({ principalId: ADMIN, roleDefinitionId: CRYPTO_USER, scope: '/' });
  await bench.hsm.seedKey({ name: 'rsa', kty: 'RSA-HSM' });
  await bench.hsm.seedKey({ name: 'ec', kty: 'EC-HSM' });
  await bench.hsm.seedKey({ name: 'aes', kty: 'oct-HSM' });
});
afterAll(() => bench.hsm.stop());

const AUTHORIZATION = '/providers/Microsoft.Authorization';
const guid = randomUUID();
const targets: [string, string][] = [
  ['POST', '/keys/any/create'],
  ['PUT', '/keys/any'],
  ['PATCH', '/keys/ec'],
  ['PUT', '/keys/ec/rotationpolicy'],
  ['POST', '/keys/restore'],
  ['POST', '/rng'],
  ['PUT', `${AUTHORIZATION}/roleDefinitions/${guid}`],
  ['PUT', `${AUTHORIZATION}/roleAssignments/${guid}`],
  ['PATCH', '/settings/AllowKeyManagementOperationsThroughARM'],
  ...['rsa', 'ec', 'aes'].flatMap((name) =>
    ['encrypt', 'decrypt', 'sign', 'verify', 'wrapkey', 'unwrapkey'].map((verb): [string, string] => [
      'POST',
      `/keys/${name}/${verb}`,
    ]),
  ),
];

/** Bodies whose members are those that the service reads, with values of every type. */
const value = fc.oneof(
  { weight: 1, arbitrary: fc.jsonValue() },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>(
      ...[
        'EC-HSM',
        'oct-HSM',
        'RS256',
        'ES256',
        'A256GCM',
        'A256CBC',
        'A256KW',
        'RSA-OAEP',
        'P-256',
        'P30D',
        'AAAA',
        '',
      ],
      ...[0, -1, 1.5, 256, true, null, [null], [{}], { version: 1 }],
    ),
  },
);
const members = [
  ...[
    'kty',
    'key_size',
    'crv',
    'key_ops',
    'tags',
    'attributes',
    'release_policy',
    'key',
    'lifetimeActions',
    'properties',
  ],
  ...['value', 'alg', 'iv', 'tag', 'aad', 'digest', 'count'],
];
const body = fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom(...members), value), nested());

function nested() {
  const permission = fc.dictionary(fc.constantFrom('dataActions', 'notDataActions', 'actions'), value);
  return fc.record(
    {
      kty: fc.constantFrom('EC-HSM', 'oct-HSM'),
      key: fc.dictionary(fc.constantFrom('kty', 'crv', 'k', 'n', 'e', 'd', 'x', 'y', 'key_ops'), value),
      attributes: fc.dictionary(fc.constantFrom('exp', 'nbf', 'enabled', 'exportable', 'expiryTime'), value),
      lifetimeActions: fc.array(fc.dictionary(fc.constantFrom('trigger', 'action'), value)),
      properties: fc.record(
        {
          permissions: fc.oneof(value, fc.array(permission)),
          assignableScopes: value,
          principalId: value,
          roleName: value,
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  );
}

test('no body makes the service fail: each is answered or refused with an error of the service', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...targets), body, async ([method, path], sent) => {
      const answer = await bench.send(method, path, { as: ADMIN, body: sent });
      expect(answer.status, answer.text).toBeLessThan(500);
      if (answer.status >= 400) expect(answer.body.error?.message).toMatch(/\(Activity ID: [0-9a-f-]{36}\)$/);
    }),
    { numRuns: 300 },
  );
});
