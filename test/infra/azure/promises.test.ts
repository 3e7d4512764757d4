import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { everything, type Fields, made, modules, params, ROOT, template } from './template.ts';

const only = <T>(found: T[]): T => {
  expect(found).toHaveLength(1);
  return found[0] as T;
};

describe('nothing is reached over a public address', () => {
  test.each([
    ['Microsoft.Storage/storageAccounts', 4],
    ['Microsoft.EventGrid/topics', 1],
    ['Microsoft.KeyVault/managedHSMs', 1],
    ['Microsoft.Web/sites', 1],
  ])('%s refuses the public network', (type, count) => {
    const found = made(type);
    expect(found).toHaveLength(count);
    for (const { properties } of found) expect(properties.publicNetworkAccess).toBe('Disabled');
  });

  test('firewalls of storage and HSM deny by default', () => {
    for (const type of ['Microsoft.Storage/storageAccounts', 'Microsoft.KeyVault/managedHSMs'])
      for (const { properties } of made(type)) expect(properties.networkAcls).toMatchObject({ defaultAction: 'Deny' });
  });

  test('trusted Azure services pass the firewall only where an HSM or Event Grid writes', () => {
    const trusting = modules().filter(({ params: given }) => given.trustedServices === true);
    expect(trusting.map(({ at }) => at)).toEqual(['stateAccount', 'landingAccount']);
  });

  test('containers refuse anonymous readers', () => {
    for (const { body } of made('Microsoft.Storage/storageAccounts/blobServices/containers'))
      expect(JSON.stringify(body.properties)).toContain("createObject('publicAccess', 'None')");
    for (const { properties } of made('Microsoft.Storage/storageAccounts'))
      expect(properties.allowBlobPublicAccess).toBe(false);
  });

  test('the one public address belongs to the gateway out, and no rule lets the Internet in', () => {
    const address = only(made('Microsoft.Network/publicIPAddresses'));
    const gateway = only(made('Microsoft.Network/natGateways'));
    expect(JSON.stringify(gateway.properties)).toContain('publicIPAddresses');
    expect(everything().filter(({ body }) => JSON.stringify(body).includes('Network/publicIPAddresses'))).toEqual([
      address,
      gateway,
    ]);
    const rules = made('Microsoft.Network/networkSecurityGroups').flatMap(
      ({ properties }) => properties.securityRules as { properties: Fields }[],
    );
    const allowed = rules.filter(
      ({ properties }) => properties.access === 'Allow' && properties.direction === 'Inbound',
    );
    expect(allowed.map(({ properties }) => properties.sourceAddressPrefix)).toEqual([
      "[variables('appPrefix')]",
      'AzureLoadBalancer',
      'VirtualNetwork',
    ]);
  });

  test('telemetry and logs can be closed too', () => {
    for (const type of ['Microsoft.OperationalInsights/workspaces', 'Microsoft.Insights/components'])
      for (const { properties } of made(type)) {
        const closed = "[if(parameters('privateOnly'), 'Disabled', 'Enabled')]";
        expect(properties.publicNetworkAccessForIngestion).toBe(closed);
        expect(properties.publicNetworkAccessForQuery).toBe(closed);
      }
  });
});

describe('nobody signs in with a key', () => {
  test('storage, topic, workspace and telemetry take no key', () => {
    for (const { properties } of made('Microsoft.Storage/storageAccounts'))
      expect(properties.allowSharedKeyAccess).toBe(false);
    expect(only(made('Microsoft.EventGrid/topics')).properties.disableLocalAuth).toBe(true);
    expect(only(made('Microsoft.Insights/components')).properties.DisableLocalAuth).toBe(true);
    expect(only(made('Microsoft.OperationalInsights/workspaces')).properties.features).toMatchObject({
      disableLocalAuth: true,
    });
  });

  test('nothing asks Azure for a key or a SAS', () => {
    expect(JSON.stringify(template)).not.toMatch(
      /list(Keys|Secrets|AccountSas|ServiceSas|ConnectionStrings)|AccountKey=/i,
    );
  });

  test('packages are published and settings resolved by identity; user name and password are off', () => {
    const policies = made('Microsoft.Web/sites/basicPublishingCredentialsPolicies');
    expect(policies.map(({ properties }) => properties.allow)).toEqual([false, false]);
    const { functionAppConfig, keyVaultReferenceIdentity } = only(made('Microsoft.Web/sites')).properties;
    expect(JSON.stringify(functionAppConfig)).toContain('"type":"UserAssignedIdentity"');
    expect(keyVaultReferenceIdentity).toBe("[parameters('host').id]");
  });

  test('the platform refuses a call without a token of our tenant', () => {
    const auth = only(made('Microsoft.Web/sites/config').filter(({ at }) => at === 'app/auth'));
    expect(auth.body.condition).toBeUndefined();
    expect(auth.properties.globalValidation).toEqual({
      requireAuthentication: true,
      unauthenticatedClientAction: 'Return401',
    });
  });
});

