import type { EstateClock } from '../clock.ts';
import type { AuditRow } from '../estate.ts';

/** A row as it was injected: any column of either table. */
export type InjectedRow = Record<string, unknown>;

/** The two tables in which a Managed HSM's audit rows are found. */
export type TableName = 'AZKVAuditLogs' | 'AzureDiagnostics';

export type StoredRow =
  /** Written by an HSM of the estate, in neither table's shape yet. */
  | { kind: 'audit'; generatedAt: string; ingestedAt: string; row: AuditRow }
  /** Injected in a table's own shape. */
  | { kind: 'injected'; generatedAt: string; ingestedAt: string; table: TableName; row: InjectedRow };

/**
 * What the log workspace knows. The query API is to be built on `rows()`: it gives what has been ingested by now, in the
 * order of `generatedAt`; shaping rows into tables belongs to the query.
 */
export interface LogStore {
  add(row: AuditRow): void;
  /** `TimeGenerated` of the row, or now. */
  inject(table: TableName, row: InjectedRow): StoredRow;
  rows(window?: { from?: Date; to?: Date }): StoredRow[];
  /** Rows that have been written and cannot be queried yet. */
  pending(): number;
  ingestionDelayMs: number;
  save(): unknown;
  load(saved: unknown): void;
  reset(): void;
}

/** Ingestion takes 20 s to 3 min on average. Source: https://learn.microsoft.com/azure/azure-monitor/logs/data-ingestion-time */
export const TYPICAL_INGESTION_DELAY_MS = 60_000;

export function createLogStore(options: {
  clock: EstateClock;
  /** Estate milliseconds between an operation and the moment its row can be queried. */
  ingestionDelayMs?: number;
  onRow?(row: StoredRow): void;
}): LogStore {
  const { clock, onRow } = options;
  const initialDelayMs = options.ingestionDelayMs ?? TYPICAL_INGESTION_DELAY_MS;
  const stored: StoredRow[] = [];
  const keep = (row: StoredRow) => {
    stored.push(row);
    onRow?.(row);
    return row;
  };
  const ingestion = () => new Date(clock.now().getTime() + store.ingestionDelayMs).toISOString();
  const store: LogStore = {
    ingestionDelayMs: initialDelayMs,
    add: (row) => void keep({ kind: 'audit', generatedAt: row.time, ingestedAt: ingestion(), row }),
    inject(table, row) {
      const generatedAt = typeof row.TimeGenerated === 'string' ? row.TimeGenerated : clock.now().toISOString();
      return keep({ kind: 'injected', generatedAt, ingestedAt: ingestion(), table, row });
    },
    rows({ from, to } = {}) {
      const now = clock.now().getTime();
      return stored
        .filter(({ ingestedAt, generatedAt }) => {
          const generated = Date.parse(generatedAt);
          return (
            Date.parse(ingestedAt) <= now &&
            (from === undefined || generated >= from.getTime()) &&
            (to === undefined || generated < to.getTime())
          );
        })
        .sort((left, right) => Date.parse(left.generatedAt) - Date.parse(right.generatedAt));
    },
    pending() {
      const now = clock.now().getTime();
      return stored.filter(({ ingestedAt }) => Date.parse(ingestedAt) > now).length;
    },
    save: () => ({ stored }),
    load: (saved) => void stored.splice(0, stored.length, ...(saved as { stored: StoredRow[] }).stored),
    reset() {
      stored.splice(0);
      store.ingestionDelayMs = initialDelayMs;
    },
  };
  return store;
}
