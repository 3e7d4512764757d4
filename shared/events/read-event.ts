import { toIso } from '../time.ts';

/**
 * Tolerant reading of foreign events. Published samples carry `"ObjectName "` with a blank at its end, a version with one in
 * front, camelCase names and numbers as texts. https://learn.microsoft.com/azure/event-grid/event-schema-key-vault
 */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A member by its name, whatever its case and stray blanks; the exact name wins over a variant. */
export function field(record: Record<string, unknown>, name: string): unknown {
  if (Object.hasOwn(record, name)) return record[name];
  const wanted = name.toLowerCase();
  const found = Object.keys(record).find((key) => key.trim().toLowerCase() === wanted);
  return found === undefined ? undefined : record[found];
}

/** Trimmed; undefined for anything that is no text, or an empty one. */
export function text(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const trimmed = value.trim();
  return trimmed === '' ? undefined : trimmed;
}

/** Unix seconds, as a number or digits, as an ISO instant. */
export function unixSeconds(value: unknown): string | undefined {
  const seconds = typeof value === 'string' && /^\s*\d{1,12}\s*$/.test(value) ? Number(value) : value;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds <= 0 || seconds > 8.64e12) return undefined;
  return toIso(new Date(Math.round(seconds) * 1000));
}
