import * as z from 'zod';
import { CLOUDS, type CloudName, cloudOf, foreignCloud, issuersOf } from './cloud.ts';
import type { LogTable } from './detection/queries/build-query.ts';
import { AppError } from './errors.ts';
import { isLoopback, isSafeUrl, parseUrl } from './safe-url.ts';
import { Secret } from './secret.ts';
import { unpairedWebhooks, type WebhookSettings, webhookList, webhookSecrets } from './webhook-settings.ts';

export interface HsmSettings {
  /** The name used in policy, journal, events and instance ids. */
  name: string;
  /** `https://{host}`, without a slash at the end. */
  uri: string;
  /** ARM resource id: the `source` of published events. */
  resourceId: string;
  /** How long a call whose reply was lost may still take effect. */
  settleSeconds: number;
  /** The drill that made it and removes it again. Never from the settings. */
  drill?: string;
}

export interface AlertSettings {
  /** Client ids of the applications that may send alerts. */
  callers: string[];
  /** By name or resource id; `hsms`: of which the rule speaks where its target is a workspace. */
  rules: { rule: string; hsms?: string[] }[];
}

export interface MailSettings {
  host: string;
  port: number;
  security: 'none' | 'starttls' | 'tls';
  from: string;
  signIn?: { user: string; password: Secret };
  /** Who is told when the policy names nobody. */
  fallback: string[];
}

export interface BackupSettings {
  /** The container that the HSMs write to: no immutability there. */
  landingContainerUrl: string;
  /** The account that holds the verified, locked copies. */
  vaultBlobUrl: string;
  /** Azure region of that account, as `westeurope`; the policy says which regions are allowed. */
  vaultRegion: string;
}

/** Where the app makes the private endpoint of an HSM that it makes. */
export interface EndpointSettings {
  subnetId: string;
  /** Azure region of that network, which need not be the HSM's. */
  region: string;
  /** The private DNS zone that holds the names; absent: somebody else writes them. */
  zoneId?: string;
}

export interface LogsSettings {
  /** Id of the Log Analytics workspace that the HSMs' audit logs go to. */
  workspace: string;
  /** Of the query API, with its version, without a slash at the end. */
  endpoint: string;
  /** Whom tokens are for: another one in each sovereign cloud. */
  audience: string;
  tables: LogTable[];
  /** NCRONTAB, UTC. */
  schedule: string;
}

/** Everything the app reads from its settings. Modules receive the slice they need, never the whole. */
export interface Config {
  installation: string;
  cloud: CloudName;
  taskHub: string;
  hsms: HsmSettings[];
  /** Blob endpoint of the account that holds policy, state, journal and evidence. */
  stateBlobUrl: string;
  topic: { endpoint: string; schema: 'CloudEvents' | 'EventGrid'; audience: string };
  /** Resource ids, besides the HSMs', from which key events are accepted. */
  eventSources: string[];
  /** The queue that the topic delivers to; the Functions host itself reads the connection settings. */
  events: { queueServiceUri: string; queue: string };
  /** Client id of the user-assigned identity of each duty. */
  identities: {
    observe: string;
    rotate: string;
    backup?: string;
    restore?: string;
    respond?: string;
    reinstate?: string;
  };
  /** Where backups go; absent when this installation makes none. */
  backup?: BackupSettings;
  /** Where private endpoints of new HSMs are made; absent when people make them. */
  endpoint?: EndpointSettings;
  /** Where audit logs are read; absent when this installation detects nothing. */
  logs?: LogsSettings;
  alerts: AlertSettings;
  /** Azure Resource Manager, without a slash at the end, and whom tokens for it are for. */
  arm: { armUrl: string; audience: string };
  /** NCRONTAB, UTC. The host reads them as `%NAME%`; here for display and validation. */
  schedules: {
    sweep: string;
    reconcile: string;
    backup: string;
    custody: string;
    purge: string;
    heartbeat: string;
    /** Absent where no logs are read. */
    adoption?: string;
  };
  /** How late something that runs by the clock may be before it is missed. */
  heartbeatGraceMinutes: number;
  historyRetentionDays: number;
  mail: MailSettings;
  /** Who else is called for every event and notice; which of them, the policy says. */
  webhooks: WebhookSettings[];
  /** `issuers`: one authority, as each of its hosts writes it. */
  api: { issuers: string[]; audience: string; jwksUrl: string };
}

