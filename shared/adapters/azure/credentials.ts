import type { TokenCredential } from '@azure/identity';
import { once } from '../once.ts';

/** What the app acts as. Each duty has its own user-assigned identity with the least role that works. */
export type Duty = 'observe' | 'rotate';

/** One of our identities: who it is, for messages, and its credential, made on first use. */
export interface Identity {
  duty: Duty;
  clientId: string;
  credential(): Promise<TokenCredential>;
}

/** The identity of each duty. Managed identities only: nothing else may sign in for the app. */
export function createIdentities(clientIds: Record<Duty, string>): Record<Duty, Identity> {
  const identity = (duty: Duty): Identity => ({
    duty,
    clientId: clientIds[duty],
    credential: once(async () => {
      const { ManagedIdentityCredential } = await import('@azure/identity');
      return new ManagedIdentityCredential({ clientId: clientIds[duty] });
    }),
  });
  return { observe: identity('observe'), rotate: identity('rotate') };
}
