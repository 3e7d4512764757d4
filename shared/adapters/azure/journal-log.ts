import { createHash, randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ContainerClient } from '@azure/storage-blob';
import { AppError } from '../../errors.ts';
import { chainLine } from '../../journal/chain.ts';
import type { JournalEntry } from '../../journal/entry.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JournalLog } from '../../ports/journal-log.ts';
import { linesOf } from '../lines.ts';
import { classifyFailure, isUnknownOutcome } from './classify-failure.ts';
import { blobName, followingBlob, inChainOrder, JOURNAL_CONTAINER } from './journal-blobs.ts';
import { CONTINUES, catchUp, findTail, type JournalTail } from './journal-tail.ts';
import { actLimit, STORAGE_ROLE, type StateAccount, storageFault } from './state-account.ts';

/** https://learn.microsoft.com/azure/storage/blobs/scalability-targets */
const BLOCKS_PER_BLOB = 50_000;
/** Keeps one block far below the service's limit of 4 MiB: an entry is about a kilobyte. */
const ENTRIES_PER_BLOCK = 500;
/** Other instances may be writing: each loss of the race costs one round. */
const RACES = 40;
const FAILURES = 3;

interface Waiting {
  entry: JournalEntry;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * The journal as append blobs, one a day, each line holding the hash of the line before.
 *
 * Entries that arrive while a block is being written share the next one. A block is appended only at the end that this
 * instance knows, so that writers in several instances make one chain. Before the chain moves on to another blob, its last
 * line says so: a writer that still believes in the old blob finds its end moved.
 */
export function createJournalLog(
  account: StateAccount,
  clock: Clock,
  { blocksPerBlob = BLOCKS_PER_BLOB }: { blocksPerBlob?: number } = {},
): JournalLog {
  const queue: Waiting[] = [];
  let writing = false;
  let tail: JournalTail | undefined;
  /** The tail may have moved since it was read. */
  let stale = false;

  const container = async (): Promise<ContainerClient> =>
    (await account.client()).getContainerClient(JOURNAL_CONTAINER);

  return {
    append: (entry) =>
      new Promise((resolve, reject) => {
        queue.push({ entry, resolve, reject });
        if (!writing) void writeQueue();
      }),

    async *lines({ from } = {}) {
      const firstDay = from?.slice(0, 10) ?? '';
      try {
        const client = await container();
        const names: string[] = [];
        for await (const { name } of client.listBlobsFlat()) names.push(name);
        for (const blob of inChainOrder(names).filter(({ day }) => day >= firstDay)) {
          const { readableStreamBody } = await client.getBlobClient(blobName(blob)).download();
          for await (const line of linesOf(readableStreamBody)) yield { blob: blobName(blob), line };
        }
      } catch (error) {
        throw classifyFailure(error, { act: 'read the journal', identity: account.identity, role: STORAGE_ROLE });
      }
    },
  };

  async function writeQueue(): Promise<void> {
    writing = true;
    // Lets everything that is appended in this turn of the event loop join the first block.
    await Promise.resolve();
    while (queue.length > 0) {
      const batch = queue.splice(0, ENTRIES_PER_BLOCK);
      try {
        await commit(batch.map(({ entry }) => entry));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        const failure = classifyFailure(error, {
          act: 'write the journal',
          identity: account.identity,
          role: STORAGE_ROLE,
        });
        for (const { reject } of batch) reject(failure);
      }
    }
    writing = false;
  }

  /** Resolves once every entry stands in the chain, by this write or by one whose reply was lost. */
  async function commit(entries: JournalEntry[]): Promise<void> {
    const client = await container();
    let missing = entries;
    let failures = 0;
    for (let round = 0; round < RACES; round++) {
      try {
        tail ??= await findTail(client, today());
        if (stale) {
          const found = await catchUp(client, tail);
          tail = found?.tail ?? (await findTail(client, today()));
          stale = false;
          missing = missing.filter(({ id }) => !found?.written.has(id));
        }
        if (missing.length === 0) return;
        if (today() > tail.blob.day || tail.blocks >= blocksPerBlob - 1) tail = await moveOn(client, tail);
        tail = await appendAt(client, tail, missing);
        return;
      } catch (error) {
        stale = true;
        if (isLostRace(error)) await pause(randomInt(5, 40));
        else if (!isUnknownOutcome(error) || ++failures >= FAILURES) throw error;
      }
    }
    throw new AppError('ERR_TRANSIENT', 'Too many instances write the journal at once.', {
      nextStep: 'Nothing to do: it is tried again.',
    });
  }

  async function moveOn(client: ContainerClient, from: JournalTail): Promise<JournalTail> {
    const next = followingBlob(from.blob, today());
    const { duty, clientId } = account.identity;
    const closed = await appendAt(client, from, [
      {
        id: `journal:${blobName(from.blob)}:continues`,
        kind: 'note',
        class: CONTINUES,
        at: clock.now().toISOString(),
        hsm: '',
        target: blobName(next),
        identity: { duty, clientId },
        cause: 'journal',
        instance: 'journal',
      },
    ]);
    return { blob: next, position: 0, blocks: 0, hash: closed.hash };
  }

  function today(): string {
    return clock.now().toISOString().slice(0, 10);
  }
}

/** The tail after the entries were appended at it. Throws the SDK's error when the end is elsewhere. */
async function appendAt(client: ContainerClient, tail: JournalTail, entries: JournalEntry[]): Promise<JournalTail> {
  const target = client.getAppendBlobClient(blobName(tail.blob));
  const abortSignal = actLimit();
  const blobHTTPHeaders = { blobContentType: 'application/jsonl' };
  if (tail.position === 0) await target.createIfNotExists({ blobHTTPHeaders, abortSignal });
  let { hash } = tail;
  const lines = entries.map((entry) => {
    const chained = chainLine(hash, entry, sha256);
    hash = chained.hash;
    return `${chained.line}\n`;
  });
  const block = Buffer.from(lines.join(''), 'utf8');
  await target.appendBlock(block, block.byteLength, { conditions: { appendPosition: tail.position }, abortSignal });
  return { ...tail, position: tail.position + block.byteLength, blocks: tail.blocks + 1, hash };
}

/** The end is elsewhere: another writer was first, or our own write stands and its reply got lost, or the blob is gone. */
function isLostRace(error: unknown): boolean {
  const { status, code } = storageFault(error);
  return status === 412 || code === 'BlockCountExceedsLimit' || code === 'BlobNotFound';
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
