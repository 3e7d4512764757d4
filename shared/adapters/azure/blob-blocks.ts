import { createHash } from 'node:crypto';
import { inLanes } from '../lanes.ts';

/** One part of a blob while its bytes are at hand: `bytes` is overwritten once `take` has ended. */
export interface Block {
  index: number;
  offset: number;
  bytes: Buffer;
}

/**
 * Large enough that a request costs little beside its bytes, small enough that four of them at a time leave memory bounded
 * whatever the size of the blob. A blob of 50 000 blocks holds 195 GiB.
 */
export const BLOCK_BYTES = 4 * 1024 * 1024;
export const LANES = 4;

/**
 * Passes a blob through in blocks, several at a time, and hashes them in their order. Holds at most `lanes` blocks in
 * memory. Gives the SHA-256 of the whole in hex; the first failure ends it, after what is under way.
 */
export async function passThrough(options: {
  size: number;
  blockBytes?: number;
  lanes?: number;
  /** Fills `into` with the bytes from `offset` on. */
  read(into: Buffer, offset: number): Promise<unknown>;
  take?(block: Block): Promise<void>;
}): Promise<string> {
  const { size, blockBytes = BLOCK_BYTES, lanes = LANES } = options;
  const hash = createHash('sha256');
  const buffers: Buffer[] = [];
  let hashedUpTo: Promise<unknown> = Promise.resolve();

  await inLanes(lanes, Array.from({ length: Math.ceil(size / blockBytes) }).keys(), async (index) => {
    const offset = index * blockBytes;
    const buffer = buffers.pop() ?? Buffer.allocUnsafe(Math.min(blockBytes, size));
    const bytes = buffer.subarray(0, Math.min(blockBytes, size - offset));
    // Lanes take blocks in order and at once, so that each finds the block before it here.
    const before = hashedUpTo;
    const filled = options.read(bytes, offset);
    hashedUpTo = filled.then(async () => {
      await before;
      hash.update(bytes);
    });
    await hashedUpTo;
    await options.take?.({ index, offset, bytes });
    buffers.push(buffer);
  });
  return hash.digest('hex');
}
