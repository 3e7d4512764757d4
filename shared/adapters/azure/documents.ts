import { randomUUID } from 'node:crypto';
import type { BlobRequestConditions, BlockBlobClient } from '@azure/storage-blob';
import { AppError } from '../../errors.ts';
import type { Container, Documents, Stored } from '../../ports/documents.ts';
import { classifyFailure } from './classify-failure.ts';
import { actLimit, collect, STORAGE_ROLE, type StateAccount, storageFault } from './state-account.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Documents as block blobs, with the ETag as their version. */
export function createDocuments(account: StateAccount): Documents {
  const blob = async (container: Container, path: string) =>
    (await account.client()).getContainerClient(container).getBlockBlobClient(path);

  const attempt = async <T>(act: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      throw classifyFailure(error, { act, identity: account.identity, role: STORAGE_ROLE });
    }
  };

  const readText = (container: Container, path: string) =>
    attempt(`read the document ${container}/${path}`, async (): Promise<Stored<string> | undefined> => {
      const target = await blob(container, path);
      try {
        const found = await target.download(0, undefined, { abortSignal: actLimit() });
        return { value: (await collect(found.readableStreamBody)).toString('utf8'), etag: found.etag ?? '' };
      } catch (error) {
        // A missing container is a fault of the deployment, a missing document is an answer.
        if (storageFault(error).code === 'BlobNotFound') return undefined;
        throw error;
      }
    });

  return {
    readText,

    async read<T>(container: Container, path: string): Promise<Stored<T> | undefined> {
      const found = await readText(container, path);
      if (!found) return undefined;
      try {
        return { value: JSON.parse(found.value) as T, etag: found.etag };
      } catch (cause) {
        throw new AppError('ERR_INPUT', `The document ${container}/${path} is not JSON.`, {
          nextStep: 'Restore an earlier version of the blob.',
          cause,
        });
      }
    },

    create: (container, path, value) =>
      attempt(`create the document ${container}/${path}`, async () => {
        const etag = await write(await blob(container, path), encode(value), JSON_TYPE, { ifNoneMatch: '*' });
        return etag === undefined ? 'exists' : { etag };
      }),

    replace: (container, path, value, etag) =>
      attempt(`replace the document ${container}/${path}`, async () => {
        const next = await write(await blob(container, path), encode(value), JSON_TYPE, { ifMatch: etag });
        return next === undefined ? 'changed' : { etag: next };
      }),

    put: (container, path, value) =>
      attempt(`write the document ${container}/${path}`, async () => {
        await write(await blob(container, path), encode(value), JSON_TYPE, {});
      }),

    keep: (container, path, bytes, metadata) =>
      attempt(`keep ${container}/${path}`, async () => {
        const target = await blob(container, path);
        const conditions = { ifNoneMatch: '*' };
        const etag = await write(target, Buffer.from(bytes), typeOf(path), conditions, metadata);
        return etag === undefined ? 'exists' : 'kept';
      }),

    remove: (container, path) =>
      attempt(`remove the document ${container}/${path}`, async () => {
        await (await blob(container, path)).deleteIfExists({ abortSignal: actLimit() });
      }),

    async *list(container, prefix) {
      const client = (await account.client()).getContainerClient(container);
      try {
        for await (const { name } of client.listBlobsFlat({ prefix })) yield name;
      } catch (error) {
        throw classifyFailure(error, {
          act: `list the documents ${container}/${prefix}*`,
          identity: account.identity,
          role: STORAGE_ROLE,
        });
      }
    },
  };
}

/** A kept report opens in a browser; everything else that is kept is opaque. */
const typeOf = (path: string): string =>
  path.endsWith('.html') ? 'text/html; charset=utf-8' : 'application/octet-stream';

/**
 * The new ETag, or undefined when the condition did not hold. Each write carries an id of its own: when the reply to a
 * write is lost, the client's repeat meets its own success, and the id tells it from another writer's.
 */
async function write(
  target: BlockBlobClient,
  body: Buffer,
  contentType: string,
  conditions: BlobRequestConditions,
  metadata: Record<string, string> = {},
): Promise<string | undefined> {
  const writeid = randomUUID();
  const abortSignal = actLimit();
  try {
    const written = await target.upload(body, body.byteLength, {
      abortSignal,
      conditions,
      metadata: { ...metadata, writeid },
      blobHTTPHeaders: { blobContentType: contentType },
    });
    return written.etag ?? '';
  } catch (error) {
    const { status, code } = storageFault(error);
    const conditionFailed = status === 412 || (status === 409 && code === 'BlobAlreadyExists');
    if (!conditionFailed) throw error;
    const now = await target.getProperties({ abortSignal }).catch((reason: unknown) => {
      // Removed meanwhile: it was there, so the condition did fail.
      if (storageFault(reason).status === 404) return undefined;
      throw reason;
    });
    return now?.metadata?.writeid === writeid ? now.etag : undefined;
  }
}

const encode = (value: unknown): Buffer => Buffer.from(JSON.stringify(value), 'utf8');