export interface SettingFault {
  setting: string;
  rule: string;
  example: string;
}

/** Settings that cannot be run with. The message lists every fault at once. */
export class ConfigError extends AppError {
  readonly faults: SettingFault[];

  constructor(faults: SettingFault[]) {
    const lines = faults.map(({ setting, rule, example }) => `  ${setting}: ${rule} For example: ${example}`);
    super('ERR_CONFIG', `The settings have ${faults.length} fault(s):\n${lines.join('\n')}`, {
      nextStep: 'Correct these settings; local.settings.sample.json shows each of them.',
    });
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

const PREFIX = 'MHSM_';

/** A write may need up to six minutes to reach the other region. https://learn.microsoft.com/azure/key-vault/managed-hsm/multi-region-replication */
const REPLICATION_SECONDS = 360;

const documented = z.registry<{ rule: string; example: string }>();

const withoutSlash = (text: string): string => text.replace(/\/+$/, '');

const text = () => z.string().trim().min(1);
const clientId = () => z.guid();
const safeUrl = () => z.string().refine(isSafeUrl).transform(withoutSlash);
const httpsUrl = () =>
  z
    .string()
    .refine((url) => parseUrl(url)?.protocol === 'https:')
    .transform(withoutSlash);
const wholeNumber = (least: number, most: number) =>
  z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(least).max(most));
/** Six fields, seconds first, as the timer trigger reads them. */
const schedule = () => z.string().regex(/^([\dA-Za-z*/,-]+ ){5}[\dA-Za-z*/,-]+$/);
const json = <T extends z.ZodType>(inner: T) =>
  z
    .string()
    .transform((source, context): unknown => {
      try {
        return JSON.parse(source);
      } catch {
        context.addIssue({ code: 'custom' });
        return z.NEVER;
      }
    })
    .pipe(inner);

/** As `westeurope`. */
const REGION = /^[a-z0-9]{3,40}$/;

const hsm = z.strictObject({
  name: z.string().regex(/^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$/),
  uri: httpsUrl().refine((uri) => parseUrl(uri)?.href === `${parseUrl(uri)?.origin}/`),
  resourceId: z
    .string()
    .regex(/^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.KeyVault\/managedHSMs\/[^/]+$/i),
  replicated: z.boolean().optional(),
});

const endpoint = z.strictObject({
  subnetId: z
    .string()
    .regex(
      /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Network\/virtualNetworks\/[^/]+\/subnets\/[^/]+$/i,
    ),
  region: z.string().regex(REGION),
  zoneId: z
    .string()
    .regex(/^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Network\/privateDnsZones\/[^/]+$/i)
    .optional(),
});

const hsms = z
  .array(hsm)
  .min(1)
  .refine((all) => new Set(all.map(({ name }) => name.toLowerCase())).size === all.length);

const CLIENT_ID_RULE = 'The client id (a GUID) of a user-assigned managed identity';
const URL_RULE = 'An https URL (http only on a loopback host).';
/** Backups need all of these, and none of them has a use alone. */
const BACKUP_SETTINGS = [
  'MHSM_IDENTITY_BACKUP',
  'MHSM_LANDING_CONTAINER_URL',
  'MHSM_VAULT_BLOB_URL',
  'MHSM_VAULT_REGION',
] as const;
const TOGETHER = 'identity, landing container, vault account and its region are given together or not at all.';
/** The first is where new diagnostic settings write. The compiler holds them to those that there are queries for. */
const LOG_TABLES = ['AZKVAuditLogs', 'AzureDiagnostics'] as const satisfies readonly LogTable[];
const WEBHOOKS_TOGETHER = 'Each webhook has secrets, and each entry of the secrets a webhook.';
const SCHEDULE_RULE = 'An NCRONTAB schedule of six fields, seconds first, in UTC';

/** Each setting, with the rule and the example that a fault shows. */
const settings = z.strictObject({
  MHSM_INSTALLATION: z
    .string()
    .regex(/^[a-z][a-z0-9-]{1,30}$/)
    .register(documented, {
      rule: 'Names this installation: 2 to 31 lower-case letters, digits and hyphens, a letter first.',
      example: 'contoso-prod',
    }),
  MHSM_CLOUD: z
    .enum(CLOUDS)
    .default('public')
    .register(documented, {
      rule: `The cloud that everything lies in: ${CLOUDS.join(', ')}. It gives the addresses and audiences that are not set.`,
      example: 'public',
    }),
  MHSM_TASK_HUB: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9]{2,44}$/)
    .register(documented, {
      rule: 'Names the Durable Functions task hub: 3 to 45 letters and digits, a letter first.',
      example: 'MhsmLifecycle',
    }),
  MHSM_HSMS: json(hsms).register(documented, {
    rule: 'A JSON array of {name, uri, resourceId, replicated?}: names unique, uri https and without a path.',
    example:
      '[{"name":"contoso","uri":"https://contoso.managedhsm.azure.net","resourceId":"/subscriptions/…/resourceGroups/…/providers/Microsoft.KeyVault/managedHSMs/contoso"}]',
  }),
  MHSM_STATE_BLOB_URL: httpsUrl().register(documented, {
    rule: 'The https blob endpoint of the state account.',
    example: 'https://contosostate.blob.core.windows.net',
  }),
  MHSM_TOPIC_ENDPOINT: httpsUrl().register(documented, {
    rule: 'The https endpoint of the Event Grid custom topic.',
    example: 'https://contoso.westeurope-1.eventgrid.azure.net/api/events',
  }),
  MHSM_TOPIC_SCHEMA: z.enum(['CloudEvents', 'EventGrid']).default('CloudEvents').register(documented, {
    rule: 'The input schema of the topic: CloudEvents or EventGrid.',
    example: 'CloudEvents',
  }),
  MHSM_TOPIC_AUDIENCE: httpsUrl().optional().register(documented, {
    rule: "The audience of tokens for the topic; left out, that of the cloud's Event Grid.",
    example: 'https://eventgrid.azure.net',
  }),
  MHSM_EVENT_SOURCES: json(z.array(z.string().regex(/^\/subscriptions\/.+$/i)))
    .default([])
    .register(documented, {
      rule: 'A JSON array of further resource ids from which key events are accepted.',
      example: '["/subscriptions/…/resourceGroups/…/providers/Microsoft.KeyVault/vaults/contoso"]',
    }),
  MHSM_EVENTS__queueServiceUri: safeUrl().register(documented, {
    rule: URL_RULE,
    example: 'https://contosostate.queue.core.windows.net',
  }),
  MHSM_EVENTS__credential: z.literal('managedidentity').register(documented, {
    rule: 'The word managedidentity: the queue is read without a key.',
    example: 'managedidentity',
  }),
  MHSM_EVENTS__clientId: clientId().register(documented, {
    rule: `${CLIENT_ID_RULE} that may read the event queue.`,
    example: '00000000-0000-0000-0000-000000000001',
  }),
  MHSM_EVENTS_QUEUE: z
    .string()
    .regex(/^[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]$/)
    .register(documented, {
      rule: 'The name of the storage queue that the topic delivers to.',
      example: 'key-events',
    }),
  MHSM_IDENTITY_OBSERVE: clientId().register(documented, {
    rule: `${CLIENT_ID_RULE} that may list and read keys.`,
    example: '00000000-0000-0000-0000-000000000001',
  }),
  MHSM_IDENTITY_ROTATE: clientId().register(documented, {
    rule: `${CLIENT_ID_RULE} that may rotate keys and prove the new version.`,
    example: '00000000-0000-0000-0000-000000000002',
  }),
  MHSM_IDENTITY_BACKUP: clientId()
    .optional()
    .register(documented, {
      rule: `${CLIENT_ID_RULE} that may start backups and write their copies; ${TOGETHER}`,
      example: '00000000-0000-0000-0000-000000000003',
    }),
  MHSM_IDENTITY_RESTORE: clientId()
    .optional()
    .register(documented, {
      rule: `${CLIENT_ID_RULE} that may restore; left out until a drill or a recovery needs it.`,
      example: '00000000-0000-0000-0000-000000000004',
    }),
  MHSM_IDENTITY_RESPOND: clientId()
    .optional()
    .register(documented, {
      rule: `${CLIENT_ID_RULE} that may read and take away role assignments; left out, nothing is contained.`,
      example: '00000000-0000-0000-0000-000000000005',
    }),
  MHSM_IDENTITY_REINSTATE: clientId()
    .optional()
    .register(documented, {
      rule: `${CLIENT_ID_RULE} that may assign roles, to put back what containment took away; left out, people do it.`,
      example: '00000000-0000-0000-0000-000000000006',
    }),
  MHSM_LANDING_CONTAINER_URL: httpsUrl()
    .refine((url) => (parseUrl(url)?.pathname ?? '/') !== '/')
    .optional()
    .register(documented, {
      rule: `The https URL of the container that the HSMs write backups to; ${TOGETHER}`,
      example: 'https://contosolanding.blob.core.windows.net/hsm-backups',
    }),
  MHSM_VAULT_BLOB_URL: httpsUrl()
    .optional()
    .register(documented, {
      rule: `The https blob endpoint of the account that holds the locked copies; ${TOGETHER}`,
      example: 'https://contosovault.blob.core.windows.net',
    }),
  MHSM_VAULT_REGION: z
    .string()
    .regex(REGION)
    .optional()
    .register(documented, {
      rule: `The Azure region of that account, in lower case without spaces; ${TOGETHER}`,
      example: 'northeurope',
    }),
  MHSM_HSM_ENDPOINT: json(endpoint).optional().register(documented, {
    rule: 'A JSON object {subnetId, region, zoneId?}: where private endpoints of HSMs that the app makes are made; region is that of the network. Left out, no drill makes an HSM.',
    example:
      '{"subnetId":"/subscriptions/…/virtualNetworks/keys/subnets/endpoints","region":"westeurope","zoneId":"/subscriptions/…/privateDnsZones/privatelink.managedhsm.azure.net"}',
  }),
  MHSM_ALERT_CALLERS: json(z.array(z.guid()).min(1))
    .default(['461e8683-5575-4561-ac7f-899cc907d62a'])
    .register(documented, {
      rule: 'A JSON array of client ids whose alerts are taken; the default is AzNS AAD Webhook, as which action groups call.',
      example: '["461e8683-5575-4561-ac7f-899cc907d62a"]',
    }),
  MHSM_ALERT_RULES: json(
    z.array(z.strictObject({ rule: z.string().min(1).max(500), hsms: z.array(z.string()).optional() })),
  )
    .default([])
    .register(documented, {
      rule: 'A JSON array of {rule, hsms?}: alert rules that are heard, by name or resource id. None: every alert is refused.',
      example: '[{"rule":"mhsm-security-domain","hsms":["contoso"]}]',
    }),
  MHSM_ARM_URL: httpsUrl().optional().register(documented, {
    rule: 'The https endpoint of Azure Resource Manager; left out, that of the cloud.',
    example: 'https://management.azure.com',
  }),
  MHSM_ARM_AUDIENCE: httpsUrl().optional().register(documented, {
    rule: 'The audience of tokens for Azure Resource Manager; left out, that of the cloud.',
    example: 'https://management.azure.com',
  }),
  MHSM_LOGS_WORKSPACE: z.guid().optional().register(documented, {
    rule: 'The id (a GUID) of the Log Analytics workspace that holds the audit logs of the HSMs; left out, nothing is detected.',
    example: '00000000-0000-0000-0000-000000000005',
  }),
  MHSM_LOGS_ENDPOINT: httpsUrl().optional().register(documented, {
    rule: 'The https endpoint of the log query API with its version; left out, that of the cloud.',
    example: 'https://api.loganalytics.io/v1',
  }),
  MHSM_LOGS_AUDIENCE: httpsUrl().optional().register(documented, {
    rule: 'The audience of tokens for the log query API; left out, that of the cloud.',
    example: 'https://api.loganalytics.io',
  }),
  MHSM_LOGS_TABLES: z
    .string()
    .default(LOG_TABLES.join(','))
    .transform((list) => list.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(LOG_TABLES)).min(1))
    .register(documented, {
      rule: `The tables that may hold audit rows, parted by commas: ${LOG_TABLES.join(', ')} or one of them.`,
      example: LOG_TABLES.join(','),
    }),
  MHSM_AUDIT_SCHEDULE: schedule()
    .optional()
    .register(documented, {
      rule: `${SCHEDULE_RULE}: when the audit logs are read; given together with MHSM_LOGS_WORKSPACE.`,
      example: '0 */5 * * * *',
    }),
  MHSM_SWEEP_SCHEDULE: schedule().register(documented, {
    rule: `${SCHEDULE_RULE}: when every key is looked at.`,
    example: '0 */15 * * * *',
  }),
  MHSM_RECONCILE_SCHEDULE: schedule().register(documented, {
    rule: `${SCHEDULE_RULE}: when the rotation policies kept by the HSMs are compared with the rules.`,
    example: '0 17 3 * * *',
  }),
  MHSM_BACKUP_SCHEDULE: schedule().register(documented, {
    rule: `${SCHEDULE_RULE}: when it is looked whether a backup is due and how old the newest is.`,
    example: '0 5-59/15 * * * *',
  }),
  MHSM_CUSTODY_SCHEDULE: schedule().register(documented, {
    rule: `${SCHEDULE_RULE}: when the custody of the security domains is looked at.`,
    example: '0 29 6 * * *',
  }),
  MHSM_HEARTBEAT_SCHEDULE: schedule().register(documented, {
    rule: `${SCHEDULE_RULE}: when it is looked whether everything that runs by the clock still does.`,
    example: '0 3-59/10 * * * *',
  }),
  MHSM_HEARTBEAT_GRACE_MINUTES: wholeNumber(5, 1440).default(45).register(documented, {
    rule: 'Minutes that something that runs by the clock may be late before it is missed: 5 to 1440.',
    example: '45',
  }),
  MHSM_ADOPTION_SCHEDULE: schedule()
    .default('0 47 */6 * * *')
    .register(documented, {
      rule: `${SCHEDULE_RULE}: when it is looked who still uses old key versions, where logs are read.`,
      example: '0 47 */6 * * *',
    }),
  MHSM_PURGE_SCHEDULE: schedule().register(documented, {
    rule: `${SCHEDULE_RULE}: when finished histories are dropped.`,
    example: '0 41 4 * * *',
  }),
  MHSM_HISTORY_RETENTION_DAYS: wholeNumber(1, 3650).default(90).register(documented, {
    rule: 'Days for which finished histories are kept: 1 to 3650.',
    example: '90',
  }),
  MHSM_MAIL_HOST: text().register(documented, {
    rule: 'The host name of the SMTP server.',
    example: 'smtp.contoso.com',
  }),
  MHSM_MAIL_PORT: wholeNumber(1, 65_535).register(documented, {
    rule: 'The port of the SMTP server: 1 to 65535.',
    example: '587',
  }),
  MHSM_MAIL_SECURITY: z.enum(['none', 'starttls', 'tls']).register(documented, {
    rule: 'starttls or tls; none only when the mail host is a loopback host.',
    example: 'starttls',
  }),
  MHSM_MAIL_FROM: z
    .string()
    .regex(/^[^\r\n]*[^\s@<>]+@[^\s@<>]+>?$/)
    .register(documented, {
      rule: 'The sender: an address, with or without a display name.',
      example: 'Key lifecycle <keys@contoso.com>',
    }),
  MHSM_MAIL_FALLBACK: json(z.array(z.string().regex(/^[^\s@<>]+@[^\s@<>]+$/)))
    .default([])
    .register(documented, {
      rule: 'A JSON array of mail addresses that are told when the policy names nobody.',
      example: '["keys@contoso.com"]',
    }),
  MHSM_MAIL_USER: text().optional().register(documented, {
    rule: 'The user that signs in to the SMTP server; given together with MHSM_MAIL_PASSWORD or not at all.',
    example: 'keys@contoso.com',
  }),
  MHSM_MAIL_PASSWORD: z
    .string()
    .min(1)
    .transform((value) => new Secret(value))
    .optional()
    .register(documented, {
      rule: 'The password of MHSM_MAIL_USER, as a Key Vault reference; given together with it or not at all.',
      example: '@Microsoft.KeyVault(SecretUri=https://contoso.vault.azure.net/secrets/smtp)',
    }),
  MHSM_WEBHOOKS: json(webhookList)
    .default([])
    .register(documented, {
      rule: `A JSON array of {name, url} of at most ten webhooks: names unique, in lower case; url https (http only on a loopback host). ${WEBHOOKS_TOGETHER}`,
      example: '[{"name":"soc","url":"https://soc.contoso.com/hooks/keys"}]',
    }),
  MHSM_WEBHOOK_SECRETS: json(webhookSecrets)
    .default({})
    .register(documented, {
      rule: `A JSON object of the signing secrets of each webhook, one to three of 24 to 64 bytes, as a Key Vault reference. ${WEBHOOKS_TOGETHER}`,
      example: '{"soc":["whsec_ followed by Base64"]}',
    }),
  MHSM_API_ISSUER: safeUrl().register(documented, {
    rule: `The issuer of access tokens. ${URL_RULE}`,
    example: 'https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0',
  }),
  MHSM_API_AUDIENCE: text().register(documented, {
    rule: 'The audience that access tokens for the operator API must carry.',
    example: 'api://contoso-mhsm-lifecycle',
  }),
  MHSM_API_JWKS_URL: safeUrl().register(documented, {
    rule: `Where the issuer publishes its signing keys. ${URL_RULE}`,
    example: 'https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/discovery/v2.0/keys',
  }),
  MHSM_SETTLE_SECONDS: wholeNumber(1, 3600).default(30).register(documented, {
    rule: 'Seconds within which an HSM call whose reply was lost may still take effect: 1 to 3600.',
    example: '30',
  }),
});

