import arrivals from './arrivals.kql';
import azkvAuditLogs from './azkv-audit-logs.kql';
import azureDiagnostics from './azure-diagnostics.kql';
import commonColumns from './common-columns.kql';
import controlPlane from './control-plane.kql';
import hourVolumes from './hour-volumes.kql';
import keyUse from './key-use.kql';
import { type KqlValue, literal } from './literal.ts';
import refusedCalls from './refused-calls.kql';
import sensitiveCalls from './sensitive-calls.kql';
import signIns from './sign-ins.kql';
import versionUse from './version-use.kql';

/** Where Microsoft Entra tells of sign-ins, in the workspaces to which a tenant sends them. */
export const SIGN_IN_TABLES = ['SigninLogs', 'AADServicePrincipalSignInLogs', 'AADManagedIdentitySignInLogs'] as const;

/** The tables in which the audit rows of a Managed HSM may lie. Which of the two is used is a choice of its diagnostic setting. */
export const LOG_TABLES = ['AZKVAuditLogs', 'AzureDiagnostics'] as const;

export type LogTable = (typeof LOG_TABLES)[number];

const NORMALISERS: Record<LogTable, string> = { AZKVAuditLogs: azkvAuditLogs, AzureDiagnostics: azureDiagnostics };

const AUDIT_QUERIES = { sensitiveCalls, refusedCalls, keyUse, hourVolumes, arrivals, versionUse };
const QUERIES = { ...AUDIT_QUERIES, controlPlane, signIns };

export type QueryName = keyof typeof QUERIES;

export const QUERY_NAMES = Object.keys(QUERIES) as QueryName[];

/**
 * The text of a query: its values as `let` statements, then the rows of the configured tables in one shape, then the query.
 * A table that the workspace does not have is left out by the workspace itself (`isfuzzy`).
 */
export function buildQuery(
  name: QueryName,
  tables: readonly LogTable[],
  values: Readonly<Record<string, KqlValue>>,
): string {
  const lets = Object.entries(values).map(([variable, value]) => `let ${named(variable)} = ${literal(value)};`);
  const rows = name in AUDIT_QUERIES ? [`let calls = ${rowsOf(tables)};`] : [];
  return [...lets, ...rows, QUERIES[name].trim()].join('\n');
}

function rowsOf(tables: readonly LogTable[]): string {
  if (tables.length === 0) throw new RangeError('a query needs one table at least');
  const sources = tables.map((table) => `(\n${NORMALISERS[table].trim()}\n)`);
  return `union isfuzzy=true ${sources.join(', ')}\n${commonColumns.trim()}`;
}

/** Names of values are written in this product; anything else is a mistake in it. */
function named(variable: string): string {
  if (!/^[a-z][A-Za-z]{1,30}$/.test(variable)) throw new RangeError(`${variable} cannot name a value of a query`);
  return variable;
}
