import type { EstateClock } from '../clock.ts';
import type { AuditRow } from '../estate.ts';
import { DEFAULT_SHAPE, type Destination, type Shape, type TableRow } from './shape.ts';
import { SIGN_IN_TABLES, type TableName } from './tables.ts';

export type { TableName } from './tables.ts';

/** A row as it was injected: any column of its table. */
export type InjectedRow = TableRow;

export type StoredRow = {
  generatedAt: string;
  /** When it can be queried; absent while an outage holds it. */
  ingestedAt?: string;
} & (
  | {
      /** Written by an HSM of the estate; `shape` says what it becomes in a table. */
      kind: 'audit';
      row: AuditRow;
      shape: Shape;
    }
  /** In a table's own shape: injected, or written by the estate's Resource Manager. */
  | { kind: 'injected' | 'activity'; table: TableName; row: InjectedRow }
);

/** What comes between the writing of a row and the moment it can be queried. */
export interface Ingestion {
  delayMs: number;
  /** Up to this much more, by chance. */
  spreadMs: number;
  /** Further copies of each row. */
  duplicates: number;
  /** `lose`: rows written now never arrive. `hold`: they arrive after it has ended. */
  outage: 'none' | 'lose' | 'hold';
}

/** How the estate's rows look, and which tables and columns there are. */
export interface LogSettings extends Shape {
  /** Destinations of single HSMs, by name, where they differ. */
  hsms: Record<string, Destination>;
  /** Every published column of AzureDiagnostics, used or not. */
  allColumns: boolean;
  /** Tables that the workspace does not have. */
  missingTables: TableName[];
}

export interface LogStore {
  add(row: AuditRow): void;
  /** An entry of the activity log. */
  addActivity(row: TableRow): void;
  /**
   * `TimeGenerated` of the row, or now. Without `ingestedAt` or `delayMs` the row arrives as the estate's own do.
   */
  inject(table: TableName, row: InjectedRow, arrival?: { delayMs?: number; ingestedAt?: Date }): StoredRow;
  /** Rows that can be queried by now, by the time of the operation. */
  rows(window?: { from?: Date; to?: Date }): StoredRow[];
  /** All of them, in the order of their arrival; always the same list. */
  readonly stored: readonly StoredRow[];
  /** Rows that have been written and cannot be queried yet. */
  pending(): number;
  ingestionDelayMs: number;
  ingestion(change?: Partial<Ingestion>): Ingestion;
  settings(change?: Partial<LogSettings>): LogSettings;
  save(): unknown;
  load(saved: unknown): void;
  reset(): void;
}

/** Ingestion takes 20 s to 3 min on average. Source: https://learn.microsoft.com/azure/azure-monitor/logs/data-ingestion-time */
export const TYPICAL_INGESTION_DELAY_MS = 60_000;

/** Sign-ins of the tenant go to the workspace of few installations. */
export const DEFAULT_SETTINGS: LogSettings = {
  ...DEFAULT_SHAPE,
  ...{ hsms: {}, allColumns: false, missingTables: [...SIGN_IN_TABLES] },
};

/** What the log workspace has been sent, and when each row of it becomes visible. */
export function createLogStore(options: {
  clock: EstateClock;
  /** Estate milliseconds between an operation and the moment its row can be queried. */
  ingestionDelayMs?: number;
  random?: () => number;
  onRow?(row: StoredRow): void;
  onInjected?(row: StoredRow): void;
}): LogStore {
  const { clock, onRow, onInjected, random = Math.random } = options;
  const initial: Ingestion = {
    delayMs: options.ingestionDelayMs ?? TYPICAL_INGESTION_DELAY_MS,
    ...{ spreadMs: 0, duplicates: 0, outage: 'none' },
  };
  let ingestion = { ...initial };
  let settings = structuredClone(DEFAULT_SETTINGS);
  const stored: StoredRow[] = [];
  const now = () => clock.now().getTime();
  const arrival = (delayMs?: number) =>
    new Date(now() + (delayMs ?? ingestion.delayMs + Math.floor(random() * ingestion.spreadMs))).toISOString();
  const isVisible = ({ ingestedAt }: StoredRow) => ingestedAt !== undefined && Date.parse(ingestedAt) <= now();

  /** Sends a row on its way; each copy has its own. */
  const send = (make: (ingestedAt: string | undefined) => StoredRow): void => {
    if (ingestion.outage === 'lose') return;
    for (let copy = 0; copy <= ingestion.duplicates; copy++) {
      stored.push(make(ingestion.outage === 'hold' ? undefined : arrival()));
    }
  };
  const timed = (generatedAt: string, ingestedAt: string | undefined) =>
    ingestedAt === undefined ? { generatedAt } : { generatedAt, ingestedAt };
  const generatedAtOf = (row: TableRow) =>
    typeof row.TimeGenerated === 'string' ? row.TimeGenerated : clock.now().toISOString();

  const store: LogStore = {
    stored,
    get ingestionDelayMs() {
      return ingestion.delayMs;
    },
    set ingestionDelayMs(delayMs) {
      ingestion.delayMs = delayMs;
    },
    add(row) {
      const { hsms, identity, claims } = settings;
      const shape: Shape = { tables: hsms[row.hsm] ?? settings.tables, identity, claims };
      send((ingestedAt) => ({ kind: 'audit', ...timed(row.time, ingestedAt), row, shape }));
      onRow?.({ kind: 'audit', generatedAt: row.time, row, shape });
    },
    addActivity(row) {
      const generatedAt = generatedAtOf(row);
      send((ingestedAt) => ({ kind: 'activity', ...timed(generatedAt, ingestedAt), table: 'AzureActivity', row }));
    },
    inject(table, row, { delayMs, ingestedAt } = {}) {
      // Injecting is the act of a test: no outage stops it.
      const at = ingestedAt ? ingestedAt.toISOString() : arrival(delayMs);
      const made: StoredRow = { kind: 'injected', ...timed(generatedAtOf(row), at), table, row };
      stored.push(made);
      onInjected?.(made);
      return made;
    },
    rows({ from, to } = {}) {
      return stored
        .filter((row) => {
          const generated = Date.parse(row.generatedAt);
          return (
            isVisible(row) &&
            (from === undefined || generated >= from.getTime()) &&
            (to === undefined || generated < to.getTime())
          );
        })
        .sort((left, right) => Date.parse(left.generatedAt) - Date.parse(right.generatedAt));
    },
    pending: () => stored.filter((row) => !isVisible(row)).length,
    ingestion(change = {}) {
      ingestion = { ...ingestion, ...change };
      if (ingestion.outage !== 'hold') for (const row of stored) row.ingestedAt ??= arrival();
      return { ...ingestion };
    },
    settings(change = {}) {
      settings = { ...settings, ...change };
      return structuredClone(settings);
    },
    save: () => ({ stored, ingestion, settings }),
    load(saved) {
      const given = saved as { stored: StoredRow[]; ingestion?: Ingestion; settings?: LogSettings };
      stored.length = 0;
      for (const row of given.stored)
        stored.push(row.kind === 'audit' ? { ...row, shape: row.shape ?? DEFAULT_SHAPE } : row);
      ingestion = { ...initial, ...given.ingestion };
      settings = { ...structuredClone(DEFAULT_SETTINGS), ...given.settings };
    },
    reset() {
      stored.length = 0;
      ingestion = { ...initial };
      settings = structuredClone(DEFAULT_SETTINGS);
    },
  };
  return store;
}
