import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { combineShares, splitSecret } from '../../../../../infra/local/managed-hsm/security-domain/secret-sharing.ts';

const secrets = fc.uint8Array({ minLength: 1, maxLength: 48 }).map((bytes) => Buffer.from(bytes));
const quorums = fc
  .integer({ min: 2, max: 10 })
  .chain((count) => fc.tuple(fc.constant(count), fc.integer({ min: 2, max: count })));

describe('Secret sharing', () => {
  test('gives the secret back from any quorum of the shares, in any order', () => {
    fc.assert(
      fc.property(
        secrets,
        quorums.chain(([count, required]) =>
          fc.tuple(
            fc.constant(count),
            fc.constant(required),
            fc.shuffledSubarray([...Array(count).keys()], { minLength: required, maxLength: count }),
          ),
        ),
        (secret, [count, required, chosen]) => {
          const shares = splitSecret(secret, count, required);
          const some = chosen.flatMap((index) => shares[index] ?? []);
          expect(combineShares(some).equals(secret)).toBe(true);
        },
      ),
    );
  });

  test('leaves every secret possible to those who lack one share', () => {
    // With one share missing, each value of the missing one leads to another secret: nothing is ruled out.
    const shares = splitSecret(Buffer.from([42]), 5, 3).slice(0, 2);
    const possible = new Set(
      Array.from({ length: 256 }, (_, value) => combineShares([...shares, { x: 3, y: Buffer.from([value]) }])[0]),
    );
    expect(possible.size).toBe(256);
  });

  test('does not give the secret back from fewer shares than the quorum', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), quorums, (bytes, [count, required]) => {
        const secret = Buffer.from(bytes);
        const shares = splitSecret(secret, count, required).slice(0, required - 1);
        expect(combineShares(shares).equals(secret)).toBe(false);
      }),
    );
  });

  test.each([
    [2, 3],
    [256, 2],
    [3, 0],
  ])('refuses %i shares of which %i are required', (count, required) => {
    expect(() => splitSecret(Buffer.from('secret'), count, required)).toThrow(RangeError);
  });
});
