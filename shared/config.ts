import { type CloudName, cloudOf, issuersOf } from './cloud.ts';
import type { LogTable } from './detection/queries/build-query.ts';
import { AppError } from './errors.ts';
import { readSettings, type SettingFault, unknownNames } from './read-settings.ts';
import type { Secret } from './secret.ts';
import { faultsBetween } from './setting-faults.ts';
import type { Settings } from './settings.ts';
import type { WebhookSettings } from './webhook-settings.ts';

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
    /** Writes the journal; absent: observe does. */
    record?: string;
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

/** Settings to Config. Pure. Throws ConfigError with every fault at once; faults never show the value that was found. */
export function loadConfig(env: Record<string, string | undefined>): Config {
  // An empty text is how a portal stores "not set".
  const given = Object.fromEntries(Object.entries(env).filter(([name, value]) => name.startsWith(PREFIX) && value));
  const read = readSettings(given);
  const faults = [...unknownNames(given, PREFIX), ...read.faults, ...faultsBetween(given)];
  if (faults.length > 0) throw new ConfigError(withoutRepeats(faults));
  return arrange(read.found as Settings);
}

const withoutRepeats = (faults: SettingFault[]): SettingFault[] => [
  ...new Map(faults.map((one) => [`${one.setting} ${one.rule}`, one])).values(),
];

function arrange(found: Settings): Config {
  const { MHSM_SETTLE_SECONDS: settle, MHSM_MAIL_USER: user, MHSM_MAIL_PASSWORD: password } = found;
  const { MHSM_IDENTITY_RECORD: recordId } = found;
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
      ...(recordId === undefined ? {} : { record: recordId }),
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

function endpointOf(found: Settings['MHSM_HSM_ENDPOINT']): Pick<Config, 'endpoint'> {
  if (found === undefined) return {};
  const { subnetId, region, zoneId } = found;
  return { endpoint: { subnetId, region, ...(zoneId === undefined ? {} : { zoneId }) } };
}
