import { once } from '../once.ts';
import { classifyFailure } from './classify-failure.ts';
import type { Identity } from './credentials.ts';
import { type HsmAddress, hsmNameOf, unknownHsm } from './hsm-client.ts';

/** The administration client, loaded at first use: it is as heavy as an SDK. */
export const loadAdminClient = () => import('./keyvault-admin/index.ts');

type Credential = Awaited<ReturnType<Identity['credential']>>;

/** A client for each HSM of a list that may grow, made at first use and kept. */
export function clientsOf<A extends HsmAddress, T>(hsms: A[], connect: (address: A) => Promise<T>) {
  const clients = new Map<string, () => Promise<T>>();
  return async (hsm: string): Promise<T> => {
    const address = hsms.find(({ name }) => name === hsm);
    if (!address) throw unknownHsm(hsm);
    const client = clients.get(hsm) ?? once(() => connect(address));
    clients.set(hsm, client);
    return client();
  };
}

/** What an adapter of several HSMs needs: a client for each, made at first use, and failures in our own words. */
export interface HsmConnections<T> {
  open(hsm: string): Promise<T>;
  /** A failure as an AppError; `act` completes "Could not …". */
  failed(error: unknown, act: string, hsm: string): unknown;
  /** One call that may be repeated. */
  ask<R>(hsm: string, act: string, call: (client: T) => Promise<R>): Promise<R>;
}

export function connectHsms<T>(
  { hsms, identity }: { hsms: HsmAddress[]; identity: Identity },
  connect: (uri: string, credential: Credential) => Promise<T>,
): HsmConnections<T> {
  // An HSM may join the list while the app runs.
  const open = clientsOf(hsms, async ({ uri }) => connect(uri, await identity.credential()));
  const failed = (error: unknown, act: string, hsm: string) => {
    const uri = hsms.find(({ name }) => name === hsm)?.uri;
    return classifyFailure(error, { act, identity, ...(uri === undefined ? {} : { hsmName: hsmNameOf(uri) }) });
  };
  return {
    open,
    failed,
    async ask(hsm, act, call) {
      const client = await open(hsm);
      return call(client).catch((error: unknown) => {
        throw failed(error, act, hsm);
      });
    },
  };
}
