import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { IDENTITIES } from '../../../../infra/local/identity/registrations.ts';
import { type BackupHsm, backupBench } from './backup/support.ts';
import { CRYPTO_USER } from './support.ts';

interface LocalRole {
  duty: string;
  roleName: string;
  permissions: { dataActions: string[] }[];
}

const ROLES = JSON.parse(
  readFileSync(new URL('../../../../infra/azure/hsm-roles.json', import.meta.url), 'utf8'),
) as LocalRole[];
const PREFIX = 'Microsoft.KeyVault/managedHsm/';
const ASSIGNMENTS = '/keys/orders/providers/Microsoft.Authorization/roleAssignments';
const DEFINITIONS = '/providers/Microsoft.Authorization/roleDefinitions';
const nobody = randomUUID();

/**
 * One request for each data action, about something that is not there or without what it needs: rights are looked at first, so
 * it ends with 403 for want of them and never otherwise, and changes nothing.
 */
const REQUESTS: Record<string, [method: string, path: string]> = {
  'keys/read/action': ['GET', '/keys/nobody'],
  'keys/write/action': ['PATCH', '/keys/nobody'],
  'keys/create': ['POST', '/keys/fresh/create'],
  'keys/import/action': ['PUT', '/keys/fresh'],
  'keys/rotate/action': ['POST', '/keys/nobody/rotate'],
  'keys/delete': ['DELETE', '/keys/nobody'],
  'keys/backup/action': ['POST', '/keys/nobody/backup'],
  'keys/restore/action': ['POST', '/keys/restore'],
  'keys/release/action': ['POST', `/keys/nobody/${'0'.repeat(32)}/release`],
  'keys/wrap/action': ['POST', '/keys/nobody/wrapkey'],
  'keys/unwrap/action': ['POST', '/keys/nobody/unwrapkey'],
  'keys/encrypt/action': ['POST', '/keys/nobody/encrypt'],
  'keys/decrypt/action': ['POST', '/keys/nobody/decrypt'],
  'keys/sign/action': ['POST', '/keys/nobody/sign'],
  'keys/verify/action': ['POST', '/keys/nobody/verify'],
  'keys/deletedKeys/read/action': ['GET', '/deletedkeys/nobody'],
  'keys/deletedKeys/recover/action': ['POST', '/deletedkeys/nobody/recover'],
  'keys/deletedKeys/delete': ['DELETE', '/deletedkeys/nobody'],
  'roleDefinitions/read/action': ['GET', `${DEFINITIONS}/${nobody}`],
  'roleDefinitions/write/action': ['PUT', `${DEFINITIONS}/${nobody}`],
  'roleDefinitions/delete/action': ['DELETE', `${DEFINITIONS}/${nobody}`],
  'roleAssignments/read/action': ['GET', `${ASSIGNMENTS}/${nobody}`],
  'roleAssignments/write/action': ['PUT', `${ASSIGNMENTS}/${nobody}`],
  'roleAssignments/delete/action': ['DELETE', `${ASSIGNMENTS}/${nobody}`],
  'settings/read/action': ['GET', '/settings/nobody'],
  'settings/write/action': ['PATCH', '/settings/nobody'],
  'backup/start/action': ['POST', '/backup'],
  'backup/status/action': ['GET', '/backup/nobody/pending'],
  'restore/start/action': ['PUT', '/restore'],
  'restore/status/action': ['GET', '/restore/nobody/pending'],
  'securitydomain/download/action': ['POST', '/securitydomain/download'],
};

/** What each identity of the deployment may; rotate holds two roles. Everything else is refused. */
const MAY = {
  observe: [
    'keys/read/action',
    'roleDefinitions/read/action',
    'roleAssignments/read/action',
    'settings/read/action',
    'backup/status/action',
  ],
  rotate: [
    ...['read', 'write', 'rotate', 'backup', 'wrap', 'unwrap', 'encrypt', 'decrypt', 'sign', 'verify'].map(
      (verb) => `keys/${verb}/action`,
    ),
  ],
  backup: ['backup/start/action', 'backup/status/action'],
  restore: ['restore/start/action', 'restore/status/action', 'keys/restore/action', 'keys/deletedKeys/read/action'],
  // Takes away and cannot grant: who holds it alone cannot make themselves more.
  respond: ['roleAssignments/read/action', 'roleAssignments/delete/action', 'roleDefinitions/read/action'],
  // Grants and cannot take away; reads no key.
  reinstate: ['roleAssignments/read/action', 'roleAssignments/write/action'],
} as const;
type Duty = keyof typeof MAY;

const { startHsm } = await backupBench();
let estate: BackupHsm;
beforeAll(async () => {
  estate = await startHsm({});
  await estate.hsm.seedKey({ name: 'orders', kty: 'EC-HSM', pooledMaterial: true });
  for (const { duty, roleName, permissions } of ROLES) {
    const dataActions = permissions.flatMap((each) => each.dataActions);
    const { objectId } = IDENTITIES[(duty === 'maintain-policy' ? 'rotate' : duty) as Duty];
    const roleDefinitionId = estate.hsm.seedRole({ roleName, dataActions });
    estate.hsm.seedAssignment({ principalId: objectId, roleDefinitionId, scope: '/' });
  }
});

const statusOf = async (as: Duty | 'consumer', method: string, path: string, body: unknown = {}) =>
  (await estate.send(method, path, method === 'GET' || method === 'DELETE' ? undefined : body, IDENTITIES[as])).status;

describe('the identity of the duty', () => {
  test.each(Object.keys(MAY) as Duty[])('%s may do what its local role names, and nothing else', async (duty) => {
    const may = [];
    for (const [action, request] of Object.entries(REQUESTS)) {
      if ((await statusOf(duty, ...request)) !== 403) may.push(action);
    }
    expect(may.toSorted()).toEqual([...MAY[duty]].toSorted());
  });

  test('none has a data action that is not tried here', () => {
    const granted = ROLES.flatMap(({ permissions }) => permissions.flatMap(({ dataActions }) => dataActions));
    expect(granted.filter((action) => !(action.replace(PREFIX, '') in REQUESTS))).toEqual([]);
  });

  test('respond takes an assignment away and cannot put it back; reinstate does, and cannot take it away', async () => {
    const path = `${ASSIGNMENTS}/${randomUUID()}`;
    const principalId = IDENTITIES.consumer.objectId;
    const body = { properties: { principalId, roleDefinitionId: `Microsoft.KeyVault${DEFINITIONS}/${CRYPTO_USER}` } };
    const reads = () => statusOf('consumer', 'GET', '/keys/orders');
    expect(await statusOf('reinstate', 'PUT', path, body)).toBe(201);
    expect(await reads()).toBe(200);
    expect(await statusOf('reinstate', 'DELETE', path)).toBe(403);
    expect(await statusOf('respond', 'DELETE', path)).toBe(200);
    expect(await reads()).toBe(403);
    expect(await statusOf('respond', 'PUT', path, body)).toBe(403);
    expect(await statusOf('reinstate', 'PUT', path, body)).toBe(201);
    expect(await reads()).toBe(200);
  });
});
