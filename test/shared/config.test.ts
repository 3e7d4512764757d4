import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../shared/config.ts';
import type { SettingFault } from '../../shared/read-settings.ts';

const resourceId = (name: string) =>
  `/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/managedHSMs/${name}`;

const complete: Record<string, string> = {
  MHSM_INSTALLATION: 'contoso-prod',
  MHSM_TASK_HUB: 'MhsmLifecycle',
  MHSM_HSMS: JSON.stringify([
    { name: 'contoso', uri: 'https://contoso.managedhsm.azure.net/', resourceId: resourceId('contoso') },
    {
      name: 'fabrikam',
      uri: 'https://fabrikam.managedhsm.azure.net:8443',
      resourceId: resourceId('fabrikam'),
      replicated: true,
    },
  ]),
  MHSM_STATE_BLOB_URL: 'https://state.blob.core.windows.net/',
  MHSM_TOPIC_ENDPOINT: 'https://topic.westeurope-1.eventgrid.azure.net/api/events',
  MHSM_EVENTS__queueServiceUri: 'https://state.queue.core.windows.net',
  MHSM_EVENTS__credential: 'managedidentity',
  MHSM_EVENTS__clientId: '00000000-0000-0000-0000-000000000001',
  MHSM_EVENTS_QUEUE: 'key-events',
  MHSM_IDENTITY_OBSERVE: '00000000-0000-0000-0000-000000000001',
  MHSM_IDENTITY_ROTATE: '00000000-0000-0000-0000-000000000002',
  MHSM_SWEEP_SCHEDULE: '0 */15 * * * *',
  MHSM_RECONCILE_SCHEDULE: '0 17 3 * * *',
  MHSM_BACKUP_SCHEDULE: '0 5-59/15 * * * *',
  MHSM_CUSTODY_SCHEDULE: '0 29 6 * * *',
  MHSM_HEARTBEAT_SCHEDULE: '0 3-59/10 * * * *',
  MHSM_PURGE_SCHEDULE: '0 41 4 * * MON-FRI',
  MHSM_MAIL_HOST: 'smtp.contoso.com',
  MHSM_MAIL_PORT: '587',
  MHSM_MAIL_SECURITY: 'starttls',
  MHSM_MAIL_FROM: 'Key lifecycle <keys@contoso.com>',
  MHSM_API_ISSUER: 'https://login.microsoftonline.com/t/v2.0',
  MHSM_API_AUDIENCE: 'api://mhsm',
  MHSM_API_JWKS_URL: 'https://login.microsoftonline.com/t/discovery/v2.0/keys',
};

