import { Readable } from 'node:stream';
import type { TokenCredential } from '@azure/identity';
import type { RestError } from '@azure/storage-blob';
import { storageFailure } from './job.ts';

/** The container of a backup, as the HSM uses it. Every refusal of the storage leaves as JobFailure. */
export interface BackupContainer {
  /** Whether a policy keeps blobs from being changed or deleted. */
  isImmutable(): Promise<boolean>;
  /** Streams: memory does not grow with the size. */
  write(name: string, content: Readable): Promise<void>;
  read(name: string): Promise<{ size: number; content: Readable }>;
}

const BLOCK_BYTES = 4 * 1024 * 1024;

/**
 * Opens a container by its address, with a token or with a SAS. Rejects with the code that Azure/azure-sdk-for-cpp expects
 * when the address is no container (backup_restore_client_test.cpp).
 */
export async function openContainer(
  address: string,
  access: { credential: TokenCredential } | { sas: string },
  signal: AbortSignal,
): Promise<BackupContainer> {
  if (!isContainerAddress(address)) {
    throw storageFailure(
      'InvalidQueryParameterValue',
      `The storage resource URI '${address}' is not that of a container.`,
    );
  }
  // Loaded with the first backup: the estate starts without it.
  const { AnonymousCredential, ContainerClient } = await import('@azure/storage-blob');
  const [url, credential] =
    'sas' in access
      ? [`${address}?${access.sas.replace(/^\?/, '')}`, new AnonymousCredential()]
      : [address, access.credential];
  const client = new ContainerClient(url, credential, { retryOptions: { maxTries: 2, retryDelayInMs: 50 } });
  return {
    isImmutable: () =>
      asFailure(async () => {
        // A service SAS does not cover the container's properties, so a policy shows only to an identity.
        if ('sas' in access) return false;
        const found = await client.getProperties({ abortSignal: signal });
        return Boolean(
          found.hasImmutabilityPolicy || found.hasLegalHold || found.isImmutableStorageWithVersioningEnabled,
        );
      }),
    write: (name, content) =>
      asFailure(async () => {
        const blob = client.getBlockBlobClient(name);
        await blob.uploadStream(content, BLOCK_BYTES, 2, { abortSignal: signal });
      }),
    read: (name) =>
      asFailure(async () => {
        const found = await client.getBlobClient(name).download(0, undefined, { abortSignal: signal });
        return {
          size: found.contentLength ?? 0,
          content: Readable.from(found.readableStreamBody ?? [], { objectMode: false }),
        };
      }),
  };
}

/** Host style in Azure; path style, with the account first, on loopback. */
function isContainerAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, pathname } = new URL(address);
  const parts = pathname.split('/').filter((part) => part !== '');
  const pathStyle = hostname === '127.0.0.1' || hostname === 'localhost';
  return protocol === 'https:' && parts.length === (pathStyle ? 2 : 1);
}

async function asFailure<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const { code, statusCode, message } = error as RestError;
    // An answer to HEAD has no body: its code is in a header, which the SDK puts into `code`, and its message is empty.
    if (statusCode === undefined) throw storageFailure(code ?? 'StorageUnreachable', String(message));
    throw storageFailure(code ?? `Http${statusCode}`, message.split('\n')[0] || `The storage answered ${statusCode}.`);
  }
}
