import { createRequire } from 'node:module';

/**
 * The official parser of the query language, with the schemas that the tables are published with. AzureDiagnostics grows its
 * own columns, so those with a suffix are written as a workspace has them that took rows of a Managed HSM.
 * https://learn.microsoft.com/azure/azure-monitor/reference/tables/azkvauditlogs
 * https://learn.microsoft.com/azure/azure-monitor/reference/tables/azurediagnostics
 * https://learn.microsoft.com/azure/azure-monitor/reference/tables/azureactivity
 */
export const PUBLISHED_SCHEMAS: Record<string, string> = {
  AZKVAuditLogs: `TimeGenerated: datetime, AddressAuthorizationType: string, Algorithm: string, AppliedAssignmentId: string,
    CallerIpAddress: string, ClientInfo: string, CorrelationId: string, DurationMs: int, HsmPoolResourceId: string,
    HttpStatusCode: int, Id: string, Identity: dynamic, IsAccessPolicyMatch: bool, IsAddressAuthorized: bool,
    IsRbacAuthorized: bool, KeyProperties: dynamic, NetworkAcls: dynamic, Nsp: dynamic, OperationName: string,
    OperationVersion: string, Properties: dynamic, RequestUri: string, ResultDescription: string, ResultSignature: string,
    ResultType: string, SecretProperties: dynamic, Sku: dynamic, SoftDeleteRetentionInDays: int, SourceSystem: string,
    SubnetId: string, TenantId: string, Tlsversion: string, TrustedService: string, Type: string, VaultProperties: dynamic,
    _BilledSize: real, _IsBillable: string, _ResourceId: string, _SubscriptionId: string, _TimeReceived: datetime`,
  AzureDiagnostics: `TimeGenerated: datetime, Category: string, CallerIPAddress: string, CorrelationId: string,
    DurationMs: long, OperationName: string, OperationVersion: string, Resource: string, ResourceGroup: string,
    ResourceId: string, ResourceProvider: string, ResourceType: string, ResultDescription: string, ResultSignature: string,
    ResultType: string, SubscriptionId: string, AdditionalFields: dynamic, Type: string, TenantId: string,
    SourceSystem: string, _ResourceId: string, _SubscriptionId: string, _TimeReceived: datetime, requestUri_s: string,
    httpStatusCode_d: real, clientInfo_s: string, subnetId_s: string, identity_claim_appid_g: guid,
    identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g: guid,
    identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_upn_s: string`,
  AzureActivity: `TimeGenerated: datetime, ActivityStatusValue: string, ActivitySubstatusValue: string, Authorization: string,
    Authorization_d: dynamic, Caller: string, CallerIpAddress: string, CategoryValue: string, Claims: string,
    Claims_d: dynamic, CorrelationId: string, EventDataId: string, EventSubmissionTimestamp: datetime, Hierarchy: string,
    HTTPRequest: string, Level: string, OperationId: string, OperationNameValue: string, Properties: string,
    Properties_d: dynamic, ResourceGroup: string, ResourceProviderValue: string, SubscriptionId: string, Type: string,
    TenantId: string, SourceSystem: string, _ResourceId: string, _SubscriptionId: string, _TimeReceived: datetime`,
};

interface Diagnostic {
  Message: string;
  Severity: string;
}

interface KustoLanguage {
  KustoCode: {
    ParseAndAnalyze(
      text: string,
      globals: unknown,
    ): { GetDiagnostics(): { getItem(index: number): Diagnostic; Count: number } };
  };
  GlobalState: { Default: { WithDatabase(database: unknown): unknown } };
  Symbols: {
    DatabaseSymbol: { ctor: new (name: string, members: unknown[]) => unknown };
    TableSymbol: { From(schema: string): { WithName(name: string): unknown } };
  };
}

const require = createRequire(import.meta.url);
let language: KustoLanguage | undefined;

function load(): KustoLanguage {
  if (language) return language;
  require('@kusto/language-service-next/bridge.js');
  require('@kusto/language-service-next');
  language = (globalThis as unknown as { Kusto: { Language: KustoLanguage } }).Kusto.Language;
  return language;
}

/** What the official parser says is wrong with a query, in its own words; `tables` are those that the workspace has. */
export function faultsOfQuery(query: string, tables = Object.keys(PUBLISHED_SCHEMAS)): string[] {
  const { KustoCode, GlobalState, Symbols } = load();
  const members = tables.map((name) => Symbols.TableSymbol.From(`(${PUBLISHED_SCHEMAS[name]})`).WithName(name));
  const database = new Symbols.DatabaseSymbol.ctor('workspace', members);
  const found = KustoCode.ParseAndAnalyze(query, GlobalState.Default.WithDatabase(database)).GetDiagnostics();
  return Array.from({ length: found.Count }, (_, index) => found.getItem(index))
    .filter(({ Severity }) => Severity === 'Error' || Severity === 'Warning')
    .map(({ Message }) => Message);
}
