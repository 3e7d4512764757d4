import { checkQuery } from '../../infra/local/log-store/kql/check.ts';
import { publishedTables } from '../../infra/local/log-store/tables.ts';

/** Columns of AzureDiagnostics that come into being with the rows of a Managed HSM. */
const USED = [
  ...['requestUri_s', 'httpStatusCode_d', 'clientInfo_s', 'subnetId_s', 'identity_claim_appid_g'],
  'identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g',
  'identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_upn_s',
];

/** What Microsoft's own parser says is wrong with a query over the published schemas; `tables`: those the workspace has. */
export const faultsOfQuery = (query: string, tables?: readonly string[]): string[] =>
  checkQuery(
    query,
    publishedTables({ AzureDiagnostics: USED }).filter(({ name }) => tables?.includes(name) ?? true),
  ).map(({ message }) => message);