test('everything speaks TLS 1.2 or later, and nothing plain HTTP', () => {
  for (const { properties } of made('Microsoft.Storage/storageAccounts'))
    expect(properties).toMatchObject({ minimumTlsVersion: 'TLS1_2', supportsHttpsTrafficOnly: true });
  expect(only(made('Microsoft.EventGrid/topics')).properties.minimumTlsVersionAllowed).toBe('1.2');
  expect(only(made('Microsoft.Web/sites')).properties).toMatchObject({
    httpsOnly: true,
    siteConfig: { minTlsVersion: '1.2' },
  });
});

describe('what must stay, stays', () => {
  test('a new HSM has purge protection and soft delete, and writes backups as the backup identity', () => {
    const { properties, body } = only(made('Microsoft.KeyVault/managedHSMs'));
    expect(properties).toMatchObject({ enablePurgeProtection: true, enableSoftDelete: true });
    expect(JSON.stringify(body.identity)).toContain("parameters('backupIdentityId')");
    expect(String(params('hsm').backupIdentityId)).toContain('outputs.backup.value.id');
  });

  const containers = (module: string) =>
    Object.fromEntries(
      (params(module).containers as { name: string; worm: unknown; versions: unknown }[]).map(
        ({ name, worm, versions }) => [name, { worm, versions }],
      ),
    );
  const plain = { worm: 0, versions: 0 };
  const record = { worm: "[if(parameters('recordsLocked'), 0, parameters('recordDays'))]", versions: 0 };

  test('journal and evidence can only grow', () => {
    expect(containers('stateContainers')).toMatchObject({ journal: record, evidence: record });
    expect(template.parameters?.recordDays).toMatchObject({ minValue: 1, defaultValue: 365 });
    const policies = made('Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies');
    expect(policies).toHaveLength(4);
  });

  test('every version of a copy is kept, in an account of another region that keeps versions', () => {
    expect(containers('vaultContainers')).toEqual({
      'hsm-backups': { worm: 0, versions: "[parameters('copyDays')]" },
    });
    expect(params('vaultAccount')).toMatchObject({ versioning: true, location: "[parameters('vaultLocation')]" });
    const container = made('Microsoft.Storage/storageAccounts/blobServices/containers')[0];
    expect(JSON.stringify(container?.body)).toContain(
      "'immutableStorageWithVersioning', createObject('enabled', true())",
    );
  });

  test('the container that HSMs write to has no immutability, because they refuse it', () => {
    expect(containers('landingContainers')).toEqual({ 'hsm-backups': plain });
    expect(params('landingAccount').versioning).toBeUndefined();
    expect(params('landingAccount').softDeleteDays).toBe(0);
  });

  test('records, copies, work in flight, logs and HSMs refuse their removal', () => {
    const kept = modules().filter(({ params: given }) => given.keep !== undefined);
    expect(kept.map(({ at, params: given }) => [at, given.keep])).toEqual([
      ['hostAccount', true],
      ['stateAccount', true],
      ['vaultAccount', true],
      ['hsmWatch', "[parameters('keepHsms')]"],
    ]);
    expect(template.parameters?.keepHsms).toMatchObject({ defaultValue: true });
    for (const { properties } of made('Microsoft.Authorization/locks')) expect(properties.level).toBe('CanNotDelete');
    const always = made('Microsoft.Authorization/locks').filter(({ body }) => body.condition === undefined);
    expect(always.map(({ at }) => at)).toEqual(['monitoring/lock']);
  });
});

test('of the records, no rule removes anything; of state, what was written over goes after a month', () => {
  const rules = made('Microsoft.Storage/storageAccounts/managementPolicies').flatMap(
    ({ properties }) => ((properties.policy as Fields).rules ?? []) as Fields[],
  );
  expect(
    rules.map(({ definition }) => [
      ((definition as Fields).filters as Fields).prefixMatch,
      (definition as Fields).actions,
    ]),
  ).toEqual([
    [['hsm-backups/'], { baseBlob: { delete: { daysAfterModificationGreaterThan: "[parameters('landingDays')]" } } }],
    [['state/surveys/'], { baseBlob: { delete: { daysAfterModificationGreaterThan: "[parameters('surveyDays')]" } } }],
    [['state/'], { version: { delete: { daysAfterCreationGreaterThan: "[parameters('versionDays')]" } } }],
  ]);
});

