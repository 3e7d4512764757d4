import { randomUUID } from 'node:crypto';
import type { EstateHsm } from '../hsm-fleet.ts';
import { IDENTITIES, type IdentityName } from '../identity/registrations.ts';
import type { Observer } from './observer.ts';

const AUDIENCE = 'https://managedhsm.azure.net';
const API_VERSION = '2025-07-01';

/** What an administrator, or whoever got hold of one, can do to an HSM over its own interface. */
export interface Damage {
  rotate(key: string): Promise<void>;
  create(key: string): Promise<void>;
  remove(key: string): Promise<void>;
  purge(key: string): Promise<void>;
  /** Gives an identity the role at `/`. */
  grant(identity: IdentityName, roleName: string): Promise<void>;
}

export function createDamage(look: Observer, hsm: EstateHsm): Damage {
  const ask = async (method: string, path: string, body?: unknown): Promise<void> => {
    const { token } = await look.estate.tokens.forIdentity(IDENTITIES.administrator, AUDIENCE);
    const reply = await look.estate.call({
      method,
      url: `${hsm.url}${path}?api-version=${API_VERSION}`,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.body.toString('utf8')}`);
  };
  return {
    rotate: (key) => ask('POST', `/keys/${key}/rotate`),
    create: (key) => ask('POST', `/keys/${key}/create`, { kty: 'EC-HSM', crv: 'P-256', key_ops: ['sign', 'verify'] }),
    remove: (key) => ask('DELETE', `/keys/${key}`),
    purge: (key) => ask('DELETE', `/deletedkeys/${key}`),
    async grant(identity, roleName) {
      const role = hsm.keys().roleDefinitions.find(({ properties }) => properties.roleName === roleName);
      if (!role) throw new Error(`no role ${roleName}`);
      const properties = { principalId: IDENTITIES[identity].objectId, roleDefinitionId: role.id };
      await ask('PUT', `/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`, { properties });
    },
  };
}
