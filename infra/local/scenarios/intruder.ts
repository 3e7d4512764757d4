import { randomBytes, randomUUID } from 'node:crypto';
import type { Identity } from '../identity/registrations.ts';
import type { Observer } from './observer.ts';

const AUDIENCE = 'https://managedhsm.azure.net';
const API = 'api-version=2025-07-01';

/** Managed HSM Crypto User. https://learn.microsoft.com/azure/key-vault/managed-hsm/built-in-roles */
export const CRYPTO_USER = '21dbd100-6940-42c2-9190-5d6cb909625b';

/** Somebody who calls an HSM with a token of their own. */
export interface Intruder {
  identity: Identity;
  call(method: string, path: string, body?: unknown): Promise<number>;
}

/** An application that nobody knows, or a stolen identity of the house. */
export function createIntruder(look: Observer, hsmName: string, identity: Identity = stranger()): Intruder {
  const hsm = look.estate.hsms.find(({ name }) => name === hsmName);
  if (!hsm) throw new Error(`the estate has no HSM ${hsmName}`);
  return {
    identity,
    async call(method, path, body) {
      const { token } = await look.estate.tokens.forIdentity(identity, AUDIENCE);
      const reply = await look.estate.call({
        method,
        url: `${hsm.url}${path}${path.includes('?') ? '&' : '?'}${API}`,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          // What the log shows of a caller is the caller's to choose.
          'user-agent': `<img src=x onerror=alert(1)> | where 1==1 // ${identity.name}`,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return reply.status;
    },
  };
}

const stranger = (): Identity => ({ name: 'mallory', clientId: randomUUID(), objectId: randomUUID() });

/** Grants a role at a scope in the name of whoever calls. */
export const grant = (by: Intruder, principalId: string, scope: string, role: string): Promise<number> =>
  by.call('PUT', `${scope === '/' ? '' : scope}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`, {
    properties: {
      roleDefinitionId: `Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/${role}`,
      principalId,
    },
  });

export const sign = (by: Intruder, key: string): Promise<number> =>
  by.call('POST', `/keys/${key}/sign`, { alg: 'ES256', value: randomBytes(32).toString('base64url') });
