import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN, type Bench, CRYPTO_AUDITOR, CRYPTO_USER, NOBODY, startHsm, USER } from './support.ts';

const DEFINITIONS = '/providers/Microsoft.Authorization/roleDefinitions';
const ASSIGNMENTS = '/providers/Microsoft.Authorization/roleAssignments';
const definitionId = (name: string) => `Microsoft.KeyVault${DEFINITIONS}/${name}`;
const READ = 'Microsoft.KeyVault/managedHsm/keys/read/action';

let bench: Bench;
beforeAll(async () => {
  bench = await startHsm();
  await bench.hsm.seedKey({ name: 'orders', kty: 'EC-HSM', pooledMaterial: true });
  await bench.hsm.seedKey({ name: 'orders-archive', kty: 'EC-HSM', pooledMaterial: true });
});
afterAll(() => bench.hsm.stop());

const asAdmin = (method: string, path: string, body?: unknown) => bench.send(method, path, { as: ADMIN, body });
const assign = (scope: string, role: string, principalId: string, name: string = randomUUID()) =>
  asAdmin('PUT', `${scope === '/' ? '' : scope}${ASSIGNMENTS}/${name}`, {
    properties: { principalId, roleDefinitionId: definitionId(role) },
  });
const names = (answer: { body: Record<string, unknown> }) =>
  (answer.body.value as { name: string }[]).map(({ name }) => name);

