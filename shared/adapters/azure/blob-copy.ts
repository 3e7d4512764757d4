import { createHash } from 'node:crypto';
import type { BlobClient, BlockBlobClient } from '@azure/storage-blob';
import type { BlobCopy, ListedBlob } from '../../ports/backup-vault.ts';
import { BLOCK_BYTES, type Block, passThrough } from './blob-blocks.ts';
import { storageFault } from './state-account.ts';

export interface CopyOptions {
  source: BlobClient;
  target: BlockBlobClient;
  listed: ListedBlob;
  /**
   * The token with which the vault account may read the source by itself; absent: every byte goes through us. Only tried:
   * an account that its networks shut off refuses, and the bytes are then sent.
   */
  sourceToken?: string;
  blockBytes?: number;
  lanes?: number;
}

/**
 * Copies in blocks under ids that name the version of the source, so that a repeat finds what an earlier attempt has left and
 * sends the rest, and blocks of two versions never meet. The source is always read whole: its hash is the proof.
 */
export async function copyBlob(options: CopyOptions): Promise<BlobCopy> {
  const { source, target, listed, blockBytes = BLOCK_BYTES } = options;
  const sourceTag = tagOf(listed, blockBytes);
  const before = await readCopy(target, listed, sourceTag);
  if (before) return before;

  const left = await uncommittedBlocks(target);
  const idOf = (index: number) => Buffer.from(`${sourceTag}-${String(index).padStart(6, '0')}`).toString('base64');
  let serverSide = options.sourceToken !== undefined;
  let resumed = 0;

  const stage = async ({ index, offset, bytes }: Block) => {
    const id = idOf(index);
    if (left.get(id) === bytes.byteLength) {
      resumed++;
      return;
    }
    if (serverSide && (await stageFromUrl(options, id, offset, bytes.byteLength))) return;
    serverSide = false;
    await target.stageBlock(id, bytes, bytes.byteLength);
  };

  const sha256 = await passThrough({
    size: listed.size,
    blockBytes,
    ...(options.lanes === undefined ? {} : { lanes: options.lanes }),
    read: (into, offset) =>
      source.downloadToBuffer(into, offset, into.byteLength, {
        conditions: { ifMatch: listed.etag },
        blockSize: into.byteLength,
        concurrency: 1,
      }),
    take: stage,
  }).catch(async (error: unknown) => {
    const { status, code } = storageFault(error);
    if (code === 'BlobNotFound') return 'sourceMissing' as const;
    // 416: it is shorter now.
    if (status !== 412 && status !== 416) throw error;
    return (await source.exists()) ? ('sourceChanged' as const) : ('sourceMissing' as const);
  });
  if (sha256 === 'sourceMissing' || sha256 === 'sourceChanged') return { kind: sha256 };

  const ids = Array.from({ length: Math.ceil(listed.size / blockBytes) }, (_, index) => idOf(index));
  try {
    await target.commitBlockList(ids, {
      conditions: { ifNoneMatch: '*' },
      metadata: { sha256, source: sourceTag },
      blobHTTPHeaders: { blobContentType: 'application/octet-stream' },
    });
  } catch (error) {
    const { status } = storageFault(error);
    if (status !== 409 && status !== 412) throw error;
    // The client's own repeat after a lost reply, or another attempt at the same copy.
    return (await readCopy(target, listed, sourceTag)) ?? Promise.reject(error);
  }
  return { kind: 'copied', way: serverSide ? 'serverSide' : 'streamed', resumed, size: listed.size, sha256 };
}

/** Names the version of the source and how it is cut. */
const tagOf = ({ etag, size }: ListedBlob, blockBytes: number): string =>
  createHash('sha256').update(`${etag} ${size} ${blockBytes}`).digest('hex').slice(0, 24);

async function readCopy(target: BlockBlobClient, { size }: ListedBlob, sourceTag: string) {
  const found = await target.getProperties().catch((error: unknown) => {
    if (storageFault(error).status === 404) return undefined;
    throw error;
  });
  if (!found) return undefined;
  const { sha256, source } = found.metadata ?? {};
  const same = source === sourceTag && sha256 !== undefined && found.contentLength === size;
  return same ? ({ kind: 'present', size, sha256 } as const) : ({ kind: 'occupied' } as const);
}

async function uncommittedBlocks(target: BlockBlobClient): Promise<Map<string, number>> {
  const list = await target.getBlockList('uncommitted').catch((error: unknown) => {
    if (storageFault(error).status === 404) return undefined;
    throw error;
  });
  return new Map((list?.uncommittedBlocks ?? []).map(({ name, size }) => [name, size]));
}

/** False when the vault account cannot or may not read the source. */
async function stageFromUrl(
  { source, target, sourceToken = '' }: CopyOptions,
  id: string,
  offset: number,
  count: number,
): Promise<boolean> {
  const sourceAuthorization = { scheme: 'Bearer', value: sourceToken };
  return target.stageBlockFromURL(id, source.url, offset, count, { sourceAuthorization }).then(
    () => true,
    (error: unknown) => {
      if (storageFault(error).status === undefined) throw error;
      return false;
    },
  );
}
