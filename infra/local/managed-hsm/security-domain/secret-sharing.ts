import { randomBytes } from 'node:crypto';

/**
 * Shamir's secret sharing over GF(256), byte by byte. The service's own sharing is not public beyond its name
 * (`shamir_share`); any `required` shares give the secret back, and fewer say nothing about it.
 */
export interface Share {
  /** 1 to 255, and different for each share of one secret. */
  x: number;
  y: Buffer;
}

/** Powers of the generator 3 and their logarithms, modulo the polynomial of AES. */
const EXP = new Uint8Array(510);
const LOG = new Uint8Array(256);
for (let power = 0, value = 1; power < 255; power++) {
  EXP[power] = value;
  EXP[power + 255] = value;
  LOG[value] = power;
  // Times 3 is times 2 plus once more; what overflows a byte is reduced.
  value ^= (value << 1) ^ (value & 0x80 ? 0x11b : 0);
}

const log = (value: number): number => LOG[value] ?? 0;
const exp = (power: number): number => EXP[power] ?? 0;
const times = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : exp(log(a) + log(b)));
const over = (a: number, b: number): number => (a === 0 ? 0 : exp(log(a) + 255 - log(b)));

/** Throws RangeError unless 1 ≤ `required` ≤ `count` ≤ 255. */
export function splitSecret(secret: Buffer, count: number, required: number): Share[] {
  if (!(required >= 1 && required <= count && count <= 255)) {
    throw new RangeError(`${required} of ${count} shares: it takes 1 ≤ required ≤ count ≤ 255.`);
  }
  // One polynomial for each byte: the secret is its value at 0, the rest is random.
  const coefficients = [secret, ...Array.from({ length: required - 1 }, () => randomBytes(secret.length))].reverse();
  return Array.from({ length: count }, (_, index) => {
    const x = index + 1;
    const y = Buffer.alloc(secret.length);
    for (const coefficient of coefficients) {
      for (let at = 0; at < y.length; at++) y[at] = times(y[at] ?? 0, x) ^ (coefficient[at] ?? 0);
    }
    return { x, y };
  });
}

/** The secret, when there are at least as many shares as were required; otherwise bytes that mean nothing. */
export function combineShares(shares: readonly Share[]): Buffer {
  const secret = Buffer.alloc(shares[0]?.y.length ?? 0);
  for (const share of shares) {
    // Lagrange's basis at 0. Subtraction is exclusive or.
    let basis = 1;
    for (const other of shares) if (other.x !== share.x) basis = times(basis, over(other.x, other.x ^ share.x));
    for (let at = 0; at < secret.length; at++) secret[at] = (secret[at] ?? 0) ^ times(share.y[at] ?? 0, basis);
  }
  return secret;
}