type SettingName = keyof typeof settings.shape;

/** Every setting the app reads. */
export const SETTING_NAMES = Object.keys(settings.shape) as SettingName[];

/** Settings to Config. Pure. Throws ConfigError with every fault at once; faults never show the value that was found. */
export function loadConfig(env: Record<string, string | undefined>): Config {
  // An empty text is how a portal stores "not set".
  const given = Object.fromEntries(Object.entries(env).filter(([name, value]) => name.startsWith(PREFIX) && value));
  const parsed = settings.safeParse(given);
  const faults = [...(parsed.success ? [] : parsed.error.issues.flatMap(describeIssue)), ...crossFaults(given)];
  if (!parsed.success || faults.length > 0) throw new ConfigError(withoutRepeats(faults));
  return arrange(parsed.data);
}

function describeIssue(issue: z.core.$ZodIssue): SettingFault[] {
  if (issue.code === 'unrecognized_keys' && issue.path.length === 0) {
    return issue.keys.map((setting) => ({
      setting,
      rule: `No setting has this name; the prefix ${PREFIX} is reserved.`,
      example: nearestName(setting),
    }));
  }
  const [setting, ...rest] = issue.path.map(String);
  return [fault(setting as SettingName, rest.length > 0 ? `At ${rest.join('.')}: ` : '')];
}

