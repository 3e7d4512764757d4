import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IDENTITIES } from '../../../../../infra/local/identity/registrations.ts';
import {
  isBooleanSetting,
  KeyVaultAccessControlClient,
  KeyVaultSettingsClient,
  KnownKeyVaultRoleScope,
} from '../../../../../shared/adapters/azure/keyvault-admin/index.ts';
import { type Ground, startGround, startHsm } from '../estate.ts';
import { startFakeHsm } from './fake-hsm.ts';

const CRYPTO_AUDITOR = '2c18b078-7c48-4d3a-af88-5a3a1b3f82b3';
const PRINCIPAL = '00000000-0000-4000-8000-00000000abcd';
const NAME = '11111111-1111-4111-8111-111111111111';

let ground: Ground;
let hsm: Awaited<ReturnType<typeof startHsm>>;
let access: KeyVaultAccessControlClient;
let settings: KeyVaultSettingsClient;

beforeAll(async () => {
  ground = await startGround();
  hsm = await startHsm(ground);
  hsm.seedAssignment({
    principalId: IDENTITIES.rotate.objectId,
    roleDefinitionId: 'a290e904-7015-4bba-90c8-60543313cdb4',
    scope: '/',
  });
  const credential = await ground.identity('rotate').credential();
  access = new KeyVaultAccessControlClient(hsm.uri, credential);
  settings = new KeyVaultSettingsClient(hsm.uri, credential);
});
afterAll(async () => {
  await hsm.stop();
  await ground.stop();
});

const collect = async <T>(all: AsyncIterable<T>): Promise<T[]> => {
  const found = [];
  for await (const each of all) found.push(each);
  return found;
};

describe('local roles', () => {
  test('are listed, built-in and custom, with their permissions', async () => {
    const definitions = await collect(access.listRoleDefinitions(KnownKeyVaultRoleScope.Global));
    const auditor = definitions.find(({ name }) => name === CRYPTO_AUDITOR);
    expect(auditor).toMatchObject({ roleName: 'Managed HSM Crypto Auditor', roleType: 'AKVBuiltInRole' });
    expect(auditor?.permissions[0]?.dataActions).toContain('Microsoft.KeyVault/managedHsm/keys/read/action');
  });

  test('are assigned at the scope of one key, read back, and taken away twice', async () => {
    const id = (await access.getRoleDefinition('/', CRYPTO_AUDITOR)).id;
    const assigned = await access.createRoleAssignment('/keys/orders', NAME, id, PRINCIPAL);
    expect(assigned.properties).toEqual({ scope: '/keys/orders', roleDefinitionId: id, principalId: PRINCIPAL });
    expect(await access.getRoleAssignment('/keys/orders', NAME)).toEqual(assigned);
    const principals = async (scope: string) =>
      (await collect(access.listRoleAssignments(scope))).map(({ properties }) => properties.principalId);
    expect(await principals('/keys/orders')).toContain(PRINCIPAL);
    expect(await principals(KnownKeyVaultRoleScope.Keys)).not.toContain(PRINCIPAL);
    await access.deleteRoleAssignment('/keys/orders', NAME);
    await access.deleteRoleAssignment('/keys/orders', NAME);
    expect(await principals('/keys/orders')).not.toContain(PRINCIPAL);
  });

  test('of our own are written, read and removed', async () => {
    const dataActions = ['Microsoft.KeyVault/managedHsm/keys/read/action'];
    const written = await access.setRoleDefinition('/', {
      roleDefinitionName: NAME,
      roleName: 'Reader of names',
      permissions: [{ dataActions }],
      assignableScopes: ['/'],
    });
    expect(written).toMatchObject({ name: NAME, roleName: 'Reader of names', roleType: 'CustomRole' });
    expect((await access.getRoleDefinition('/', NAME)).permissions[0]?.dataActions).toEqual(dataActions);
    await access.deleteRoleDefinition('/', NAME);
    await expect(access.getRoleDefinition('/', NAME)).rejects.toMatchObject({
      statusCode: 404,
      code: 'RoleDefinitionNotFound',
    });
  });
});

describe('settings', () => {
  const name = 'AllowKeyManagementOperationsThroughARM';

  test('are listed and changed, booleans as booleans', async () => {
    const { settings: all } = await settings.getSettings();
    expect(all).toEqual([{ name, kind: 'boolean', value: false }]);
    const changed = await settings.updateSetting({ name, value: true });
    expect(isBooleanSetting(changed) && changed.value).toBe(true);
    expect(await settings.getSetting(name)).toEqual({ name, kind: 'boolean', value: true });
  });

  test('that do not exist are refused in the words of the service', async () => {
    await expect(settings.updateSetting({ name: 'invalid name', value: true })).rejects.toMatchObject({
      statusCode: 400,
      code: 'InvalidSetting',
    });
  });
});

test('pages are followed on the same HSM, and nowhere else', async () => {
  const fake = await startFakeHsm(ground);
  const client = new KeyVaultAccessControlClient(fake.uri, await ground.identity('rotate').credential());
  const page = (id: string, nextLink: string | null) => ({
    status: 200,
    body: { value: [{ id, name: id, type: 't', properties: {} }], nextLink },
  });
  fake.answer(({ url }) =>
    url.searchParams.has('skip')
      ? page('b', 'https://elsewhere.example/roles')
      : page('a', `${fake.uri}${url.pathname}?skip=1`),
  );
  const found: string[] = [];
  const walk = async () => {
    for await (const { name } of client.listRoleAssignments('/')) found.push(name);
  };
  await expect(walk()).rejects.toThrow('link to elsewhere.example');
  expect(found).toEqual(['a', 'b']);
  await fake.close();
});
