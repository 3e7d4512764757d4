import { CLOUDS, foreignCloud } from './cloud.ts';
import { fault, type GivenSettings, type SettingFault } from './read-settings.ts';
import { isLoopback } from './safe-url.ts';
import type { SettingName } from './settings.ts';
import { unpairedWebhooks } from './webhook-settings.ts';

/** Rules between settings. Checked on the raw texts, so that they show even while other settings are at fault. */
export function faultsBetween(given: GivenSettings): SettingFault[] {
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
function foreignAddresses(given: GivenSettings): SettingFault[] {
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

/** Backups need all of these, and none of them has a use alone. */
const BACKUP_SETTINGS = [
  'MHSM_IDENTITY_BACKUP',
  'MHSM_LANDING_CONTAINER_URL',
  'MHSM_VAULT_BLOB_URL',
  'MHSM_VAULT_REGION',
] as const satisfies readonly SettingName[];

function missingFromBackup(given: GivenSettings): SettingName[] {
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