/** Rules between settings. Checked on the raw texts, so that they show even while other settings are at fault. */
function crossFaults(given: Record<string, string | undefined>): SettingFault[] {
  const {
    MHSM_MAIL_SECURITY: security,
    MHSM_MAIL_HOST: host,
    MHSM_MAIL_USER: user,
    MHSM_MAIL_PASSWORD: password,
  } = given;
  return [
    ...Object.keys(given).flatMap((name) => (UNRESOLVED.test(given[name] ?? '') ? [unresolved(name)] : [])),
    ...(security === 'none' && host !== undefined && !isLoopback(host) ? [fault('MHSM_MAIL_SECURITY')] : []),
    ...(user !== undefined && password === undefined ? [fault('MHSM_MAIL_PASSWORD')] : []),
    ...(user === undefined && password !== undefined ? [fault('MHSM_MAIL_USER')] : []),
    ...missingFromBackup(given).map((name) => fault(name)),
    ...foreignAddresses(given),
    ...(given.MHSM_LOGS_WORKSPACE !== undefined && given.MHSM_AUDIT_SCHEDULE === undefined
      ? [fault('MHSM_AUDIT_SCHEDULE')]
      : []),
    ...unpairedWebhooks(given.MHSM_WEBHOOKS, given.MHSM_WEBHOOK_SECRETS).map((name) =>
      fault('MHSM_WEBHOOK_SECRETS', `At ${name}: `),
    ),
  ];
}

