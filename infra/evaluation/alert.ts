import type { Severity } from '../../shared/detection/finding.ts';

/** What any tool says, in one form. */
export interface Alert {
  /** The same in a run with attacks and in the clean one, if it would have been said anyhow. */
  id: string;
  detector: string;
  at: number;
  severity: Severity;
  score: number;
  /** Object id and user name, as far as it names anybody. */
  callers: string[];
  keys: string[];
  title: string;
  /** A repeat of what was told before: kept, and told to nobody. */
  repeat?: boolean;
}

/** What a tool made of one run, and what it had to read for that. */
export interface Judgement {
  alerts: Alert[];
  cost: Cost;
}

export interface Cost {
  /** Rows that were stored while it ran. */
  rows: number;
  /** Groups and bytes that left the workspace. */
  groups: number;
  bytes: number;
}

const BANDS: Severity[] = ['Informational', 'Low', 'Medium', 'High', 'Critical'];

export const atLeast = (severity: Severity, band: Severity): boolean => BANDS.indexOf(severity) >= BANDS.indexOf(band);

export const worseOf = (left: Severity, right: Severity): Severity => (atLeast(left, right) ? left : right);
