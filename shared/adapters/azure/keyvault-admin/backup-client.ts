import type { TokenCredential } from '@azure/identity';
import type {
  KeyVaultBackupClientOptions,
  KeyVaultBackupOperationState,
  KeyVaultBackupPollerOptions,
  KeyVaultBackupResult,
  KeyVaultBeginBackupOptions,
  KeyVaultBeginPreBackupOptions,
  KeyVaultBeginPreRestoreOptions,
  KeyVaultBeginRestoreOptions,
  KeyVaultBeginSelectiveKeyRestoreOptions,
  KeyVaultRestoreOperationState,
  KeyVaultRestoreResult,
  KeyVaultSelectiveKeyRestoreOperationState,
  KeyVaultSelectiveKeyRestoreResult,
  PollerLike,
} from './models.ts';
import { beginOperation, type JobBody, type JobKind, timesOf } from './operation.ts';
import { createTransport, type Transport } from './transport.ts';

type BackupPoller = PollerLike<KeyVaultBackupOperationState, KeyVaultBackupResult>;
type RestorePoller = PollerLike<KeyVaultRestoreOperationState, KeyVaultRestoreResult>;
type KeyRestorePoller = PollerLike<KeyVaultSelectiveKeyRestoreOperationState, KeyVaultSelectiveKeyRestoreResult>;

/**
 * Full backup and restore of a Managed HSM. Without a SAS token the HSM uses its user-assigned identity. Starts are sent
 * once and never replayed; a start whose reply was lost throws, and may have begun a job.
 */
export class KeyVaultBackupClient {
  readonly vaultUrl: string;
  readonly #transport: Transport;

  constructor(vaultUrl: string, credential: TokenCredential, options: KeyVaultBackupClientOptions = {}) {
    this.vaultUrl = vaultUrl;
    this.#transport = createTransport(vaultUrl, credential, options);
  }

  /** `blobStorageUri`: the container, `https://{account}.blob.core.windows.net/{container}`. */
  beginBackup(blobStorageUri: string, sasToken: string, options?: KeyVaultBeginBackupOptions): Promise<BackupPoller>;
  beginBackup(blobStorageUri: string, options?: KeyVaultBeginBackupOptions): Promise<BackupPoller>;
  beginBackup(blobStorageUri: string, ...rest: TokenAndOptions): Promise<BackupPoller> {
    const { token, options } = tokenAndOptions(rest);
    return beginOperation(this.#transport, backup('/backup', blobStorageUri, token), options);
  }

  /** Checks that a backup could be made, and makes none. */
  beginPreBackup(
    blobStorageUri: string,
    sasToken: string,
    options?: KeyVaultBeginPreBackupOptions,
  ): Promise<BackupPoller>;
  beginPreBackup(blobStorageUri: string, options?: KeyVaultBeginPreBackupOptions): Promise<BackupPoller>;
  beginPreBackup(blobStorageUri: string, ...rest: TokenAndOptions): Promise<BackupPoller> {
    const { token, options } = tokenAndOptions(rest);
    return beginOperation(this.#transport, backup('/prebackup', blobStorageUri, token), options);
  }

  /** Replaces everything in the HSM. `folderUri`: container and folder, as a backup's result gives it. */
  beginRestore(folderUri: string, sasToken: string, options?: KeyVaultBeginRestoreOptions): Promise<RestorePoller>;
  beginRestore(folderUri: string, options?: KeyVaultBeginRestoreOptions): Promise<RestorePoller>;
  beginRestore(folderUri: string, ...rest: TokenAndOptions): Promise<RestorePoller> {
    const { token, options } = tokenAndOptions(rest);
    return beginOperation(this.#transport, restore('/restore', folderUri, token), options);
  }

  /** Checks that a restore could be made, and makes none. */
  beginPreRestore(
    folderUri: string,
    sasToken: string,
    options?: KeyVaultBeginPreRestoreOptions,
  ): Promise<RestorePoller>;
  beginPreRestore(folderUri: string, options?: KeyVaultBeginPreRestoreOptions): Promise<RestorePoller>;
  beginPreRestore(folderUri: string, ...rest: TokenAndOptions): Promise<RestorePoller> {
    const { token, options } = tokenAndOptions(rest);
    return beginOperation(this.#transport, restore('/prerestore', folderUri, token), options);
  }

  /** Brings back one key with all its versions; its name must be neither in use nor soft-deleted. */
  beginSelectiveKeyRestore(
    keyName: string,
    folderUri: string,
    sasToken: string,
    options?: KeyVaultBeginSelectiveKeyRestoreOptions,
  ): Promise<KeyRestorePoller>;
  beginSelectiveKeyRestore(
    keyName: string,
    folderUri: string,
    options?: KeyVaultBeginSelectiveKeyRestoreOptions,
  ): Promise<KeyRestorePoller>;
  beginSelectiveKeyRestore(keyName: string, folderUri: string, ...rest: TokenAndOptions): Promise<KeyRestorePoller> {
    const { token, options } = tokenAndOptions(rest);
    return beginOperation(this.#transport, keyRestore(keyName, folderUri, token), options);
  }
}

type TokenAndOptions = [tokenOrOptions?: string | KeyVaultBackupPollerOptions, options?: KeyVaultBackupPollerOptions];

const tokenAndOptions = ([first, second]: TokenAndOptions) =>
  typeof first === 'string'
    ? { token: first, options: second ?? {} }
    : { token: undefined, options: first ?? second ?? {} };

const storage = (storageResourceUri: string, token: string | undefined) => ({
  storageResourceUri,
  ...(token === undefined ? { useManagedIdentity: true } : { token, useManagedIdentity: false }),
});

const backup = (path: string, containerUri: string, token: string | undefined): JobKind<KeyVaultBackupResult> => ({
  start: { method: 'POST', path, body: storage(containerUri, token) },
  statusUnder: 'backup',
  result: (body) => ({
    ...(body.azureStorageBlobContainerUri ? { folderUri: body.azureStorageBlobContainerUri } : {}),
    ...timesOf(body),
  }),
});

const restored = (body: JobBody): KeyVaultRestoreResult => timesOf(body);

function restore(path: string, folderUri: string, token: string | undefined): JobKind<KeyVaultRestoreResult> {
  const { containerUri, folder } = folderUriParts(folderUri);
  const body = { sasTokenParameters: storage(containerUri, token), folderToRestore: folder };
  return { start: { method: 'PUT', path, body }, statusUnder: 'restore', result: restored };
}

function keyRestore(
  keyName: string,
  folderUri: string,
  token: string | undefined,
): JobKind<KeyVaultSelectiveKeyRestoreResult> {
  const { containerUri, folder } = folderUriParts(folderUri);
  // The member is named `folder` here and `folderToRestore` in a full restore. Source: recording of 2024-11-18.
  const body = { sasTokenParameters: storage(containerUri, token), folder };
  const path = `/keys/${encodeURIComponent(keyName)}/restore`;
  return { start: { method: 'PUT', path, body }, statusUnder: 'restore', result: restored };
}

/** The last segment is the folder. Path-style account addresses have one segment more, which stays with the container. */
function folderUriParts(folderUri: string): { containerUri: string; folder: string } {
  const url = new URL(folderUri);
  const segments = url.pathname.split('/').filter(Boolean);
  const folder = segments.pop() ?? '';
  return { containerUri: [url.origin, ...segments].join('/'), folder: decodeURIComponent(folder) };
}
