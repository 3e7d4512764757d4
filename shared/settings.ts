import { CLOUDS } from './cloud.ts';
import { json, matching, oneOf } from './readers.ts';
import {
  alertRules,
  endpoint,
  guid,
  guids,
  hsms,
  https,
  httpsWithPath,
  LOG_TABLES,
  line,
  logTables,
  optional,
  password,
  region,
  required,
  type Setting,
  safe,
  schedule,
  textsLike,
  wholeNumber,
  withDefault,
} from './setting-values.ts';
import { webhookList, webhookSecrets } from './webhook-settings.ts';

const CLIENT_ID_RULE = 'The client id (a GUID) of a user-assigned managed identity';
const URL_RULE = 'An https URL (http only on a loopback host).';
const TOGETHER = 'identity, landing container, vault account and its region are given together or not at all.';
const WEBHOOKS_TOGETHER = 'Each webhook has secrets, and each entry of the secrets a webhook.';
const SCHEDULE_RULE = 'An NCRONTAB schedule of six fields, seconds first, in UTC';

/** Each setting, with the rule and the example that a fault shows. */
export const settings = {
  MHSM_INSTALLATION: required(matching(/^[a-z][a-z0-9-]{1,30}$/), {
    rule: 'Names this installation: 2 to 31 lower-case letters, digits and hyphens, a letter first.',
    example: 'contoso-prod',
  }),
  MHSM_CLOUD: withDefault(oneOf(...CLOUDS), 'public', {
    rule: `The cloud that everything lies in: ${CLOUDS.join(', ')}. It gives the addresses and audiences that are not set.`,
    example: 'public',
  }),
  MHSM_TASK_HUB: required(matching(/^[A-Za-z][A-Za-z0-9]{2,44}$/), {
    rule: 'Names the Durable Functions task hub: 3 to 45 letters and digits, a letter first.',
    example: 'MhsmLifecycle',
  }),
  MHSM_HSMS: required(json(hsms), {
    rule: 'A JSON array of {name, uri, resourceId, replicated?}: names unique, uri https and without a path.',
    example:
      '[{"name":"contoso","uri":"https://contoso.managedhsm.azure.net","resourceId":"/subscriptions/…/resourceGroups/…/providers/Microsoft.KeyVault/managedHSMs/contoso"}]',
  }),
  MHSM_STATE_BLOB_URL: required(https, {
    rule: 'The https blob endpoint of the state account.',
    example: 'https://contosostate.blob.core.windows.net',
  }),
  MHSM_TOPIC_ENDPOINT: required(https, {
    rule: 'The https endpoint of the Event Grid custom topic.',
    example: 'https://contoso.westeurope-1.eventgrid.azure.net/api/events',
  }),
  MHSM_TOPIC_SCHEMA: withDefault(oneOf('CloudEvents', 'EventGrid'), 'CloudEvents', {
    rule: 'The input schema of the topic: CloudEvents or EventGrid.',
    example: 'CloudEvents',
  }),
  MHSM_TOPIC_AUDIENCE: optional(https, {
    rule: "The audience of tokens for the topic; left out, that of the cloud's Event Grid.",
    example: 'https://eventgrid.azure.net',
  }),
  MHSM_EVENT_SOURCES: withDefault(json(textsLike(/^\/subscriptions\/.+$/i)), [], {
    rule: 'A JSON array of further resource ids from which key events are accepted.',
    example: '["/subscriptions/…/resourceGroups/…/providers/Microsoft.KeyVault/vaults/contoso"]',
  }),
  MHSM_EVENTS__queueServiceUri: required(safe, {
    rule: URL_RULE,
    example: 'https://contosostate.queue.core.windows.net',
  }),
  MHSM_EVENTS__credential: required(oneOf('managedidentity'), {
    rule: 'The word managedidentity: the queue is read without a key.',
    example: 'managedidentity',
  }),
  MHSM_EVENTS__clientId: required(guid, {
    rule: `${CLIENT_ID_RULE} that may read the event queue.`,
    example: '00000000-0000-0000-0000-000000000001',
  }),
  MHSM_EVENTS_QUEUE: required(matching(/^[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]$/), {
    rule: 'The name of the storage queue that the topic delivers to.',
    example: 'key-events',
  }),
  MHSM_IDENTITY_OBSERVE: required(guid, {
    rule: `${CLIENT_ID_RULE} that may list and read keys.`,
    example: '00000000-0000-0000-0000-000000000001',
  }),
  MHSM_IDENTITY_ROTATE: required(guid, {
    rule: `${CLIENT_ID_RULE} that may rotate keys and prove the new version.`,
    example: '00000000-0000-0000-0000-000000000002',
  }),
  MHSM_IDENTITY_RECORD: optional(guid, {
    rule: `${CLIENT_ID_RULE} that writes the journal, and nothing else; left out, the one of MHSM_IDENTITY_OBSERVE writes it.`,
    example: '00000000-0000-0000-0000-000000000007',
  }),
  MHSM_IDENTITY_BACKUP: optional(guid, {
    rule: `${CLIENT_ID_RULE} that may start backups and write their copies; ${TOGETHER}`,
    example: '00000000-0000-0000-0000-000000000003',
  }),
  MHSM_IDENTITY_RESTORE: optional(guid, {
    rule: `${CLIENT_ID_RULE} that may restore; left out until a drill or a recovery needs it.`,
    example: '00000000-0000-0000-0000-000000000004',
  }),
  MHSM_IDENTITY_RESPOND: optional(guid, {
    rule: `${CLIENT_ID_RULE} that may read and take away role assignments; left out, nothing is contained.`,
    example: '00000000-0000-0000-0000-000000000005',
  }),
  MHSM_IDENTITY_REINSTATE: optional(guid, {
    rule: `${CLIENT_ID_RULE} that may assign roles, to put back what containment took away; left out, people do it.`,
    example: '00000000-0000-0000-0000-000000000006',
  }),
  MHSM_LANDING_CONTAINER_URL: optional(httpsWithPath, {
    rule: `The https URL of the container that the HSMs write backups to; ${TOGETHER}`,
    example: 'https://contosolanding.blob.core.windows.net/hsm-backups',
  }),
  MHSM_VAULT_BLOB_URL: optional(https, {
    rule: `The https blob endpoint of the account that holds the locked copies; ${TOGETHER}`,
    example: 'https://contosovault.blob.core.windows.net',
  }),
  MHSM_VAULT_REGION: optional(region, {
    rule: `The Azure region of that account, in lower case without spaces; ${TOGETHER}`,
    example: 'northeurope',
  }),
  MHSM_HSM_ENDPOINT: optional(json(endpoint), {
    rule: 'A JSON object {subnetId, region, zoneId?}: where private endpoints of HSMs that the app makes are made; region is that of the network. Left out, no drill makes an HSM.',
    example:
      '{"subnetId":"/subscriptions/…/virtualNetworks/keys/subnets/endpoints","region":"westeurope","zoneId":"/subscriptions/…/privateDnsZones/privatelink.managedhsm.azure.net"}',
  }),
  MHSM_ALERT_CALLERS: withDefault(json(guids), ['461e8683-5575-4561-ac7f-899cc907d62a'], {
    rule: 'A JSON array of client ids whose alerts are taken; the default is AzNS AAD Webhook, as which action groups call.',
    example: '["461e8683-5575-4561-ac7f-899cc907d62a"]',
  }),
  MHSM_ALERT_RULES: withDefault(json(alertRules), [], {
    rule: 'A JSON array of {rule, hsms?}: alert rules that are heard, by name or resource id. None: every alert is refused.',
    example: '[{"rule":"mhsm-security-domain","hsms":["contoso"]}]',
  }),
  MHSM_ARM_URL: optional(https, {
    rule: 'The https endpoint of Azure Resource Manager; left out, that of the cloud.',
    example: 'https://management.azure.com',
  }),
  MHSM_ARM_AUDIENCE: optional(https, {
    rule: 'The audience of tokens for Azure Resource Manager; left out, that of the cloud.',
    example: 'https://management.azure.com',
  }),
  MHSM_LOGS_WORKSPACE: optional(guid, {
    rule: 'The id (a GUID) of the Log Analytics workspace that holds the audit logs of the HSMs; left out, nothing is detected.',
    example: '00000000-0000-0000-0000-000000000005',
  }),
  MHSM_LOGS_ENDPOINT: optional(https, {
    rule: 'The https endpoint of the log query API with its version; left out, that of the cloud.',
    example: 'https://api.loganalytics.io/v1',
  }),
  MHSM_LOGS_AUDIENCE: optional(https, {
    rule: 'The audience of tokens for the log query API; left out, that of the cloud.',
    example: 'https://api.loganalytics.io',
  }),
  MHSM_LOGS_TABLES: withDefault(logTables, [...LOG_TABLES], {
    rule: `The tables that may hold audit rows, parted by commas: ${LOG_TABLES.join(', ')} or one of them.`,
    example: LOG_TABLES.join(','),
  }),
  MHSM_AUDIT_SCHEDULE: optional(schedule, {
    rule: `${SCHEDULE_RULE}: when the audit logs are read; given together with MHSM_LOGS_WORKSPACE.`,
    example: '0 */5 * * * *',
  }),
  MHSM_SWEEP_SCHEDULE: required(schedule, {
    rule: `${SCHEDULE_RULE}: when every key is looked at.`,
    example: '0 */15 * * * *',
  }),
  MHSM_RECONCILE_SCHEDULE: required(schedule, {
    rule: `${SCHEDULE_RULE}: when the rotation policies kept by the HSMs are compared with the rules.`,
    example: '0 17 3 * * *',
  }),
  MHSM_BACKUP_SCHEDULE: required(schedule, {
    rule: `${SCHEDULE_RULE}: when it is looked whether a backup is due and how old the newest is.`,
    example: '0 5-59/15 * * * *',
  }),
  MHSM_CUSTODY_SCHEDULE: required(schedule, {
    rule: `${SCHEDULE_RULE}: when the custody of the security domains is looked at.`,
    example: '0 29 6 * * *',
  }),
  MHSM_HEARTBEAT_SCHEDULE: required(schedule, {
    rule: `${SCHEDULE_RULE}: when it is looked whether everything that runs by the clock still does.`,
    example: '0 3-59/10 * * * *',
  }),
  MHSM_HEARTBEAT_GRACE_MINUTES: withDefault(wholeNumber(5, 1440), 45, {
    rule: 'Minutes that something that runs by the clock may be late before it is missed: 5 to 1440.',
    example: '45',
  }),
  MHSM_ADOPTION_SCHEDULE: withDefault(schedule, '0 47 */6 * * *', {
    rule: `${SCHEDULE_RULE}: when it is looked who still uses old key versions, where logs are read.`,
    example: '0 47 */6 * * *',
  }),
  MHSM_PURGE_SCHEDULE: required(schedule, {
    rule: `${SCHEDULE_RULE}: when finished histories are dropped.`,
    example: '0 41 4 * * *',
  }),
  MHSM_HISTORY_RETENTION_DAYS: withDefault(wholeNumber(1, 3650), 90, {
    rule: 'Days for which finished histories are kept: 1 to 3650.',
    example: '90',
  }),
  MHSM_MAIL_HOST: required(line, { rule: 'The host name of the SMTP server.', example: 'smtp.contoso.com' }),
  MHSM_MAIL_PORT: required(wholeNumber(1, 65_535), {
    rule: 'The port of the SMTP server: 1 to 65535.',
    example: '587',
  }),
  MHSM_MAIL_SECURITY: required(oneOf('none', 'starttls', 'tls'), {
    rule: 'starttls or tls; none only when the mail host is a loopback host.',
    example: 'starttls',
  }),
  MHSM_MAIL_FROM: required(matching(/^[^\r\n]*[^\s@<>]+@[^\s@<>]+>?$/), {
    rule: 'The sender: an address, with or without a display name.',
    example: 'Key lifecycle <keys@contoso.com>',
  }),
  MHSM_MAIL_FALLBACK: withDefault(json(textsLike(/^[^\s@<>]+@[^\s@<>]+$/)), [], {
    rule: 'A JSON array of mail addresses that are told when the policy names nobody.',
    example: '["keys@contoso.com"]',
  }),
  MHSM_MAIL_USER: optional(line, {
    rule: 'The user that signs in to the SMTP server; given together with MHSM_MAIL_PASSWORD or not at all.',
    example: 'keys@contoso.com',
  }),
  MHSM_MAIL_PASSWORD: optional(password, {
    rule: 'The password of MHSM_MAIL_USER, as a Key Vault reference; given together with it or not at all.',
    example: '@Microsoft.KeyVault(SecretUri=https://contoso.vault.azure.net/secrets/smtp)',
  }),
  MHSM_WEBHOOKS: withDefault(json(webhookList), [], {
    rule: `A JSON array of {name, url} of at most ten webhooks: names unique, in lower case; url https (http only on a loopback host). ${WEBHOOKS_TOGETHER}`,
    example: '[{"name":"soc","url":"https://soc.contoso.com/hooks/keys"}]',
  }),
  MHSM_WEBHOOK_SECRETS: withDefault(
    json(webhookSecrets),
    {},
    {
      rule: `A JSON object of the signing secrets of each webhook, one to three of 24 to 64 bytes, as a Key Vault reference. ${WEBHOOKS_TOGETHER}`,
      example: '{"soc":["whsec_ followed by Base64"]}',
    },
  ),
  MHSM_API_ISSUER: required(safe, {
    rule: `The issuer of access tokens. ${URL_RULE}`,
    example: 'https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0',
  }),
  MHSM_API_AUDIENCE: required(line, {
    rule: 'The audience that access tokens for the operator API must carry.',
    example: 'api://contoso-mhsm-lifecycle',
  }),
  MHSM_API_JWKS_URL: required(safe, {
    rule: `Where the issuer publishes its signing keys. ${URL_RULE}`,
    example: 'https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/discovery/v2.0/keys',
  }),
  MHSM_SETTLE_SECONDS: withDefault(wholeNumber(1, 3600), 30, {
    rule: 'Seconds within which an HSM call whose reply was lost may still take effect: 1 to 3600.',
    example: '30',
  }),
};

export type SettingName = keyof typeof settings;

/** Every setting the app reads. */
export const SETTING_NAMES = Object.keys(settings) as SettingName[];

export type Settings = { [N in SettingName]: (typeof settings)[N] extends Setting<infer T> ? T : never };