describe('role assignments', () => {
  test('grant at a key for that key alone, at /keys for every key', async () => {
    const reader = randomUUID();
    const read = async (key: string) => (await bench.send('GET', `/keys/${key}`, { as: reader })).status;
    expect(await read('orders')).toBe(403);
    expect((await assign('/keys/orders', CRYPTO_AUDITOR, reader)).status).toBe(201);
    expect([await read('orders'), await read('orders-archive')]).toEqual([200, 403]);
    expect((await bench.send('GET', '/keys', { as: reader })).status).toBe(403);
    expect((await assign('/keys', CRYPTO_AUDITOR, reader)).body.id).toMatch(/^\/keys\/providers\//);
    expect([await read('orders'), await read('orders-archive')]).toEqual([200, 200]);
    expect((await bench.send('GET', '/settings', { as: reader })).status).toBe(403);
  });

  test('at a key are not listed at / or /keys, and are listed at the key', async () => {
    const name = randomUUID();
    await assign('/keys/orders', CRYPTO_USER, NOBODY, name);
    for (const scope of ['', '/keys'])
      expect(names(await asAdmin('GET', `${scope}${ASSIGNMENTS}`))).not.toContain(name);
    expect(names(await asAdmin('GET', `/keys/orders${ASSIGNMENTS}`))).toContain(name);
    expect(names(await asAdmin('GET', `///${ASSIGNMENTS.slice(1)}`))).toHaveLength(6);
  });

  test('are filtered by atScope() and by principal', async () => {
    const principalId = randomUUID();
    const atKey = randomUUID();
    const atHsm = randomUUID();
    await assign('/keys/orders', CRYPTO_AUDITOR, principalId, atKey);
    await assign('/', CRYPTO_AUDITOR, principalId, atHsm);
    const filtered = async (filter: string) =>
      names(await asAdmin('GET', `/keys/orders${ASSIGNMENTS}?$filter=${encodeURIComponent(filter)}`));
    expect((await filtered(`principalId eq '${principalId}'`)).sort()).toEqual([atKey, atHsm].sort());
    expect(await filtered('atScope()')).toEqual(expect.arrayContaining([atKey, atHsm]));
    expect((await asAdmin('GET', `${ASSIGNMENTS}?$filter=nonsense`)).status).toBe(400);
  });

  test('answer 404 when there is none, and the removed one on DELETE', async () => {
    const name = randomUUID();
    expect((await asAdmin('DELETE', `${ASSIGNMENTS}/${name}`)).body.error?.code).toBe('RoleAssignmentNotFound');
    const made = await assign('/', CRYPTO_AUDITOR, NOBODY, name);
    const removed = await asAdmin('DELETE', `${ASSIGNMENTS}/${name}`);
    expect(removed).toMatchObject({ status: 200, body: made.body });
  });

  test('conflict when the name is taken, and have GUIDs for names', async () => {
    const name = randomUUID();
    await assign('/', CRYPTO_AUDITOR, NOBODY, name);
    expect((await assign('/', CRYPTO_AUDITOR, NOBODY, name)).status).toBe(409);
    expect((await assign('/', CRYPTO_AUDITOR, NOBODY, 'no-guid')).status).toBe(400);
    expect((await assign('/', randomUUID(), NOBODY)).body.error?.code).toBe('RoleDefinitionNotFound');
  });
});

describe('role definitions', () => {
  test('custom ones grant what they name, less what they exclude, and nothing once deleted', async () => {
    const name = randomUUID();
    const worker = randomUUID();
    const put = (permission: unknown) =>
      asAdmin('PUT', `${DEFINITIONS}/${name}`, { properties: { roleName: 'Reader', permissions: [permission] } });
    const read = async () => (await bench.send('GET', '/keys/orders', { as: worker })).status;
    expect((await put({ dataActions: [READ] })).status).toBe(201);
    await assign('/', name, worker);
    expect(await read()).toBe(200);
    await put({ dataActions: [READ], notDataActions: [READ] });
    expect(await read()).toBe(403);
    await put({ dataActions: [READ] });
    expect((await asAdmin('DELETE', `${DEFINITIONS}/${name}`)).status).toBe(200);
    expect(await read()).toBe(403);
    expect((await asAdmin('GET', `${DEFINITIONS}/${name}`)).body.error?.code).toBe('RoleDefinitionNotFound');
  });

  test('refuse built-in names, names that are no GUID, other scopes and foreign actions', async () => {
    const properties = { roleName: 'x', permissions: [{ dataActions: ['Microsoft.Storage/read'] }] };
    const refusals = await Promise.all([
      asAdmin('PUT', `${DEFINITIONS}/${CRYPTO_USER}`, { properties }),
      asAdmin('DELETE', `${DEFINITIONS}/${CRYPTO_USER}`),
      asAdmin('PUT', `${DEFINITIONS}/foo%20bar`),
      asAdmin('PUT', `/keys${DEFINITIONS}/${randomUUID()}`, { properties }),
      asAdmin('PUT', `${DEFINITIONS}/${randomUUID()}`, { properties }),
    ]);
    expect(refusals.map(({ status, body }) => [status, body.error?.code])).toEqual(
      Array.from({ length: 5 }, () => [400, 'BadParameter']),
    );
    expect((await bench.send('PUT', `${DEFINITIONS}/${randomUUID()}`, { as: USER, body: {} })).status).toBe(403);
  });
});

test('caps hold at the HSM, at a key and for custom roles', async () => {
  const { hsm, send } = await startHsm();
  const seed = (scope: string) =>
    hsm.seedAssignment({ principalId: randomUUID(), roleDefinitionId: CRYPTO_USER, scope });
  while (hsm.keys().roleAssignments.length < 50) seed('/');
  const body = { properties: { principalId: NOBODY, roleDefinitionId: definitionId(CRYPTO_USER) } };
  expect((await send('PUT', `${ASSIGNMENTS}/${randomUUID()}`, { as: ADMIN, body })).status).toBe(400);
  for (let count = 0; count < 10; count++) seed('/keys/orders');
  expect((await send('PUT', `/keys/orders${ASSIGNMENTS}/${randomUUID()}`, { as: ADMIN, body })).status).toBe(400);
  for (let count = 0; count < 50; count++)
    hsm.seedRole({ roleName: `role ${count}`, dataActions: ['keys/read/action'] });
  expect(() => hsm.seedRole({ roleName: 'one more', dataActions: [] })).toThrow('limit');
  await hsm.stop();
});

test('settings are strings, and only the known one exists', async () => {
  const path = '/settings/AllowKeyManagementOperationsThroughARM';
  expect((await asAdmin('GET', '/settings')).body.settings).toEqual([
    { name: 'AllowKeyManagementOperationsThroughARM', type: 'boolean', value: 'false' },
  ]);
  expect((await asAdmin('PATCH', path, { value: 'true' })).status).toBe(200);
  expect((await asAdmin('GET', path)).body.value).toBe('true');
  expect((await asAdmin('PATCH', '/settings/other', { value: 'true' })).body.error?.code).toBe('InvalidSetting');
});
