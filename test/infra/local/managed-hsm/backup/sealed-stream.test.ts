import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SEAL_OVERHEAD, sealing, unsealing } from '../../../../../infra/local/managed-hsm/backup/sealed-stream.ts';

const key = randomBytes(32);
const through = async (chunks: readonly Uint8Array[], transform: ReturnType<typeof sealing>): Promise<Buffer> => {
  const source = Readable.from(
    chunks.map((chunk) => Buffer.from(chunk)),
    { objectMode: false },
  );
  source.pipe(transform);
  return buffer(transform);
};
const cut = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );

const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 8 });

describe('A sealed stream', () => {
  test('opens to what went in, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 60 }), async (given, size) => {
        const sealed = await through(given, sealing(key, 'label'));
        const plain = Buffer.concat(given);
        expect(sealed.length).toBe(plain.length + SEAL_OVERHEAD);
        expect((await through(cut(sealed, size), unsealing(key, 'label'))).equals(plain)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('does not open when any byte was changed', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, fc.nat(), fc.integer({ min: 1, max: 255 }), async (given, at, change) => {
        const sealed = await through(given, sealing(key, 'label'));
        const position = at % sealed.length;
        sealed.writeUInt8(sealed.readUInt8(position) ^ change, position);
        await expect(through([sealed], unsealing(key, 'label'))).rejects.toThrow();
      }),
      { numRuns: 60 },
    );
  });

  test('does not open when it was cut short, with another key, or under another label', async () => {
    const sealed = await through([Buffer.from('content')], sealing(key, 'label'));
    for (let length = 0; length < sealed.length; length++) {
      await expect(through([sealed.subarray(0, length)], unsealing(key, 'label'))).rejects.toThrow();
    }
    await expect(through([sealed], unsealing(randomBytes(32), 'label'))).rejects.toThrow();
    await expect(through([sealed], unsealing(key, 'other'))).rejects.toThrow();
  });
});
