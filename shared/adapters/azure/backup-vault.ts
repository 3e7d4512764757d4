import { createHash } from 'node:crypto';
import type { BlobServiceClient, BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { AppError } from '../../errors.ts';
import type { BackupVault, BlobLock, HashedBlob, ListedBlob, StoredJson } from '../../ports/backup-vault.ts';
import type { Clock } from '../../ports/clock.ts';
import { once } from '../once.ts';
import { passThrough } from './blob-blocks.ts';
import { copyBlob } from './blob-copy.ts';
import { listKept, removeBlob } from './blob-removal.ts';
import { classifyFailure } from './classify-failure.ts';
import type { Identity } from './credentials.ts';
import { collect, STORAGE_ROLE, storageFault } from './state-account.ts';

/** The container of the vault account that holds copies and manifests. */
export const VAULT_CONTAINER = 'hsm-backups';

const STORAGE_SCOPE = 'https://storage.azure.com/.default';
/** One request carries a block at most. */
const RETRIES = { maxTries: 4, tryTimeoutInMs: 60_000, retryDelayInMs: 300, maxRetryDelayInMs: 8000 } as const;
/** Documents are manifests and reports; what is larger is not ours. */
const LARGEST_JSON = 64 * 1024 * 1024;

export interface VaultOptions {
  /** Without a slash at the end. */
  landingContainerUrl: string;
  vaultBlobUrl: string;
  identity: Identity;
  clock: Clock;
  /** Whether the vault account is asked to fetch blocks by itself before they are sent through us; so unless set to false. */
  serverSideCopy?: boolean;
  blockBytes?: number;
}

/** Landing container and vault account over Blob storage, acting as one identity. */
export function createBackupVault(options: VaultOptions): BackupVault {
  const { identity, clock, serverSideCopy = true, blockBytes } = options;
  const clients = once(() => connect(options));
  const cut = blockBytes === undefined ? {} : { blockBytes };

  const attempt = async <T>(act: string, call: (clients: Clients) => Promise<T>): Promise<T> => {
    try {
      return await call(await clients());
    } catch (error) {
      throw classifyFailure(error, { act, identity, role: STORAGE_ROLE });
    }
  };
  const sourceToken = async () => {
    const token = serverSideCopy ? await (await identity.credential()).getToken(STORAGE_SCOPE) : undefined;
    return token ? { sourceToken: token.token } : {};
  };

  return {
    landingFolders: (prefix) =>
      attempt(`list the backup folders ${prefix}*`, async ({ landing }) => {
        const found: string[] = [];
        for await (const item of landing.listBlobsByHierarchy('/', { prefix })) {
          if (item.kind === 'prefix') found.push(item.name.replace(/\/$/, ''));
        }
        return found;
      }),

    listLanding: (folder) => attempt(`list the backup ${folder}`, ({ landing }) => listFolder(landing, folder)),
    listVault: (folder) => attempt(`list the copy of ${folder}`, ({ vault }) => listFolder(vault, folder)),

    hashLanding: (folder, name) =>
      attempt(`read ${folder}/${name} of the landing container`, ({ landing }) =>
        hashBlob(landing.getBlockBlobClient(`${folder}/${name}`), cut),
      ),
    hashVault: (path) => attempt(`read the copy ${path}`, ({ vault }) => hashBlob(vault.getBlockBlobClient(path), cut)),

    copy: (folder, listed) =>
      attempt(`copy ${folder}/${listed.name} to the vault`, async ({ landing, vault }) => {
        const path = `${folder}/${listed.name}`;
        const ends = { source: landing.getBlobClient(path), target: vault.getBlockBlobClient(path) };
        return copyBlob({ ...ends, listed, ...cut, ...(await sourceToken()) });
      }),

    copyBack: (folder, listed) =>
      attempt(`copy ${folder}/${listed.name} back to the landing container`, async ({ landing, vault }) => {
        const path = `${folder}/${listed.name}`;
        return copyBlob({
          source: vault.getBlobClient(path),
          target: landing.getBlockBlobClient(path),
          listed,
          ...cut,
        });
      }),

    lock: (path, { mode, until }) =>
      attempt(`lock the copy ${path} until ${until}`, async ({ vault }) => {
        const policyMode = mode === 'locked' ? 'Locked' : 'Unlocked';
        await vault.getBlockBlobClient(path).setImmutabilityPolicy({ expiriesOn: new Date(until), policyMode });
      }),
    readLock: (path) =>
      attempt(`read the lock of the copy ${path}`, async ({ vault }) => lockOf(vault.getBlockBlobClient(path))),

    listKept: (prefix) => attempt(`list what is left of ${prefix}`, ({ vault }) => listKept(vault, prefix, clock)),
    remove: (path) => attempt(`delete the copy ${path}`, ({ vault }) => removeBlob(vault, path, clock)),

    writeJson: (path, value) =>
      attempt(`write the document ${path} to the vault`, ({ vault }) =>
        storeOnce(vault.getBlockBlobClient(path), Buffer.from(JSON.stringify(value), 'utf8')),
      ),
    readJson: (path) =>
      attempt(`read the document ${path} of the vault`, async ({ vault }) => {
        const bytes = await readSmall(vault.getBlockBlobClient(path), path);
        return bytes && { value: parseJson(bytes, path), sha256: sha256Of(bytes) };
      }),
  };
}

interface Clients {
  landing: ContainerClient;
  vault: ContainerClient;
}

async function connect({ landingContainerUrl, vaultBlobUrl, identity }: VaultOptions): Promise<Clients> {
  const [storage, credential] = await Promise.all([import('@azure/storage-blob'), identity.credential()]);
  const options = { retryOptions: RETRIES };
  const account: BlobServiceClient = new storage.BlobServiceClient(vaultBlobUrl, credential, options);
  return {
    landing: new storage.ContainerClient(landingContainerUrl, credential, options),
    vault: account.getContainerClient(VAULT_CONTAINER),
  };
}

async function listFolder(container: ContainerClient, folder: string): Promise<ListedBlob[]> {
  const prefix = `${folder}/`;
  const found: ListedBlob[] = [];
  for await (const { name, properties } of container.listBlobsFlat({ prefix })) {
    const { contentLength, contentMD5, etag } = properties;
    found.push({
      name: name.slice(prefix.length),
      size: contentLength ?? 0,
      etag: quoted(etag),
      ...(contentMD5 ? { md5: Buffer.from(contentMD5).toString('hex') } : {}),
    });
  }
  return found;
}

/** Listings show the ETag without the quotes that conditions need. */
const quoted = (etag: string): string => (etag.startsWith('"') ? etag : `"${etag}"`);

async function hashBlob(blob: BlockBlobClient, cut: { blockBytes?: number }): Promise<HashedBlob | undefined> {
  const found = await ifThere(blob.getProperties());
  if (!found) return undefined;
  const size = found.contentLength ?? 0;
  const conditions = found.etag === undefined ? {} : { ifMatch: found.etag };
  const sha256 = await passThrough({
    size,
    ...cut,
    read: (into, offset) =>
      blob.downloadToBuffer(into, offset, into.byteLength, { conditions, blockSize: into.byteLength, concurrency: 1 }),
  });
  return { size, sha256 };
}

async function lockOf(blob: BlockBlobClient): Promise<BlobLock | undefined> {
  const { immutabilityPolicyExpiresOn: until, immutabilityPolicyMode: mode } = await blob.getProperties();
  if (until === undefined || mode === undefined) return undefined;
  // The SDK's names begin in upper case, the service's answers in lower case.
  return { mode: mode.toLowerCase() === 'locked' ? 'locked' : 'unlocked', until: until.toISOString() };
}

async function storeOnce(blob: BlockBlobClient, bytes: Buffer): Promise<StoredJson> {
  const sha256 = sha256Of(bytes);
  try {
    await blob.upload(bytes, bytes.byteLength, {
      conditions: { ifNoneMatch: '*' },
      metadata: { sha256 },
      blobHTTPHeaders: { blobContentType: 'application/json; charset=utf-8' },
    });
    return { kind: 'stored', sha256 };
  } catch (error) {
    const { status } = storageFault(error);
    if (status !== 409 && status !== 412) throw error;
    const found = await readSmall(blob, blob.name);
    return found && sha256Of(found) === sha256 ? { kind: 'present', sha256 } : { kind: 'occupied' };
  }
}

async function readSmall(blob: BlockBlobClient, path: string): Promise<Buffer | undefined> {
  const found = await ifThere(blob.download());
  if (found && (found.contentLength ?? 0) > LARGEST_JSON) throw notADocument(path, 'it is too large');
  return found && collect(found.readableStreamBody);
}

function parseJson(bytes: Buffer, path: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw notADocument(path, 'it is not JSON', cause);
  }
}

const notADocument = (path: string, why: string, cause?: unknown) =>
  new AppError('ERR_INPUT', `The document ${path} of the vault cannot be read: ${why}.`, {
    nextStep: 'Treat it as tampering until explained, and compare it with its earlier versions.',
    cause,
  });

/** Undefined when the blob is not there. A container that is missing stays a failure. */
const ifThere = <T>(answer: Promise<T>): Promise<T | undefined> =>
  answer.catch((error: unknown) => {
    const { status, code } = storageFault(error);
    // A HEAD has no body, so its code comes in a header that a gateway may drop.
    if (status === 404 && code !== 'ContainerNotFound') return undefined;
    throw error;
  });

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
