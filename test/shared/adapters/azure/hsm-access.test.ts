import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { IDENTITIES } from '../../../../infra/local/identity/registrations.ts';
import { createHsmAccess } from '../../../../shared/adapters/azure/hsm-access.ts';
import type { HsmAccess } from '../../../../shared/ports/hsm-access.ts';
import { type Ground, startGround, startHsm } from './estate.ts';

const ADMINISTRATOR = 'a290e904-7015-4bba-90c8-60543313cdb4';
const CRYPTO_USER = '21dbd100-6940-42c2-9190-5d6cb909625b';
const PRINCIPAL = '00000000-0000-4000-8000-00000000abcd';

let ground: Ground;
let hsm: Awaited<ReturnType<typeof startHsm>>;
let access: HsmAccess;

beforeAll(async () => {
  ground = await startGround();
  hsm = await startHsm(ground);
  hsm.seedAssignment({ principalId: IDENTITIES.backup.objectId, roleDefinitionId: ADMINISTRATOR, scope: '/' });
  hsm.seedAssignment({ principalId: PRINCIPAL, roleDefinitionId: CRYPTO_USER, scope: '/keys' });
  for (const name of ['orders', 'billing']) {
    hsm.seedAssignment({ principalId: PRINCIPAL, roleDefinitionId: CRYPTO_USER, scope: `/keys/${name}` });
  }
  access = createHsmAccess({ hsms: [{ name: 'contoso', uri: hsm.uri }], identity: ground.identity('backup') });
});
afterEach(() => ground.faults.clear());
afterAll(async () => {
  await hsm.stop();
  await ground.stop();
});

const aGuid = (n: number) => `11111111-1111-4111-8111-${String(n).padStart(12, '0')}`;

test('role definitions are read with their permissions, and custom ones are told apart', async () => {
  const definitions = await access.roleDefinitions('contoso');
  expect(definitions.find(({ id }) => id === ADMINISTRATOR)).toMatchObject({ custom: false });
  expect(definitions.find(({ name }) => name === 'Lifecycle observe')).toMatchObject({
    custom: true,
    dataActions: ['Microsoft.KeyVault/managedHsm/keys/read/action'],
  });
});

test('an inventory finds assignments at every key, each once and in order', async () => {
  const found = await access.inventory('contoso', ['orders', 'billing', 'unused']);
  const own = found.filter(({ principalId }) => principalId === PRINCIPAL);
  expect(own.map(({ scope }) => scope)).toEqual(['/keys', '/keys/billing', '/keys/orders']);
  expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
  expect(own.every(({ roleDefinitionId }) => roleDefinitionId === CRYPTO_USER)).toBe(true);
});

test('an assignment is made once, however often it is asked for and though its reply is lost', async () => {
  const assignment = { id: aGuid(1), scope: '/keys/orders', roleDefinitionId: CRYPTO_USER, principalId: aGuid(9) };
  ground.faults.add({ service: 'hsm', operation: 'RoleAssignmentPut', lostReply: 'after', count: 1 });
  await access.assign('contoso', assignment);
  await access.assign('contoso', assignment);
  expect((await access.roleAssignments('contoso', '/keys/orders')).filter(({ id }) => id === aGuid(1))).toEqual([
    assignment,
  ]);
  await access.unassign('contoso', '/keys/orders', aGuid(1));
  await access.unassign('contoso', '/keys/orders', aGuid(1));
  expect((await access.roleAssignments('contoso', '/keys/orders')).some(({ id }) => id === aGuid(1))).toBe(false);
});

test('an assignment under the name of another is refused, and the other is left as it is', async () => {
  const assignment = { id: aGuid(2), scope: '/', roleDefinitionId: CRYPTO_USER, principalId: aGuid(9) };
  await access.assign('contoso', assignment);
  await expect(access.assign('contoso', { ...assignment, principalId: aGuid(8) })).rejects.toMatchObject({
    code: 'ERR_CONFLICT',
  });
  expect(await access.roleAssignments('contoso', '/')).toContainEqual(assignment);
});

test('a missing right names the data action and the scope', async () => {
  const asRotator = createHsmAccess({ hsms: [{ name: 'contoso', uri: hsm.uri }], identity: ground.identity('rotate') });
  await expect(asRotator.roleAssignments('contoso', '/')).rejects.toMatchObject({
    code: 'ERR_DENIED',
    denial: { duty: 'rotate', dataAction: 'Microsoft.KeyVault/managedHsm/roleAssignments/read/action', scope: '/' },
  });
});