describe('events arrive or are kept', () => {
  const subscription = only(made('Microsoft.EventGrid/topics/eventSubscriptions'));

  test('the topic delivers with its own identity to a queue', () => {
    expect(subscription.properties.deliveryWithResourceIdentity).toMatchObject({
      identity: { type: 'SystemAssigned' },
      destination: { endpointType: 'StorageQueue' },
    });
    expect(only(made('Microsoft.EventGrid/topics')).body.identity).toEqual({ type: 'SystemAssigned' });
    expect(params('topic').queue).toBe((params('app').settings as Fields).MHSM_EVENTS_QUEUE);
  });

  test('what cannot be delivered is kept as a blob', () => {
    expect(subscription.properties.deadLetterWithResourceIdentity).toMatchObject({
      identity: { type: 'SystemAssigned' },
      deadLetterDestination: { endpointType: 'StorageBlob' },
    });
  });

  test('the topic may do both before the subscription is made, and no more than both', () => {
    expect(subscription.body.dependsOn).toEqual(['keeps', 'sends', 'topic']);
    expect(params('topic/sends')).toMatchObject({ queue: "[parameters('queue')]", role: "[variables('queueSender')]" });
    expect(params('topic/keeps')).toMatchObject({
      container: "[parameters('deadLetters')]",
      role: "[variables('blobContributor')]",
    });
  });
});

describe('somebody else watches', () => {
  test('every HSM, new or given, tells the workspace every call', () => {
    const logs = only(made('Microsoft.Insights/diagnosticSettings').filter(({ at }) => at === 'hsmWatch/logs'));
    expect(logs.body.condition).toBeUndefined();
    expect(logs.properties).toMatchObject({
      workspaceId: "[parameters('workspaceId')]",
      logAnalyticsDestinationType: 'Dedicated',
      logs: [{ category: 'AuditEvent', enabled: true }],
    });
    const watch = (template.resources as Record<string, Fields>).hsmWatch;
    expect(watch?.copy).toMatchObject({ count: "[length(variables('allHsms'))]" });
    expect(String((template.variables as Fields).allHsms)).toMatch(/variables\('givenHsms'\).*variables\('madeHsms'\)/);
  });

  test('what is done to an HSM as a resource is told as well: the activity log of its subscription', () => {
    const logs = only(made('Microsoft.Insights/diagnosticSettings').filter(({ at }) => at === 'activity/logs'));
    expect(logs.body.scope).toBeUndefined();
    expect(logs.properties).toMatchObject({
      workspaceId: "[parameters('workspaceId')]",
      logs: expect.arrayContaining([{ category: 'Administrative', enabled: true }]),
    });
    const activity = (template.resources as Record<string, Fields>).activity;
    expect(activity?.copy).toMatchObject({ count: "[length(variables('hsmSubscriptions'))]" });
    expect(template.parameters?.activityLogs).toMatchObject({ defaultValue: true });
  });

  test('the app and every account that holds records or backups tell it too', () => {
    const told = modules().filter(({ params: given }) => given.workspaceId !== undefined);
    expect(told.map(({ at }) => at)).toEqual(
      expect.arrayContaining(['app', 'stateAccount', 'landingAccount', 'vaultAccount']),
    );
  });

  test('the alert rules are those that the app listens to, each with a query of its own', () => {
    const names = (template.variables as { alertRules: string[] }).alertRules;
    const source = readFileSync(`${ROOT}infra/azure/modules/watch/alerts.bicep`, 'utf8');
    expect([...source.matchAll(/\{ name: '([\w-]+)', severity/g)].map(([, name]) => name)).toEqual(names);
    expect(readdirSync(`${ROOT}infra/azure/queries`).toSorted()).toEqual(
      ['calls', ...names].map((name) => `${name}.kql`).toSorted(),
    );
  });

  test('the baseline alerts of an HSM, and the removal of what watches it, are alerts', () => {
    const metrics = made('Microsoft.Insights/metricAlerts').map(({ at }) => at);
    expect(metrics).toEqual(['hsmWatch/available', 'hsmWatch/slow']);
    const alerts = made('Microsoft.Insights/activityLogAlerts').filter(({ at }) => at === 'hsmWatch/removed');
    const removed = JSON.stringify(only(alerts).properties);
    for (const name of ['managedHSMs/delete', 'locks/delete', 'diagnosticSettings/delete'])
      expect(removed).toContain(name);
  });

  test('action groups call the app with a token, never with a key', () => {
    const { properties } = only(made('Microsoft.Insights/actionGroups'));
    expect(String(properties.webhookReceivers)).toContain("'useAadAuth', true()");
    expect(JSON.stringify(properties)).not.toContain('azureFunctionReceivers');
  });
});

test('every resource says its API version, and none is a preview but that of diagnostic settings', () => {
  for (const { type, body } of everything()) {
    expect(String(body.apiVersion)).toMatch(/^20\d\d-\d\d-\d\d(-preview)?$/);
    if (String(body.apiVersion).endsWith('preview')) expect(type).toBe('Microsoft.Insights/diagnosticSettings');
  }
});
