import { describe, expect, test } from 'vitest';
import { evaluate } from './evaluate.ts';
import { type Fields, made, modules, params, template } from './template.ts';

/** What a security reviewer asks of every resource of a kind, beside the promises of promises.test.ts. */
const accounts = made('Microsoft.Storage/storageAccounts');
const site = made('Microsoft.Web/sites')[0]?.properties as Fields;

describe('storage accounts', () => {
  test.each([
    ['copies only within the tenant', { allowedCopyScope: 'AAD' }],
    ['replicate to no other tenant', { allowCrossTenantReplication: false }],
    ['have no local users', { isLocalUserEnabled: false, isSftpEnabled: false }],
    ['sign in by Entra ID even in the portal', { defaultToOAuthAuthentication: true }],
    ['are encrypted twice', { encryption: { keySource: 'Microsoft.Storage', requireInfrastructureEncryption: true } }],
  ])('%s', (_sentence, expected) => {
    expect(accounts).toHaveLength(4);
    for (const { properties } of accounts) expect(properties).toMatchObject(expected);
  });

  test('all tell who changed a blob, and all but the noisy one of the host who read one: policy.json among them', () => {
    const told = modules().filter(({ at }) => /^(host|state|landing|vault)Account$/.test(at));
    expect(told.map(({ at, params: given }) => [at, String(given.workspaceId), given.reads ?? true])).toEqual(
      ['host', 'state', 'landing', 'vault'].map((name) => [
        `${name}Account`,
        "[reference('monitoring').outputs.workspaceId.value]",
        name !== 'host',
      ]),
    );
    const logs = made('Microsoft.Insights/diagnosticSettings').filter(({ at }) => at === 'stateAccount/logs');
    const categories = ((logs[0]?.properties.logs ?? []) as Fields[]).map(({ category, enabled }) => [
      category,
      enabled,
    ]);
    expect(categories).toEqual([
      ['StorageRead', "[parameters('reads')]"],
      ['StorageWrite', true],
      ['StorageDelete', true],
    ]);
  });

  test('the one with the queue of key events tells who put messages there', () => {
    const queues = modules().filter(({ params: given }) => given.queues !== undefined);
    expect(queues.map(({ at, params: given }) => [at, given.queues])).toEqual([['stateAccount', true]]);
  });
});

describe('the app', () => {
  test('speaks TLS 1.2 at least at both of its addresses, and HTTP/2', () => {
    expect(site.siteConfig).toMatchObject({ minTlsVersion: '1.2', scmMinTlsVersion: '1.2', http20Enabled: true });
  });

  test('refuses by default at both, should somebody open the public network', () => {
    expect(site.siteConfig).toMatchObject({
      ipSecurityRestrictionsDefaultAction: 'Deny',
      scmIpSecurityRestrictionsDefaultAction: 'Deny',
    });
  });

  test('cannot be debugged from afar, and keeps nobody on one instance', () => {
    expect(site.siteConfig).toMatchObject({ remoteDebuggingEnabled: false });
    expect(site.clientAffinityEnabled).toBe(false);
  });
});

describe('the network that is made', () => {
  const rules = (name: string) =>
    (
      (made('Microsoft.Network/networkSecurityGroups').find(({ at }) => at === `network/${name}`)?.properties
        .securityRules ?? []) as { name: string; properties: Fields }[]
    ).map((rule) => rule.properties);

  test.each(['appRules', 'endpointRules'])('%s end inbound with a refusal of everything', (name) => {
    const inbound = rules(name).filter(({ direction }) => direction === 'Inbound');
    const last = inbound.toSorted((a, b) => Number(a.priority) - Number(b.priority)).at(-1);
    expect(last).toMatchObject({
      access: 'Deny',
      ...{ protocol: '*', sourceAddressPrefix: '*', destinationAddressPrefix: '*', destinationPortRange: '*' },
    });
  });

  test('the app reaches the Internet by https and to the mail server, and by nothing else', () => {
    const outbound = rules('appRules').filter(({ direction }) => direction === 'Outbound');
    expect(
      outbound.map(({ access, destinationAddressPrefix, destinationPortRange }) => [
        access,
        destinationAddressPrefix,
        destinationPortRange,
      ]),
    ).toEqual([
      ['Allow', 'Internet', '443'],
      ['Allow', '*', "[parameters('mailPort')]"],
      ['Allow', 'AzureCloud', '*'],
      ['Deny', 'Internet', '*'],
    ]);
    expect(params('network').mailPort).toBe("[variables('mailPort')]");
    expect(template.variables?.mailPort).toContain("string(parameters('mail').port)");
  });

  test('no subnet has a way out that nobody made', () => {
    const subnets = made('Microsoft.Network/virtualNetworks/subnets');
    expect(subnets.map(({ at, properties }) => [at, properties.defaultOutboundAccess])).toEqual([
      ['network/appSubnet', false],
      ['network/endpointSubnet', false],
    ]);
  });

  test('a subnet that somebody adds stays at the next deployment', () => {
    const [network] = made('Microsoft.Network/virtualNetworks');
    expect(Object.keys(network?.properties ?? {})).toEqual(['addressSpace']);
    const { body } = made('Microsoft.Network/virtualNetworks/subnets')[1] ?? {};
    expect(body?.dependsOn).toContain('appSubnet');
  });

  test('every DNS zone that is made is linked to it', () => {
    const [link] = modules().filter(({ at }) => at === 'dns/link');
    expect(link?.params).toMatchObject({ networkId: "[parameters('networkId')]" });
    const { dns } = template.resources as Record<string, { properties: { template: { resources: Fields } } }>;
    const inner = (dns?.properties.template.resources ?? {}) as Record<string, Fields>;
    expect(inner.link?.copy).toEqual({ ...(inner.zone?.copy as Fields), name: 'link' });
  });
});