function faultsOf(changes: Record<string, string | undefined>): SettingFault[] {
  try {
    loadConfig({ ...complete, ...changes });
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}
const faultySettings = (changes: Record<string, string | undefined>) => faultsOf(changes).map(({ setting }) => setting);

describe('loadConfig', () => {
  test('gives parsed values, with the defaults where nothing is set', () => {
    expect(loadConfig({ ...complete, PATH: '/bin' })).toMatchObject({
      installation: 'contoso-prod',
      stateBlobUrl: 'https://state.blob.core.windows.net',
      topic: { schema: 'CloudEvents' },
      eventSources: [],
      historyRetentionDays: 90,
      mail: { port: 587, security: 'starttls' },
    });
  });

  test('waits longer for a lost reply of a replicated HSM', () => {
    const { hsms } = loadConfig({ ...complete, MHSM_SETTLE_SECONDS: '45' });
    expect(hsms.map(({ name, uri, settleSeconds }) => [name, uri, settleSeconds])).toEqual([
      ['contoso', 'https://contoso.managedhsm.azure.net', 45],
      ['fabrikam', 'https://fabrikam.managedhsm.azure.net:8443', 360],
    ]);
  });

  test('takes an empty setting for one that is not set', () => {
    expect(loadConfig({ ...complete, MHSM_MAIL_USER: '', MHSM_TOPIC_SCHEMA: '' }).topic.schema).toBe('CloudEvents');
    expect(faultySettings({ MHSM_INSTALLATION: '' })).toEqual(['MHSM_INSTALLATION']);
  });

  test('lists every fault at once, each with its rule and an example', () => {
    const faults = faultsOf({
      MHSM_INSTALLATION: undefined,
      MHSM_SWEEP_SCHEDULE: '*/15 * * * *',
      MHSM_MAIL_SECURITY: 'none',
      MHSM_MAIL_USER: 'keys',
    });
    expect(faults.map(({ setting }) => setting).toSorted()).toEqual([
      'MHSM_INSTALLATION',
      'MHSM_MAIL_PASSWORD',
      'MHSM_MAIL_SECURITY',
      'MHSM_SWEEP_SCHEDULE',
    ]);
    for (const { rule, example } of faults) expect([rule, example].every((text) => text.length > 1)).toBe(true);
  });

  test('names a misspelt setting and the one that was probably meant', () => {
    expect(faultsOf({ MHSM_SETLE_SECONDS: '3' })).toEqual([
      expect.objectContaining({ setting: 'MHSM_SETLE_SECONDS', example: 'MHSM_SETTLE_SECONDS' }),
    ]);
  });

  test.each([
    ['a list that is not JSON', '[{'],
    ['an empty list', '[]'],
    ['a plain http address', JSON.stringify([{ name: 'abc', uri: 'http://a.example', resourceId: resourceId('a') }])],
    [
      'an address with a path',
      JSON.stringify([{ name: 'abc', uri: 'https://a.example/keys', resourceId: resourceId('a') }]),
    ],
    [
      'a vault in place of an HSM',
      JSON.stringify([{ name: 'abc', uri: 'https://a.example', resourceId: '/subscriptions/s/vaults/a' }]),
    ],
    [
      'an unknown member',
      JSON.stringify([{ name: 'abc', uri: 'https://a.example', resourceId: resourceId('a'), regon: 'x' }]),
    ],
    [
      'one name twice',
      JSON.stringify(['abc', 'ABC'].map((name) => ({ name, uri: 'https://a.example', resourceId: resourceId('a') }))),
    ],
  ])('refuses %s as the list of HSMs', (_, list) => {
    expect(faultySettings({ MHSM_HSMS: list })).toEqual(['MHSM_HSMS']);
  });

  test('points into the list of HSMs', () => {
    const list = JSON.stringify([{ name: 'abc', uri: 'http://a.example', resourceId: resourceId('a') }]);
    expect(faultsOf({ MHSM_HSMS: list })[0]?.rule).toMatch(/^At 0\.uri: /);
  });

  test('permits mail without encryption on a loopback host only', () => {
    expect(loadConfig({ ...complete, MHSM_MAIL_SECURITY: 'none', MHSM_MAIL_HOST: '127.0.0.1' }).mail.security).toBe(
      'none',
    );
    expect(faultySettings({ MHSM_MAIL_SECURITY: 'none' })).toEqual(['MHSM_MAIL_SECURITY']);
  });

  test('permits http for signing keys on a loopback host only', () => {
    expect(faultySettings({ MHSM_API_JWKS_URL: 'http://127.0.0.1:8080/keys' })).toEqual([]);
    expect(faultySettings({ MHSM_API_JWKS_URL: 'http://login.example/keys' })).toEqual(['MHSM_API_JWKS_URL']);
  });

  test.each([
    ['MHSM_ARM_URL', 'https://management.azure.com'],
    ['MHSM_LOGS_ENDPOINT', 'https://api.loganalytics.io/v1'],
    ['MHSM_STATE_BLOB_URL', 'https://state.blob.core.windows.net'],
    ['MHSM_API_ISSUER', 'https://login.microsoftonline.com/t/v2.0'],
    [
      'MHSM_HSMS',
      JSON.stringify([{ name: 'abc', uri: 'https://abc.managedhsm.azure.net', resourceId: resourceId('a') }]),
    ],
  ])('refuses %s of another cloud, and names both', (setting, value) => {
    const faults = faultsOf({ MHSM_CLOUD: 'usgov', [setting]: value }).filter((fault) => fault.setting === setting);
    expect(faults).toMatchObject([
      { rule: 'It names an address of the cloud public, and MHSM_CLOUD says usgov.', example: expect.any(String) },
    ]);
    expect(faultySettings({ [setting]: value })).toEqual([]);
  });

  test('names the clouds that it knows', () => {
    expect(faultsOf({ MHSM_CLOUD: 'germany' })).toMatchObject([
      { setting: 'MHSM_CLOUD', rule: expect.stringContaining('public, usgov, china') },
    ]);
  });

  test('does not take a Key Vault reference that was not resolved for the secret itself', () => {
    const password = '@Microsoft.KeyVault(SecretUri=https://contoso.vault.azure.net/secrets/smtp)';
    const faults = faultsOf({ MHSM_MAIL_USER: 'keys', MHSM_MAIL_PASSWORD: password });
    expect(faults).toMatchObject([{ setting: 'MHSM_MAIL_PASSWORD', rule: expect.stringContaining('not resolved') }]);
  });

  test('takes the settings of backups together or not at all, and a restoring identity by itself', () => {
    expect(loadConfig(complete)).not.toHaveProperty('backup');
    const id = '00000000-0000-0000-0000-000000000003';
    expect(loadConfig({ ...complete, MHSM_IDENTITY_RESTORE: id }).identities.restore).toBe(id);
    const given = {
      MHSM_IDENTITY_BACKUP: id,
      MHSM_LANDING_CONTAINER_URL: 'https://landing.blob.core.windows.net/backups/',
      MHSM_VAULT_BLOB_URL: 'https://vault.blob.core.windows.net',
      MHSM_VAULT_REGION: 'northeurope',
    };
    expect(loadConfig({ ...complete, ...given }).backup).toEqual({
      landingContainerUrl: 'https://landing.blob.core.windows.net/backups',
      vaultBlobUrl: 'https://vault.blob.core.windows.net',
      vaultRegion: 'northeurope',
    });
    for (const name of Object.keys(given)) expect(faultySettings({ ...given, [name]: undefined })).toEqual([name]);
    expect(faultySettings({ ...given, MHSM_LANDING_CONTAINER_URL: 'https://landing.blob.core.windows.net' })).toEqual([
      'MHSM_LANDING_CONTAINER_URL',
    ]);
  });

  test('reads no logs without a workspace, and asks for a schedule with one', () => {
    expect(loadConfig(complete)).not.toHaveProperty('logs');
    const given = {
      MHSM_LOGS_WORKSPACE: '00000000-0000-0000-0000-000000000005',
      MHSM_AUDIT_SCHEDULE: '0 */5 * * * *',
    };
    expect(loadConfig({ ...complete, ...given }).logs).toEqual({
      workspace: given.MHSM_LOGS_WORKSPACE,
      endpoint: 'https://api.loganalytics.io/v1',
      audience: 'https://api.loganalytics.io',
      tables: ['AZKVAuditLogs', 'AzureDiagnostics'],
      schedule: given.MHSM_AUDIT_SCHEDULE,
    });
    expect(faultySettings({ ...given, MHSM_AUDIT_SCHEDULE: undefined })).toEqual(['MHSM_AUDIT_SCHEDULE']);
    expect(faultySettings({ ...given, MHSM_LOGS_WORKSPACE: 'contoso-logs' })).toEqual(['MHSM_LOGS_WORKSPACE']);
  });

  test('reads the log tables that it is told, and refuses those that it knows no query for', () => {
    const given = {
      MHSM_LOGS_WORKSPACE: '00000000-0000-0000-0000-000000000005',
      MHSM_AUDIT_SCHEDULE: '0 */5 * * * *',
    };
    const tables = (list: string) => loadConfig({ ...complete, ...given, MHSM_LOGS_TABLES: list }).logs?.tables;
    expect(tables('AzureDiagnostics')).toEqual(['AzureDiagnostics']);
    expect(tables('AzureDiagnostics, AZKVAuditLogs')).toEqual(['AzureDiagnostics', 'AZKVAuditLogs']);
    expect(faultySettings({ ...given, MHSM_LOGS_TABLES: 'SecurityEvent' })).toEqual(['MHSM_LOGS_TABLES']);
    expect(faultySettings({ ...given, MHSM_LOGS_ENDPOINT: 'http://api.example/v1' })).toEqual(['MHSM_LOGS_ENDPOINT']);
  });

  const hook = (changes: object = {}) => JSON.stringify([{ name: 'soc', url: 'https://soc.example/hook', ...changes }]);
  const keys = (name: string, ...secrets: string[]) => JSON.stringify({ [name]: secrets });
  const good = `whsec_${Buffer.alloc(24).toString('base64')}`;

  test('takes webhooks with their secrets, newest first', () => {
    const { webhooks } = loadConfig({ ...complete, MHSM_WEBHOOKS: hook(), MHSM_WEBHOOK_SECRETS: keys('soc', good) });
    expect(webhooks).toMatchObject([{ name: 'soc', url: 'https://soc.example/hook' }]);
    expect(webhooks[0]?.secrets[0]?.reveal()).toBe(good);
    expect(JSON.stringify(webhooks)).not.toContain('whsec');
  });

  test.each([
    ['without secrets', hook(), undefined],
    ['with the secrets of another', hook(), keys('siem', good)],
    ['with no secret', hook(), keys('soc')],
    ['with a secret that is too short', hook(), keys('soc', `whsec_${Buffer.alloc(23).toString('base64')}`)],
    ['with a secret that is too long', hook(), keys('soc', `whsec_${Buffer.alloc(65).toString('base64')}`)],
    ['with a secret in another form', hook(), keys('soc', 'correct horse battery staple 123')],
  ])('refuses a webhook %s, and does not show it', (_, list, secrets) => {
    const faults = faultsOf({ MHSM_WEBHOOKS: list, MHSM_WEBHOOK_SECRETS: secrets });
    expect(new Set(faults.map(({ setting }) => setting))).toEqual(new Set(['MHSM_WEBHOOK_SECRETS']));
    expect(JSON.stringify(faults)).not.toMatch(/AAAA|horse/);
  });

  test.each([
    ['plain http', hook({ url: 'http://soc.example/hook' })],
    ['a user and password in it', hook({ url: 'https://u:p@soc.example/' })],
    ['one name for two', JSON.stringify([...JSON.parse(hook()), ...JSON.parse(hook())])],
  ])('refuses the address of a webhook with %s', (_, list) => {
    expect(faultySettings({ MHSM_WEBHOOKS: list, MHSM_WEBHOOK_SECRETS: keys('soc', good) })).toEqual(['MHSM_WEBHOOKS']);
  });

  test('never shows a secret: not in a fault, a log, JSON or an inspection', () => {
    const { mail } = loadConfig({ ...complete, MHSM_MAIL_USER: 'keys', MHSM_MAIL_PASSWORD: 'correct horse' });
    expect(mail.signIn?.password.reveal()).toBe('correct horse');
    const shown = [JSON.stringify(mail), inspect(mail, { depth: 9 }), String(mail.signIn?.password)];
    expect(shown.join()).not.toContain('horse');
    expect(JSON.stringify(faultsOf({ MHSM_MAIL_PASSWORD: 'correct horse' }))).not.toContain('horse');
  });
});
