import type { TokenCredential } from '@azure/identity';
import { once } from '../once.ts';

/**
 * What the app acts as. Each duty has its own user-assigned identity with the least role that works. Backups,
 * restores and responses are optional duties: an installation may leave them out, and a restoring identity is granted only
 * while it is needed. `record` writes the journal and has no role on an HSM.
 */
export type Duty = 'observe' | 'rotate' | 'record' | 'backup' | 'restore' | 'respond' | 'reinstate';

/** One value for each duty that an installation has. */
export type PerDuty<T> = Record<'observe' | 'rotate', T> & {
  record?: T;
  backup?: T;
  restore?: T;
  respond?: T;
  reinstate?: T;
};

/** One of our identities: who it is, for messages, and its credential, made on first use. */
export interface Identity {
  duty: Duty;
  clientId: string;
  credential(): Promise<TokenCredential>;
}

/** The identity of each duty. Managed identities only: nothing else may sign in for the app. */
export function createIdentities(clientIds: PerDuty<string>): PerDuty<Identity> {
  const identity = (duty: Duty, clientId: string): Identity => ({
    duty,
    clientId,
    credential: once(async () => {
      const { ManagedIdentityCredential } = await import('@azure/identity');
      return new ManagedIdentityCredential({ clientId });
    }),
  });
  const { observe, rotate, record, backup, restore, respond, reinstate } = clientIds;
  return {
    observe: identity('observe', observe),
    rotate: identity('rotate', rotate),
    ...(record === undefined ? {} : { record: identity('record', record) }),
    ...(backup === undefined ? {} : { backup: identity('backup', backup) }),
    ...(restore === undefined ? {} : { restore: identity('restore', restore) }),
    ...(respond === undefined ? {} : { respond: identity('respond', respond) }),
    ...(reinstate === undefined ? {} : { reinstate: identity('reinstate', reinstate) }),
  };
}
