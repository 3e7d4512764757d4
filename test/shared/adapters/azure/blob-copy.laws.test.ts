import { createHash } from 'node:crypto';
import type { BlobClient, BlockBlobClient } from '@azure/storage-blob';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { passThrough } from '../../../../shared/adapters/azure/blob-blocks.ts';
import { copyBlob } from '../../../../shared/adapters/azure/blob-copy.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

class Crash extends Error {}

/** A vault account that may lose the host at every request, before the effect or after it. */
function createAccount(crashes: ('before' | 'after' | 'no')[]) {
  const staged = new Map<string, Buffer>();
  const sent: string[] = [];
  const repeats: string[] = [];
  let committed: { bytes: Buffer; metadata: Record<string, string> } | undefined;
  let request = 0;
  const act = async <T>(effect: () => T): Promise<T> => {
    const crash = crashes[request++] ?? 'no';
    await Promise.resolve();
    if (crash === 'before') throw new Crash();
    const answer = effect();
    if (crash === 'after') throw new Crash();
    return answer;
  };
  const status = (statusCode: number) => Object.assign(new Error('refused'), { statusCode });
  const target = {
    getProperties: () =>
      act(() => {
        if (!committed) throw status(404);
        return { contentLength: committed.bytes.length, metadata: committed.metadata };
      }),
    getBlockList: () =>
      act(() => ({ uncommittedBlocks: [...staged].map(([name, { length: size }]) => ({ name, size })) })),
    stageBlock: (id: string, bytes: Buffer) => {
      sent.push(id);
      if (staged.has(id)) repeats.push(id);
      return act(() => void staged.set(id, Buffer.from(bytes)));
    },
    commitBlockList: (ids: string[], { metadata }: { metadata: Record<string, string> }) =>
      act(() => {
        if (committed) throw status(409);
        committed = { bytes: Buffer.concat(ids.map((id) => staged.get(id) ?? Buffer.alloc(0))), metadata };
        staged.clear();
      }),
  };
  return {
    target: target as unknown as BlockBlobClient,
    sent,
    repeats,
    committed: () => committed,
    stagedBlocks: () => staged.size,
  };
}

const sourceOf = (bytes: Buffer) =>
  ({
    async downloadToBuffer(into: Buffer, offset: number) {
      bytes.copy(into, 0, offset);
      return into;
    },
  }) as unknown as BlobClient;

describe('a copy that is cut off anywhere, any number of times', () => {
  test('ends identical, visible only when whole, and sends no block again that had arrived', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.constantFrom('before', 'after', 'no', 'no'), { maxLength: 40 }),
        async (content, blockBytes, lanes, crashes) => {
          const bytes = Buffer.from(content);
          const account = createAccount(crashes);
          const listed = { name: 'blob', size: bytes.length, etag: '"1"' };
          const copy = () =>
            copyBlob({ source: sourceOf(bytes), target: account.target, listed, blockBytes, lanes }).catch(
              (error: unknown) => {
                if (error instanceof Crash) return 'crash' as const;
                throw error;
              },
            );
          let result = await copy();
          let attempts = 1;
          while (result === 'crash') {
            const seen = account.committed();
            if (seen) expect(seen.bytes.equals(bytes)).toBe(true);
            result = await copy();
            attempts++;
          }
          expect(result).toMatchObject({ size: bytes.length, sha256: sha256(bytes) });
          expect(account.committed()?.bytes.equals(bytes)).toBe(true);
          expect(account.repeats).toEqual([]);
          const blocks = Math.ceil(bytes.length / blockBytes);
          // Only what was under way can be lost with the host.
          expect(account.sent.length).toBeLessThanOrEqual(blocks + (attempts - 1) * lanes);
        },
      ),
    );
  });

  test('never mixes blocks of two versions of the source', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 2, maxLength: 40 }), async (content) => {
        const old = Buffer.from(content.map((byte) => byte ^ 0xff));
        const bytes = Buffer.from(content);
        const account = createAccount([]);
        const common = { target: account.target, blockBytes: 3 };
        const listed = { name: 'blob', size: bytes.length, etag: '"old"' };
        // What the attempt at the old version has left: all of its blocks but no commit.
        const { commitBlockList } = account.target;
        account.target.commitBlockList = () => Promise.reject(new Crash());
        await expect(copyBlob({ ...common, source: sourceOf(old), listed })).rejects.toBeInstanceOf(Crash);
        expect(account.stagedBlocks()).toBeGreaterThan(0);
        account.target.commitBlockList = commitBlockList;
        await copyBlob({ ...common, source: sourceOf(bytes), listed: { ...listed, etag: '"new"' } });
        expect(account.committed()?.bytes.equals(bytes)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

describe('passing a blob through', () => {
  test('hashes it as a whole, whatever order its blocks come in, and holds no more than its lanes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 80 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 5 }),
        fc.scheduler(),
        async (content, blockBytes, lanes, scheduler) => {
          const bytes = Buffer.from(content);
          let atHand = 0;
          let most = 0;
          const taken: Buffer[] = [];
          const hash = scheduler.waitFor(
            passThrough({
              size: bytes.length,
              blockBytes,
              lanes,
              async read(into, offset) {
                most = Math.max(most, ++atHand);
                await scheduler.schedule(Promise.resolve());
                bytes.copy(into, 0, offset);
              },
              async take({ index, bytes: block }) {
                taken[index] = Buffer.from(block);
                atHand--;
              },
            }),
          );
          expect(await hash).toBe(sha256(bytes));
          expect(Buffer.concat(taken).equals(bytes)).toBe(true);
          expect(most).toBeLessThanOrEqual(lanes);
        },
      ),
    );
  });

  test('ends with the first failure', async () => {
    let reads = 0;
    const failing = passThrough({
      size: 1000,
      blockBytes: 1,
      read: async (_into, offset) => {
        reads++;
        if (offset === 2) throw new Error('torn');
      },
    });
    await expect(failing).rejects.toThrow('torn');
    expect(reads).toBeLessThan(12);
  });
});
