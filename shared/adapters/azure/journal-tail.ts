import type { AppendBlobClient, ContainerClient } from '@azure/storage-blob';
import { type ChainedEntry, GENESIS } from '../../journal/chain.ts';
import { blobName, inChainOrder, type JournalBlob, parseBlobName } from './journal-blobs.ts';
import { actLimit, collect, storageFault } from './state-account.ts';

/** Where the next line goes, and what it must follow. */
export interface JournalTail {
  blob: JournalBlob;
  /** Bytes and blocks that the blob holds. */
  position: number;
  blocks: number;
  /** Hash of the last line of the chain. */
  hash: string;
}

/** Class of the last line of a blob that another one follows; its target is the name of that blob. */
export const CONTINUES = 'journal.continues';

/** Enough for the longest line in almost every case; more is read when it is not. */
const LAST_LINE_BYTES = 64 * 1024;

/** The end of the chain, found without knowing anything: `today` names the first blob of a journal that is empty. */
export async function findTail(container: ContainerClient, today: string): Promise<JournalTail> {
  const names: string[] = [];
  for await (const { name } of container.listBlobsFlat()) names.push(name);
  for (const blob of inChainOrder(names).toReversed()) {
    const client = container.getAppendBlobClient(blobName(blob));
    const size = await sizeOf(client);
    // An empty one was made and not yet written to: the blob before says so in its last line.
    if (size.position === 0) continue;
    const tail = advance({ blob, ...size, hash: '' }, [await readLastLine(client, size.position)]);
    const caught = await catchUp(container, tail);
    return caught ? caught.tail : findTail(container, today);
  }
  return { blob: { day: today, part: 1 }, position: 0, blocks: 0, hash: GENESIS };
}

/**
 * The end of the chain as it is now, and the ids of the entries written since `known` was the end. Undefined when the
 * journal is shorter than it was known to be: it was deleted, and this is another one.
 */
export async function catchUp(
  container: ContainerClient,
  known: JournalTail,
): Promise<{ tail: JournalTail; written: Set<string> } | undefined> {
  const written = new Set<string>();
  let tail = known;
  for (;;) {
    const client = container.getAppendBlobClient(blobName(tail.blob));
    const size = await sizeOf(client);
    if (size.position < tail.position) return undefined;
    if (size.position === tail.position) return { tail: { ...tail, blocks: size.blocks }, written };
    const lines = splitLines(await read(client, tail.position, size.position));
    for (const line of lines) written.add(parseEntry(line).id);
    tail = advance({ ...tail, ...size }, lines);
  }
}

/** The line that ends a blob, so that a late writer meets a moved end instead of writing beside the chain. */
export const continues = ({ class: kind, target }: ChainedEntry): JournalBlob | undefined =>
  kind === CONTINUES ? parseBlobName(target) : undefined;

export const parseEntry = (line: string): ChainedEntry => JSON.parse(line) as ChainedEntry;

function advance(tail: JournalTail, lines: string[]): JournalTail {
  const last = lines.at(-1);
  if (last === undefined) return tail;
  const entry = parseEntry(last);
  const next = continues(entry);
  return next ? { blob: next, position: 0, blocks: 0, hash: entry.hash } : { ...tail, hash: entry.hash };
}

async function sizeOf(client: AppendBlobClient): Promise<{ position: number; blocks: number }> {
  try {
    const { contentLength = 0, blobCommittedBlockCount = 0 } = await client.getProperties({ abortSignal: actLimit() });
    return { position: contentLength, blocks: blobCommittedBlockCount };
  } catch (error) {
    // Announced by the blob before and not made yet. A HEAD has no body, so only the status tells.
    if (storageFault(error).status === 404) return { position: 0, blocks: 0 };
    throw error;
  }
}

async function readLastLine(client: AppendBlobClient, size: number): Promise<string> {
  for (let bytes = LAST_LINE_BYTES; ; bytes *= 8) {
    const from = Math.max(0, size - bytes);
    const lines = splitLines(await read(client, from, size));
    // The first piece may be the rest of a longer line.
    if (lines.length > 1 || from === 0) return lines.at(-1) ?? '';
  }
}

const read = async (client: AppendBlobClient, from: number, to: number): Promise<string> =>
  (await collect((await client.download(from, to - from, { abortSignal: actLimit() })).readableStreamBody)).toString(
    'utf8',
  );

const splitLines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
