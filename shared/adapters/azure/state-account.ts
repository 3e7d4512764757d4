import type { BlobServiceClient } from '@azure/storage-blob';
import { once } from '../once.ts';
import type { Identity } from './credentials.ts';

/** The account that holds policy, state, journal and evidence, acted on as one identity. Loaded and connected on first use. */
export type StateAccount = { client(): Promise<BlobServiceClient>; identity: Identity };

export function createStateAccount({ url, identity }: { url: string; identity: Identity }): StateAccount {
  return {
    identity,
    client: once(async () => {
      const [{ BlobServiceClient }, credential] = await Promise.all([
        import('@azure/storage-blob'),
        identity.credential(),
      ]);
      return new BlobServiceClient(url, credential, {
        retryOptions: { maxTries: 4, tryTimeoutInMs: 20_000, retryDelayInMs: 300, maxRetryDelayInMs: 4000 },
      });
    }),
  };
}

/** The role that reads and writes the account. https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage */
export const STORAGE_ROLE = 'Storage Blob Data Contributor';

/** How long one act on the account may take, retries included: the SDK sets no limit of its own. */
export const actLimit = (): AbortSignal => AbortSignal.timeout(60_000);

/** HTTP status and service code of a failed storage call. */
export function storageFault(error: unknown): { status?: number; code?: string } {
  if (!(error instanceof Error)) return {};
  const { statusCode, code, details } = error as Error & {
    statusCode?: unknown;
    code?: unknown;
    details?: { errorCode?: unknown };
  };
  // An answer to a HEAD has no body: its code comes in a header.
  const named = typeof code === 'string' ? code : details?.errorCode;
  return {
    ...(typeof statusCode === 'number' ? { status: statusCode } : {}),
    ...(typeof named === 'string' ? { code: named } : {}),
  };
}

/** The whole of a download, as bytes. */
export async function collect(stream: AsyncIterable<unknown> | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