describe('who watches the watcher', () => {
  const told = (name: string) =>
    evaluate(`[map(variables('${name}'), lambda('one', lambdaVariables('one')))]`, {
      parameters: {},
      variables: guard().variables as Fields,
      cloud: 'AzureCloud',
      reference: () => null,
    }) as string[];
  const guard = () => {
    const { guard: found } = template.resources as Record<string, { properties: { template: Fields } }>;
    if (!found) throw new Error('no guard');
    return found.properties.template;
  };

  test.each([
    'Microsoft.Web/sites/delete',
    'Microsoft.Web/sites/stop/action',
    'Microsoft.Insights/diagnosticSettings/delete',
    'Microsoft.Insights/scheduledQueryRules/delete',
    'Microsoft.Insights/actionGroups/delete',
    'Microsoft.OperationalInsights/workspaces/delete',
    'Microsoft.Authorization/locks/delete',
    'Microsoft.Network/privateEndpoints/delete',
  ])('%s in the group of the installation is told to people', (operation) => {
    expect(told('silencing')).toContain(operation);
  });

  test.each([
    ['attached to another machine', 'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'],
    [
      'trusted from another directory',
      'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write',
    ],
    ['given more', 'Microsoft.Authorization/roleAssignments/write'],
  ])('an identity of a duty that is %s is told to people', (_what, operation) => {
    expect(told('borrowing')).toContain(operation);
  });

  test('both lists are alerts of the activity log, which mail without the app', () => {
    const [alert] = made('Microsoft.Insights/activityLogAlerts').filter(({ at }) => at === 'guard/alert');
    expect(alert?.properties).toMatchObject({ enabled: true, scopes: ['[resourceGroup().id]'] });
    expect(alert?.body.copy).toMatchObject({ count: "[length(variables('watched'))]" });
    expect(JSON.stringify(guard().variables)).toMatch(/variables\('silencing'\).*variables\('borrowing'\)/);
    expect(String(params('guard').actionGroupId)).toContain("reference('alerts')");
  });

  test('who asked the logs is logged, and what the topic did', () => {
    const logs = made('Microsoft.Insights/diagnosticSettings').map(({ at, properties }) => [
      at,
      (properties.logs as Fields[]).map(({ category, categoryGroup }) => category ?? categoryGroup),
    ]);
    expect(logs).toEqual(
      expect.arrayContaining([
        ['monitoring/audit', ['Audit']],
        ['topic/logs', ['allLogs']],
      ]),
    );
  });
});

describe('what is asked for by choice', () => {
  const { parameters } = template as { parameters: Record<string, Fields> };
  const resources = template.resources as Record<string, { condition?: string; copy?: Fields; properties: Fields }>;

  test('built-in policies report on every group of HSMs, and forbid nothing', () => {
    expect(parameters.assignPolicies?.defaultValue).toBe(false);
    expect(resources.policies?.condition).toBe("[parameters('assignPolicies')]");
    expect(resources.policies?.copy).toMatchObject({ count: "[length(variables('hsmGroups'))]" });
    const { variables = {} } = (resources.policies?.properties.template ?? {}) as {
      variables?: { policies?: Fields[] };
    };
    // https://github.com/Azure/azure-policy, built-in-policies/policyDefinitions/Key Vault
    expect(variables.policies?.map(({ name, id, effect }) => [name, id, effect])).toEqual([
      ['purge-protection', 'c39ba22d-4428-4149-b981-70acb31fc383', 'Audit'],
      ['private-link', '59fee2f4-d439-4f1b-9b9a-982e1474bfd8', 'Audit'],
      ['public-network', '19ea9d63-adee-4431-a95e-1913c6c1c75f', 'Audit'],
      ['resource-logs', 'a2a5b911-5617-447e-a49e-59dbe0e0434b', 'AuditIfNotExists'],
      ['key-expiry', '1d478a74-21ba-4b9f-9d8f-8e6fced0eec5', 'Audit'],
    ]);
  });

  test('Communication Services take no key, follow nobody, and are made only where they are asked for', () => {
    expect(resources.postOffice?.condition).toBe("[not(equals(parameters('communication'), null()))]");
    const [service] = made('Microsoft.Communication/communicationServices');
    expect(service?.properties).toMatchObject({ disableLocalAuth: true });
    const [domain] = made('Microsoft.Communication/emailServices/domains');
    expect(domain?.properties).toMatchObject({ userEngagementTracking: 'Disabled' });
  });
});

test('events stay in the region of their topic', () => {
  expect(made('Microsoft.EventGrid/topics')[0]?.properties.dataResidencyBoundary).toBe('WithinRegion');
});
