import { randomUUID } from 'node:crypto';
import type { Fault } from '../faults.ts';
import { type ApiError, partialError } from './query-error.ts';

/** Limits of one answer. Source: https://learn.microsoft.com/azure/azure-monitor/service-limits, query API. */
export interface QueryLimits {
  rows: number;
  bytes: number;
}
export interface Prefer {
  /** Seconds. */
  wait?: number;
  statistics: boolean;
  render: boolean;
  /** What of it is heeded, for the answer. */
  applied: string;
}

const LONGEST_WAIT_SECONDS = 600;

/** Source: https://learn.microsoft.com/azure/azure-monitor/logs/api/prefer-options */
export function readPrefer(header: string): Prefer {
  const wishes = new Map(header.split(/[,;]/).map((one) => one.trim().split('=') as [string, string | undefined]));
  const wait = Number(wishes.get('wait'));
  const usable = wishes.has('wait') && Number.isFinite(wait) && wait > 0;
  return {
    ...(usable ? { wait: Math.min(wait, LONGEST_WAIT_SECONDS) } : {}),
    statistics: wishes.get('include-statistics') === 'true',
    render: wishes.get('include-render') === 'true',
    applied: header.trim(),
  };
}

/** What fits into one answer; the rest is left out with an error beside it. */
export function bounded<Row>(rows: Row[], limits: QueryLimits, fault: Fault): { rows: Row[]; error?: ApiError } {
  if (fault.kind === 'effect' && fault.effect === 'partial') {
    return {
      rows: rows.slice(0, Math.floor(rows.length / 2)),
      error: partialError('-2133196799', 'The query was stopped before all rows were read (set through the faults).'),
    };
  }
  const tooMany = (what: string) =>
    partialError('-2133196797', `Query result set has exceeded the internal ${what} (E_QUERY_RESULT_SET_TOO_LARGE).`);
  if (rows.length > limits.rows) {
    return { rows: rows.slice(0, limits.rows), error: tooMany(`record count limit ${limits.rows}`) };
  }
  let bytes = 0;
  for (const [index, row] of rows.entries()) {
    bytes += Buffer.byteLength(JSON.stringify(row));
    if (bytes > limits.bytes) return { rows: rows.slice(0, index), error: tooMany(`data size limit ${limits.bytes}`) };
  }
  return { rows };
}

export const statistics = (seconds: number, rows: number) => ({
  query: {
    executionTime: seconds,
    resourceUsage: {},
    datasetStatistics: [{ tableRowCount: rows, tableSize: 0 }],
    requestId: randomUUID(),
  },
});
