import { createHash } from 'node:crypto';
import { argument, lifted, ofTexts, type ScalarFunction } from './function.ts';
import { xxHash64 } from './xx-hash.ts';

const MASK = (1n << 64n) - 1n;

/**
 * xxHash64, as a signed number or modulo a second argument. A result beyond 2^53 is rounded, as every long here.
 * Source: https://learn.microsoft.com/kusto/query/hash-function
 */
const hash: ScalarFunction = (args, { refuse }) => {
  const [value, modulo] = [argument(args, 0), args[1]];
  if (value.type !== 'string' && value.type !== 'guid') refuse(`'hash' of a ${value.type}`);
  return (row) => {
    const one = value.get(row);
    if (one === null) return null;
    const hashed = BigInt.asIntN(64, xxHash64(Buffer.from(String(one), 'utf8')) & MASK);
    if (!modulo) return Number(hashed);
    const by = BigInt(Number(modulo.get(row)));
    return by === 0n ? null : Number(((hashed % by) + by) % by);
  };
};

const digest = (algorithm: string) => ofTexts((text) => createHash(algorithm).update(text, 'utf8').digest('hex'));

export const NUMBERS: Record<string, ScalarFunction> = {
  hash,
  hash_sha256: digest('sha256'),
  hash_sha1: digest('sha1'),
  hash_md5: digest('md5'),
  abs: lifted((value: number) => Math.abs(value)),
  ceiling: lifted((value: number) => Math.ceil(value)),
  round: lifted((value: number, digits = 0) => {
    const by = 10 ** digits;
    const scaled = Math.abs(value) * by;
    // To the even neighbour when it lies in the middle, as .NET does.
    const low = Math.floor(scaled);
    const up = scaled - low > 0.5 || (scaled - low === 0.5 && low % 2 === 1);
    return (Math.sign(value) * (up ? low + 1 : low)) / by;
  }),
  sqrt: lifted((value: number) => (value < 0 ? null : Math.sqrt(value))),
  pow: lifted((value: number, power: number) => value ** power),
  exp: lifted((value: number) => Math.exp(value)),
  log: lifted((value: number) => (value <= 0 ? null : Math.log(value))),
  log10: lifted((value: number) => (value <= 0 ? null : Math.log10(value))),
  log2: lifted((value: number) => (value <= 0 ? null : Math.log2(value))),
  sign: lifted((value: number) => Math.sign(value)),
  isnan: lifted((value: number) => Number.isNaN(value)),
  isinf: lifted((value: number) => Math.abs(value) === Number.POSITIVE_INFINITY),
  isfinite: lifted((value: number) => Number.isFinite(value)),
};
