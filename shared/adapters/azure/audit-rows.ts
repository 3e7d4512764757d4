import type { Arrivals, Caller, CallGroup, ControlPlaneAct, HourVolume } from '../../detection/audit-call.ts';
import { classifyCall } from '../../detection/classify-call.ts';
import { oneLine } from '../../notification/clean.ts';
import type { AuditLog, LoggedVersionUse, SignIn } from '../../ports/audit-log.ts';
import type { LogRecord } from './log-query.ts';

/** Log contents are an attacker's to choose: one visible line, cut. */
const LONGEST = 200;
/** A role assignment at a key with a long name is longer than that. */
const LONGEST_PATH = 320;

const text = (value: unknown, longest = LONGEST): string =>
  typeof value === 'string' ? oneLine(value, longest) : typeof value === 'number' ? String(value) : '';

const count = (value: unknown): number => {
  const found = Number(value);
  return Number.isFinite(found) && found > 0 ? Math.floor(found) : 0;
};

/** ISO; cells of the type datetime arrive as Date. An instant that cannot be read is that of the epoch, and looks like it. */
function instant(value: unknown): string {
  const found = value instanceof Date ? value : new Date(typeof value === 'string' ? value : Number.NaN);
  return Number.isNaN(found.getTime()) ? new Date(0).toISOString() : found.toISOString();
}

const list = (value: unknown): string[] =>
  (Array.isArray(value) ? value : []).flatMap((each) => text(each, 64) || []).slice(0, 20);

const optional = <K extends string>(name: K, value: string): Partial<Record<K, string>> =>
  (value === '' ? {} : { [name]: value }) as Partial<Record<K, string>>;

const callerOf = ({ Oid, App, Upn }: LogRecord): Caller => ({
  oid: text(Oid).toLowerCase(),
  ...optional('app', text(App).toLowerCase()),
  ...optional('upn', text(Upn).toLowerCase()),
});

/** Groups, and how many of them did not come. */
export function readGroups(hsm: string, records: LogRecord[]): { calls: CallGroup[]; more: number } {
  const { rows, more } = withTotal(records);
  return { calls: rows.map((record) => groupOf(hsm, record)), more };
}

/** How many groups there were in all is a row of the answer itself. */
function withTotal(records: LogRecord[]): { rows: LogRecord[]; more: number } {
  const isTotal = ({ Groups }: LogRecord) => Groups !== null && Groups !== undefined && Groups !== '';
  const total = count(records.find(isTotal)?.Groups);
  const rows = records.filter((record) => !isTotal(record));
  return { rows, more: Math.max(0, total - rows.length) };
}

function groupOf(hsm: string, record: LogRecord): CallGroup {
  const presented = callerOf(record);
  const operation = text(record.Operation, 100);
  const status = count(record.Status);
  const classified = classifyCall({ path: text(record.Path, LONGEST_PATH), operation, status, oid: presented.oid });
  return {
    hsm,
    ...classified,
    operation,
    status,
    ...identityOf(presented, status),
    address: text(record.Address, 64),
    ...optional('subnet', text(record.Subnet, 300)),
    ...optional('trustedService', text(record.Trusted, 100)),
    userAgent: text(record.Client),
    count: count(record.Count),
    first: instant(record.First),
    last: instant(record.Last),
    arrived: instant(record.LastArrived),
    correlationIds: list(record.CorrelationIds),
  };
}

/**
 * The log holds the identity of the token that was presented, and 401 says that the token was not accepted.
 * https://learn.microsoft.com/azure/key-vault/general/logging
 */
const identityOf = (presented: Caller, status: number): Pick<CallGroup, 'caller' | 'claimed'> =>
  status !== 401
    ? { caller: presented }
    : { caller: { oid: '' }, ...(presented.oid === '' ? {} : { claimed: presented }) };

export function readVolume(hsm: string, record: LogRecord): HourVolume {
  const verb = text(record.Verb, 20);
  return {
    hsm,
    key: text(record.Key).toLowerCase(),
    caller: callerOf(record),
    class: verb === 'unwrapkey' || verb === 'decrypt' ? 'crypto.unprotect' : 'crypto.protect',
    verb,
    hour: instant(record.Hour),
    count: count(record.Count),
  };
}

export const readArrivals = (hsm: string, record: LogRecord): Arrivals => ({
  hsm,
  quarter: instant(record.Quarter),
  rows: count(record.Rows),
  lastEvent: instant(record.LastEvent),
  lastArrival: instant(record.LastArrival),
  canary: count(record.Canary),
  lag: { p50: count(record.LagP50), p99: count(record.LagP99) },
});

export const readControlPlaneAct = (hsm: string, record: LogRecord): ControlPlaneAct => ({
  hsm,
  operation: text(record.Operation),
  resource: text(record.Resource, 500),
  caller: text(record.Caller),
  at: instant(record.At),
  arrived: instant(record.LastArrived),
  succeeded: record.Succeeded === true || record.Succeeded === 1,
  correlationId: text(record.CorrelationId, 64),
});

/** Tables say by a row of their own that they are there. */
export function readSignIns(records: LogRecord[], most: number): Awaited<ReturnType<AuditLog['signIns']>> {
  const isTotal = ({ Total }: LogRecord) => Total !== null && Total !== undefined && Total !== '';
  return {
    tables: records.filter(isTotal).flatMap(({ Source }) => text(Source) || []),
    signIns: records.filter((record) => !isTotal(record)).map(signInOf),
    more: records.length >= most,
  };
}

const signInOf = (record: LogRecord): SignIn => ({
  table: text(record.Source),
  app: text(record.AppId, 64),
  address: text(record.IPAddress, 64),
  resource: text(record.ResourceDisplayName),
  result: text(record.ResultType, 64),
  ...optional('userAgent', text(record.UserAgent)),
  ...optional('credential', text(record.Credential, 64)),
  count: count(record.Count),
  first: instant(record.First),
  last: instant(record.Last),
});

/** Use by key, or how many groups of it there were when they are more than came. */
export function readVersionUse(records: LogRecord[]): { uses: Map<string, LoggedVersionUse[]>; more: number } {
  const { rows, more } = withTotal(records);
  const uses = new Map<string, LoggedVersionUse[]>();
  for (const record of rows) {
    const key = text(record.Key);
    const found = uses.get(key) ?? [];
    found.push(versionUseOf(key, record));
    uses.set(key, found);
  }
  return { uses, more };
}

function versionUseOf(key: string, record: LogRecord): LoggedVersionUse {
  const version = text(record.Version, 64);
  const caller = callerOf(record);
  const status = count(record.Status);
  const { class: of, outcome } = classifyCall({
    path: `/keys/${key}/${version}/${text(record.Verb, 20)}`,
    operation: '',
    status,
    oid: caller.oid,
  });
  return {
    version,
    caller,
    class: of,
    // Whose token was not accepted missed nothing that was ever theirs.
    outcome: status === 401 ? ('challenged' as const) : outcome,
    count: count(record.Count),
    first: instant(record.First),
    last: instant(record.Last),
  };
}