/** What is reached with our tokens, or vouches for tokens. Audiences are names and no addresses, so they are not here. */
const ADDRESSES = [
  'MHSM_HSMS',
  'MHSM_STATE_BLOB_URL',
  'MHSM_TOPIC_ENDPOINT',
  'MHSM_EVENTS__queueServiceUri',
  'MHSM_LANDING_CONTAINER_URL',
  'MHSM_VAULT_BLOB_URL',
  'MHSM_ARM_URL',
  'MHSM_LOGS_ENDPOINT',
  'MHSM_API_ISSUER',
  'MHSM_API_JWKS_URL',
] as const satisfies readonly SettingName[];

/** An address of another cloud would get tokens of this one, or refuse them long after the start. */
function foreignAddresses(given: Record<string, string | undefined>): SettingFault[] {
  const cloud = CLOUDS.find((name) => name === (given.MHSM_CLOUD ?? 'public'));
  if (!cloud) return [];
  return ADDRESSES.flatMap((setting) => {
    const hosts = [...(given[setting] ?? '').matchAll(/https:\/\/([^/:"\s]+)/g)].map(([, host = '']) => host);
    const foreign = hosts.map((host) => foreignCloud(cloud, host)).find((each) => each !== undefined);
    if (foreign === undefined) return [];
    const rule = `It names an address of the cloud ${foreign}, and MHSM_CLOUD says ${cloud}.`;
    return [{ ...fault(setting), rule }];
  });
}

function missingFromBackup(given: Record<string, string | undefined>): SettingName[] {
  const missing = BACKUP_SETTINGS.filter((name) => given[name] === undefined);
  return missing.length === BACKUP_SETTINGS.length ? [] : missing;
}

/** What the platform leaves in place of a secret that it could not read. https://learn.microsoft.com/azure/app-service/app-service-key-vault-references */
const UNRESOLVED = /^@Microsoft\.KeyVault\(/i;

const unresolved = (setting: string): SettingFault => ({
  setting,
  rule: 'The Key Vault reference was not resolved: the app may not read the secret, or there is none.',
  example: '@Microsoft.KeyVault(SecretUri=https://contoso.vault.azure.net/secrets/smtp)',
});

function fault(setting: SettingName, where = ''): SettingFault {
  const { rule, example } = documented.get(settings.shape[setting]) ?? { rule: 'Is not valid.', example: '' };
  return { setting, rule: `${where}${rule}`, example };
}

const withoutRepeats = (faults: SettingFault[]): SettingFault[] => [
  ...new Map(faults.map((one) => [`${one.setting} ${one.rule}`, one])).values(),
];

/** The setting that shares the longest beginning with a misspelt one. */
function nearestName(misspelt: string): string {
  const sharedLength = (name: string) => {
    let length = 0;
    while (length < name.length && name[length] === misspelt[length]) length++;
    return length;
  };
  return SETTING_NAMES.toSorted((a, b) => sharedLength(b) - sharedLength(a))[0] ?? '';
}

function arrange(found: z.output<typeof settings>): Config {
  const { MHSM_SETTLE_SECONDS: settle, MHSM_MAIL_USER: user, MHSM_MAIL_PASSWORD: password } = found;
  const { MHSM_IDENTITY_BACKUP: backupId, MHSM_IDENTITY_RESTORE: restoreId } = found;
  const { MHSM_IDENTITY_RESPOND: respondId, MHSM_IDENTITY_REINSTATE: reinstateId } = found;
  const {
    MHSM_LANDING_CONTAINER_URL: landingContainerUrl,
    MHSM_VAULT_BLOB_URL: vaultBlobUrl,
    MHSM_VAULT_REGION: vaultRegion,
  } = found;
  const cloud = cloudOf(found.MHSM_CLOUD);
  return {
    installation: found.MHSM_INSTALLATION,
    cloud: found.MHSM_CLOUD,
    taskHub: found.MHSM_TASK_HUB,
    hsms: found.MHSM_HSMS.map(({ name, uri, resourceId, replicated }) => ({
      name,
      uri,
      resourceId,
      settleSeconds: replicated ? Math.max(settle, REPLICATION_SECONDS) : settle,
    })),
    stateBlobUrl: found.MHSM_STATE_BLOB_URL,
    topic: {
      endpoint: found.MHSM_TOPIC_ENDPOINT,
      schema: found.MHSM_TOPIC_SCHEMA,
      audience: found.MHSM_TOPIC_AUDIENCE ?? cloud.topicAudience,
    },
    eventSources: found.MHSM_EVENT_SOURCES,
    events: { queueServiceUri: found.MHSM_EVENTS__queueServiceUri, queue: found.MHSM_EVENTS_QUEUE },
    identities: {
      observe: found.MHSM_IDENTITY_OBSERVE,
      rotate: found.MHSM_IDENTITY_ROTATE,
      ...(backupId === undefined ? {} : { backup: backupId }),
      ...(restoreId === undefined ? {} : { restore: restoreId }),
      ...(respondId === undefined ? {} : { respond: respondId }),
      ...(reinstateId === undefined ? {} : { reinstate: reinstateId }),
    },
    ...(landingContainerUrl !== undefined && vaultBlobUrl !== undefined && vaultRegion !== undefined
      ? { backup: { landingContainerUrl, vaultBlobUrl, vaultRegion } }
      : {}),
    ...endpointOf(found.MHSM_HSM_ENDPOINT),
    ...(found.MHSM_LOGS_WORKSPACE !== undefined && found.MHSM_AUDIT_SCHEDULE !== undefined
      ? {
          logs: {
            workspace: found.MHSM_LOGS_WORKSPACE,
            endpoint: found.MHSM_LOGS_ENDPOINT ?? `${cloud.logsUrl}/v1`,
            audience: found.MHSM_LOGS_AUDIENCE ?? cloud.logsUrl,
            tables: [...new Set(found.MHSM_LOGS_TABLES)],
            schedule: found.MHSM_AUDIT_SCHEDULE,
          },
        }
      : {}),
    alerts: {
      callers: found.MHSM_ALERT_CALLERS,
      rules: found.MHSM_ALERT_RULES.map(({ rule, hsms }) => ({ rule, ...(hsms ? { hsms } : {}) })),
    },
    arm: { armUrl: found.MHSM_ARM_URL ?? cloud.armUrl, audience: found.MHSM_ARM_AUDIENCE ?? cloud.armUrl },
    schedules: {
      sweep: found.MHSM_SWEEP_SCHEDULE,
      reconcile: found.MHSM_RECONCILE_SCHEDULE,
      backup: found.MHSM_BACKUP_SCHEDULE,
      custody: found.MHSM_CUSTODY_SCHEDULE,
      purge: found.MHSM_PURGE_SCHEDULE,
      heartbeat: found.MHSM_HEARTBEAT_SCHEDULE,
      ...(found.MHSM_LOGS_WORKSPACE === undefined ? {} : { adoption: found.MHSM_ADOPTION_SCHEDULE }),
    },
    heartbeatGraceMinutes: found.MHSM_HEARTBEAT_GRACE_MINUTES,
    historyRetentionDays: found.MHSM_HISTORY_RETENTION_DAYS,
    mail: {
      host: found.MHSM_MAIL_HOST,
      port: found.MHSM_MAIL_PORT,
      security: found.MHSM_MAIL_SECURITY,
      from: found.MHSM_MAIL_FROM,
      fallback: found.MHSM_MAIL_FALLBACK,
      ...(user !== undefined && password !== undefined ? { signIn: { user, password } } : {}),
    },
    webhooks: found.MHSM_WEBHOOKS.map(({ name, url }) => ({
      name,
      url,
      secrets: found.MHSM_WEBHOOK_SECRETS[name] ?? [],
    })),
    api: {
      issuers: issuersOf(found.MHSM_CLOUD, found.MHSM_API_ISSUER),
      audience: found.MHSM_API_AUDIENCE,
      jwksUrl: found.MHSM_API_JWKS_URL,
    },
  };
}

function endpointOf(found: z.output<typeof endpoint> | undefined): Pick<Config, 'endpoint'> {
  if (found === undefined) return {};
  const { subnetId, region, zoneId } = found;
  return { endpoint: { subnetId, region, ...(zoneId === undefined ? {} : { zoneId }) } };
}
