/**
 * Chance that can be repeated: xoshiro128**, seeded by splitmix32 over a hash of its name.
 * Generators: https://prng.di.unimi.it/xoshiro128starstar.c, https://github.com/bryc/code/blob/master/jshash/PRNGs.md
 */
export interface Random {
  /** From 0 (inclusive) to 1 (exclusive), 32 bits of it. */
  next(): number;
  /** Whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  shuffled<T>(items: readonly T[]): T[];
  normal(mean: number, deviation: number): number;
  /** Log-normal by its median and the deviation of its logarithm. */
  logNormal(median: number, sigma: number): number;
  /** Time to the next of events that come `mean` apart. */
  exponential(mean: number): number;
  poisson(mean: number): number;
  /** Variance is mean + mean² / r. */
  negativeBinomial(mean: number, r: number): number;
  /** A GUID as text. */
  guid(): string;
  /** Lower-case hex digits. */
  hex(digits: number): string;
}

/** The same name gives the same numbers, for ever: a source that draws more does not move what another source draws. */
export function randomFor(...name: (string | number)[]): Random {
  const seed = splitmix32(hashOf(name.join('/')));
  let [a, b, c, d] = [seed(), seed(), seed(), seed()];
  const word = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  };
  const next = () => word() / 2 ** 32;
  /** Box and Muller, one of the pair. */
  const standard = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const hex = (digits: number) => {
    let text = '';
    while (text.length < digits) text += word().toString(16).padStart(8, '0');
    return text.slice(0, digits);
  };
  const poisson = (mean: number): number => {
    if (mean <= 0) return 0;
    if (mean > 40) return Math.max(0, Math.round(mean + Math.sqrt(mean) * standard()));
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = next(); product > limit; product *= next()) count++;
    return count;
  };
  /** Marsaglia and Tsang, for shapes from 1. */
  const gamma = (shape: number): number => {
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = standard();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(1 - next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  };
  const random: Random = {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: (probability) => next() < probability,
    pick: (items) => items[Math.floor(next() * items.length)] as (typeof items)[number],
    shuffled(items) {
      const copy = [...items];
      for (let last = copy.length - 1; last > 0; last--) {
        const other = random.between(0, last);
        [copy[last], copy[other]] = [copy[other] as (typeof copy)[number], copy[last] as (typeof copy)[number]];
      }
      return copy;
    },
    normal: (mean, deviation) => mean + deviation * standard(),
    logNormal: (median, sigma) => median * Math.exp(sigma * standard()),
    exponential: (mean) => -mean * Math.log(1 - next()),
    poisson,
    negativeBinomial: (mean, r) => (mean <= 0 ? 0 : poisson((gamma(r) * mean) / r)),
    guid() {
      const digits = hex(32);
      const part = (from: number, to: number) => digits.slice(from, to);
      return `${part(0, 8)}-${part(8, 12)}-4${part(13, 16)}-8${part(17, 20)}-${part(20, 32)}`;
    },
    hex,
  };
  return random;
}

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/** FNV-1a, 32 bits. http://www.isthe.com/chongo/tech/comp/fnv/ */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}
