import { IDENTITIES } from './identity/registrations.ts';
import { RESOURCE_GROUP } from './seed/resource-id.ts';

/** The addresses of the running estate that the app is told. */
export interface EstateAddresses {
  hsms: { name: string; uri: string; resourceId: string }[];
  blobUrl: string;
  queueUrl: string;
  topicEndpoint: string;
  landingContainerUrl: string;
  vaultBlobUrl: string;
  managementUrl: string;
  /** The log query API with its version, and the workspace; absent while the estate has none. */
  logs?: { endpoint: string; workspace: string };
  mail: { host: string; port: number };
  /** Absent: nothing is sent to a webhook. */
  webhook?: { url: string; secret: string };
  api: { issuer: string; audience: string; jwksUrl: string };
}

const NETWORK = `${RESOURCE_GROUP}/providers/Microsoft.Network`;
/** The estate has no networks, only their names; an HSM that is made closed answers once an endpoint leads to it. */
const ENDPOINT = {
  subnetId: `${NETWORK}/virtualNetworks/keys/subnets/endpoints`,
  region: 'westeurope',
  zoneId: `${NETWORK}/privateDnsZones/privatelink.managedhsm.azure.net`,
};

/** The app settings of the function app in the embedded estate: what Bicep sets in Azure. */
export function appSettings(estate: EstateAddresses): Record<string, string> {
  return {
    MHSM_INSTALLATION: 'embedded',
    MHSM_TASK_HUB: 'MhsmLifecycle',
    MHSM_HSMS: JSON.stringify(estate.hsms.map(({ name, uri, resourceId }) => ({ name, uri, resourceId }))),
    MHSM_STATE_BLOB_URL: estate.blobUrl,
    MHSM_TOPIC_ENDPOINT: estate.topicEndpoint,
    MHSM_TOPIC_SCHEMA: 'CloudEvents',
    MHSM_EVENTS__queueServiceUri: estate.queueUrl,
    MHSM_EVENTS__credential: 'managedidentity',
    MHSM_EVENTS__clientId: IDENTITIES.observe.clientId,
    MHSM_EVENTS_QUEUE: 'key-events',
    MHSM_IDENTITY_OBSERVE: IDENTITIES.observe.clientId,
    MHSM_IDENTITY_ROTATE: IDENTITIES.rotate.clientId,
    MHSM_IDENTITY_RECORD: IDENTITIES.record.clientId,
    MHSM_SWEEP_SCHEDULE: '0 */15 * * * *',
    MHSM_RECONCILE_SCHEDULE: '0 17 3 * * *',
    MHSM_BACKUP_SCHEDULE: '0 5-59/15 * * * *',
    MHSM_CUSTODY_SCHEDULE: '0 29 6 * * *',
    MHSM_HEARTBEAT_SCHEDULE: '0 3-59/10 * * * *',
    MHSM_PURGE_SCHEDULE: '0 41 4 * * *',
    MHSM_IDENTITY_BACKUP: IDENTITIES.backup.clientId,
    MHSM_IDENTITY_RESTORE: IDENTITIES.restore.clientId,
    MHSM_IDENTITY_RESPOND: IDENTITIES.respond.clientId,
    MHSM_IDENTITY_REINSTATE: IDENTITIES.reinstate.clientId,
    MHSM_LANDING_CONTAINER_URL: estate.landingContainerUrl,
    MHSM_VAULT_BLOB_URL: estate.vaultBlobUrl,
    MHSM_VAULT_REGION: 'northeurope',
    MHSM_ARM_URL: estate.managementUrl,
    MHSM_HSM_ENDPOINT: JSON.stringify(ENDPOINT),
    ...(estate.logs === undefined
      ? {}
      : {
          MHSM_LOGS_WORKSPACE: estate.logs.workspace,
          MHSM_LOGS_ENDPOINT: estate.logs.endpoint,
          MHSM_LOGS_AUDIENCE: 'https://api.loganalytics.io',
          MHSM_LOGS_TABLES: 'AZKVAuditLogs,AzureDiagnostics',
          MHSM_AUDIT_SCHEDULE: '0 */5 * * * *',
        }),
    MHSM_MAIL_HOST: estate.mail.host,
    MHSM_MAIL_PORT: String(estate.mail.port),
    MHSM_MAIL_SECURITY: 'none',
    MHSM_MAIL_FROM: 'key-lifecycle@contoso.example',
    MHSM_MAIL_FALLBACK: '["key-management@contoso.example"]',
    ...(estate.webhook
      ? {
          MHSM_WEBHOOKS: JSON.stringify([{ name: 'sink', url: `${estate.webhook.url}/keys` }]),
          MHSM_WEBHOOK_SECRETS: JSON.stringify({ sink: [estate.webhook.secret] }),
        }
      : {}),
    MHSM_API_ISSUER: estate.api.issuer,
    MHSM_API_AUDIENCE: estate.api.audience,
    MHSM_API_JWKS_URL: estate.api.jwksUrl,
  };
}
