import type { TrafficCall } from './call.ts';
import type { Site } from './site.ts';

export type TableName = 'AZKVAuditLogs' | 'AzureDiagnostics';

/** One row in the columns of a table, and when it could be queried. */
export interface AuditTableRow {
  arrived: number;
  row: Record<string, unknown>;
}

const SUBSCRIPTION = '00000000-0000-0000-0000-000000000001';

/**
 * The single rows of a call, repeats included: a repeat is the same row again. Columns:
 * https://learn.microsoft.com/azure/azure-monitor/reference/tables/azkvauditlogs and …/azurediagnostics. Where an identity's
 * claims lie in them is not documented for a Managed HSM; both known places are those that queries look in.
 */
export function rowsOf(site: Pick<Site, 'hsm' | 'host'>, call: TrafficCall, table: TableName): AuditTableRow[] {
  const rows: AuditTableRow[] = [];
  const step = call.count > 1 ? call.span / (call.count - 1) : 0;
  for (let index = 0; index < call.count; index++) {
    const at = new Date(Math.round(call.at + index * step)).toISOString();
    const row = {
      TimeGenerated: at,
      ...(table === 'AZKVAuditLogs' ? resourceSpecific : diagnostics)(site, call, index),
    };
    rows.push({ arrived: call.arrived, row });
    if (index < call.repeated) rows.push({ arrived: call.arrived, row: { ...row } });
  }
  return rows;
}

/** As the service's GUIDs look; the serial of the call and the place in it make it unique. */
export const correlationId = (call: TrafficCall, index: number): string =>
  `${call.serial.toString(16).padStart(8, '0')}-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;

const resourceId = (hsm: string) =>
  `/subscriptions/${SUBSCRIPTION}/resourceGroups/keys/providers/Microsoft.KeyVault/managedHSMs/${hsm}`;

function common(site: Pick<Site, 'hsm' | 'host'>, call: TrafficCall, index: number) {
  return {
    OperationName: call.operation,
    OperationVersion: '7.5',
    Category: 'AuditEvent',
    ResultType: call.status < 300 ? 'Success' : 'Failure',
    CorrelationId: correlationId(call, index),
    _ResourceId: resourceId(site.hsm).toLowerCase(),
  };
}

const uriOf = (site: Pick<Site, 'host'>, call: TrafficCall) => `https://${site.host}${call.path}?api-version=7.5`;

function resourceSpecific(site: Pick<Site, 'hsm' | 'host'>, call: TrafficCall, index: number): Record<string, unknown> {
  const { oid, app, upn } = call.caller;
  const claim = { ...(oid && { oid }), ...(app && { appid: app }), ...(upn && { upn }) };
  return {
    ...common(site, call, index),
    HttpStatusCode: call.status,
    RequestUri: uriOf(site, call),
    CallerIpAddress: call.address,
    ClientInfo: call.userAgent,
    SubnetId: call.subnet === '' ? '(unknown)' : call.subnet,
    TrustedService: call.trustedService,
    Identity: { claim },
    Type: 'AZKVAuditLogs',
  };
}

function diagnostics(site: Pick<Site, 'hsm' | 'host'>, call: TrafficCall, index: number): Record<string, unknown> {
  const { oid, app, upn } = call.caller;
  return {
    ...common(site, call, index),
    ResourceProvider: 'MICROSOFT.KEYVAULT',
    ResourceType: 'MANAGEDHSMS',
    Resource: site.hsm.toUpperCase(),
    httpStatusCode_d: call.status,
    requestUri_s: uriOf(site, call),
    CallerIPAddress: call.address,
    clientInfo_s: call.userAgent,
    subnetId_s: call.subnet === '' ? '(unknown)' : call.subnet,
    trustedService_s: call.trustedService,
    identity_claim_oid_g: oid,
    identity_claim_appid_g: app,
    identity_claim_upn_s: upn,
    Type: 'AzureDiagnostics',
  };
}
