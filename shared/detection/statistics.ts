/** Makes the variance of a Poisson count about 1: 2·√(x + 3/8). Anscombe 1948, https://doi.org/10.1093/biomet/35.3-4.246 */
export const anscombe = (count: number): number => 2 * Math.sqrt(Math.max(0, count) + 0.375);

/** Back from the stabilised scale; never negative. */
export const inverseAnscombe = (value: number): number => Math.max(0, (value / 2) ** 2 - 0.375);

/** Middle of the values, the mean of the middle two of an even number; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Median absolute deviation, times 1.4826: the standard deviation, were the values normal. */
export function scaledMad(values: readonly number[], centre = median(values)): number {
  return 1.4826 * median(values.map((value) => Math.abs(value - centre)));
}

/** The value below which the share lies, by linear interpolation; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN];
  return low + (high - low) * (at - Math.floor(at));
}

/** ln Γ(x) for x > 0, by Lanczos with g = 7 and nine terms: relative error below 1e-14. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - logGamma(1 - x);
  const z = x - 1;
  const t = z + 7.5;
  const sum = LANCZOS.reduce((total, term, index) => total + (index === 0 ? term : term / (z + index)), 0);
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

const LANCZOS = [
  0.999_999_999_999_809_93, 676.520_368_121_885_1, -1259.139_216_722_402_8, 771.323_428_777_653_13,
  -176.615_029_162_140_6, 12.507_343_278_686_905, -0.138_571_095_265_720_12, 9.984_369_578_019_572e-6,
  1.505_632_735_149_311_6e-7,
];

/** ln P(X ≥ count) of a Poisson count with the mean; 0 for a count of none, −∞ where the mean is 0. */
export function logPoissonTail(count: number, mean: number): number {
  if (count <= 0) return 0;
  if (mean <= 0) return Number.NEGATIVE_INFINITY;
  return logTail(
    count,
    mean,
    (k) => k * Math.log(mean) - mean - logGamma(k + 1),
    (k) => mean / (k + 1),
  );
}

/**
 * ln P(X ≥ count) of a negative binomial with the mean and the variance mean + mean²/size; a large size is a Poisson count.
 */
export function logNegativeBinomialTail(count: number, mean: number, size: number): number {
  if (count <= 0) return 0;
  if (mean <= 0) return Number.NEGATIVE_INFINITY;
  if (size > 1e6) return logPoissonTail(count, mean);
  const success = size / (size + mean);
  return logTail(
    count,
    mean,
    (k) => logGamma(k + size) - logGamma(size) - logGamma(k + 1) + size * Math.log(success) + k * Math.log1p(-success),
    (k) => ((k + size) / (k + 1)) * (1 - success),
  );
}

/** Sums the smaller side: the tail from the count up, or one less what lies below. */
function logTail(count: number, mean: number, logMass: (k: number) => number, ratio: (k: number) => number): number {
  const from = Math.ceil(count);
  if (from > mean) {
    let [term, sum] = [1, 1];
    for (let k = from; k < from + 100_000; k += 1) {
      term *= ratio(k);
      sum += term;
      if (term < sum * 1e-16) break;
    }
    return Math.min(0, logMass(from) + Math.log(sum));
  }
  let below = 0;
  for (let k = from - 1; k >= 0; k -= 1) {
    const mass = Math.exp(logMass(k));
    below += mass;
    if (mass < below * 1e-16) break;
  }
  return below >= 1 ? logMass(from) : Math.log1p(-below);
}

/** Exponentially weighted mean: the newest value has the weight. */
export const ewma = (before: number, value: number, weight: number): number => before + weight * (value - before);

/** Divergence of two histograms in bits: 0 for the same shares, 1 for none in common; 0 where either is empty. */
export function jensenShannon(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): number {
  const [sumA, sumB] = [total(a), total(b)];
  if (sumA <= 0 || sumB <= 0) return 0;
  let bits = 0;
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [p, q] = [(own(a, name) ?? 0) / sumA, (own(b, name) ?? 0) / sumB];
    const middle = (p + q) / 2;
    if (p > 0) bits += (p * Math.log2(p / middle)) / 2;
    if (q > 0) bits += (q * Math.log2(q / middle)) / 2;
  }
  return Math.min(1, Math.max(0, bits));
}

/**
 * Chance that a scope which met new entities on the given days (ages in days) meets none now: Poisson with a decay of a
 * twentieth a day. Near 1, a new entity is a surprise.
 * https://learn.microsoft.com/kusto/functions-library/detect-anomalous-new-entity-fl
 */
export function surpriseOfNew(ages: readonly number[], historyDays: number): number {
  if (historyDays <= 0) return 0;
  const rate = ages.reduce((sum, age) => sum + 0.95 ** Math.max(0, age), 0) / historyDays;
  return Math.exp(-rate);
}

const total = (histogram: Readonly<Record<string, number>>): number =>
  Object.values(histogram).reduce((sum, count) => sum + Math.max(0, count), 0);

const own = (histogram: Readonly<Record<string, number>>, name: string): number | undefined =>
  Object.hasOwn(histogram, name) ? histogram[name] : undefined;
