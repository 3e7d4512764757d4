import { STATUS_CODES } from 'node:http';
import type { AuditRow } from '../estate.ts';
import type { TableName } from './tables.ts';

/** A row as a table has it: any of its columns. Instants are ISO texts. */
export type TableRow = Record<string, unknown>;

/** Where the diagnostic setting of an HSM sends its rows: `Dedicated`, the older mode, or one setting of each. */
export type Destination = 'AZKVAuditLogs' | 'AzureDiagnostics' | 'both';

/** How the estate's own rows are written. What of it Azure does is not public, so each reading can be played. */
export interface Shape {
  tables: Destination;
  /** `Identity` of AZKVAuditLogs: an object, or a JSON text inside the dynamic. */
  identity: 'object' | 'text';
  /** Names of claims: `long` as in the one public record of a Managed HSM, `short` as in newer records of vaults. */
  claims: 'long' | 'short';
}

export const DEFAULT_SHAPE: Shape = { tables: 'AZKVAuditLogs', identity: 'object', claims: 'long' };

/** What an audit row becomes, by table. */
export function shaped(row: AuditRow, shape: Shape): { table: TableName; row: TableRow }[] {
  const made: { table: TableName; row: TableRow }[] = [];
  if (shape.tables !== 'AzureDiagnostics') made.push({ table: 'AZKVAuditLogs', row: dedicated(row, shape) });
  if (shape.tables !== 'AZKVAuditLogs') made.push({ table: 'AzureDiagnostics', row: diagnostics(row, shape) });
  return made;
}

const versionOf = (uri: string): string => /[?&]api-version=([^&]+)/.exec(uri)?.[1] ?? '';
const [SUBSCRIPTION, GROUP] = [2, 4];
const segment = (resourceId: string, index: number): string => resourceId.split('/')[index] ?? '';

/** Texts that all rows of one HSM share, made once. */
const resources = new Map<string, { lower: string; upper: string; subscription: string; group: string }>();
function resourceOf(id: string) {
  const known = resources.get(id);
  if (known) return known;
  const [subscription, group] = [segment(id, SUBSCRIPTION), segment(id, GROUP).toUpperCase()];
  const made = { lower: id.toLowerCase(), upper: id.toUpperCase(), subscription, group };
  resources.set(id, made);
  return made;
}

const common = (row: AuditRow): TableRow => ({
  TimeGenerated: row.time,
  OperationName: row.operationName,
  OperationVersion: versionOf(row.requestUri),
  ResultType: row.resultType,
  ResultDescription: row.resultDescription,
  CorrelationId: row.correlationId,
  DurationMs: row.durationMs,
  SourceSystem: 'Azure',
  _ResourceId: resourceOf(row.resourceId).lower,
  _SubscriptionId: resourceOf(row.resourceId).subscription,
});

/** The caller as the record in the documentation has it. Source: articles/key-vault/managed-hsm/logging.md of azure-docs. */
function claimsOf({ oid, appid, upn }: AuditRow['identity'], names: Shape['claims']): Record<string, unknown> {
  if (names === 'short') return defined({ appid, oid, upn });
  return defined({
    appid,
    http_schemas_microsoft_com_identity: oid && { claims: { objectidentifier: oid } },
    http_schemas_xmlsoap_org_ws_2005_05_identity: upn && { claims: { upn } },
  });
}

/** One object for all rows of a caller: there are few of them, and many rows. */
const identities = new Map<string, { claim: Record<string, unknown> }>();
function identityOf(caller: AuditRow['identity'], names: Shape['claims']) {
  const key = JSON.stringify([names, caller.oid, caller.appid, caller.upn]);
  const made = identities.get(key) ?? { claim: claimsOf(caller, names) };
  identities.set(key, made);
  return made;
}

const PROPERTIES = { PoolType: 'M-HSM', sku_Family: 'B', sku_Name: 'Standard_B1' };

function dedicated(row: AuditRow, shape: Shape): TableRow {
  const identity = identityOf(row.identity, shape.claims);
  return {
    ...common(row),
    Identity: shape.identity === 'text' ? JSON.stringify(identity) : identity,
    CallerIpAddress: row.callerIpAddress,
    ClientInfo: row.clientInfo,
    HttpStatusCode: row.httpStatusCode,
    RequestUri: row.requestUri,
    ResultSignature: STATUS_CODES[row.httpStatusCode],
    SubnetId: '(unknown)',
    HsmPoolResourceId: row.resourceId,
    Properties: PROPERTIES,
    Id: row.id,
    Algorithm: row.algorithm,
  };
}

/** Flattened, with a suffix for the type. The public record has no ResultSignature, so neither has this. */
function diagnostics(row: AuditRow, shape: Shape): TableRow {
  const { oid, appid, upn } = row.identity;
  const long = 'identity_claim_http_schemas';
  return {
    ...common(row),
    ResourceId: resourceOf(row.resourceId).upper,
    Category: 'AuditEvent',
    ResourceGroup: resourceOf(row.resourceId).group,
    SubscriptionId: resourceOf(row.resourceId).subscription,
    ResourceProvider: 'MICROSOFT.KEYVAULT',
    Resource: row.hsm.toUpperCase(),
    ResourceType: 'MANAGEDHSMS',
    CallerIPAddress: row.callerIpAddress,
    clientInfo_s: row.clientInfo,
    httpStatusCode_d: row.httpStatusCode,
    requestUri_s: row.requestUri,
    subnetId_s: '(unknown)',
    PoolName_s: row.hsm,
    id_s: row.id,
    identity_claim_appid_g: appid,
    [shape.claims === 'short' ? 'identity_claim_oid_g' : `${long}_microsoft_com_identity_claims_objectidentifier_g`]:
      oid,
    [shape.claims === 'short' ? 'identity_claim_upn_s' : `${long}_xmlsoap_org_ws_2005_05_identity_claims_upn_s`]: upn,
  };
}

const defined = (row: TableRow): TableRow =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined));
