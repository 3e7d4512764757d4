import { describe, expect, test } from 'vitest';
import { type Config, loadConfig } from '../../../shared/config.ts';
import { evaluate, type Given, GROUP } from './evaluate.ts';
import { type Fields, made, params, template } from './template.ts';

const GUID = '00000000-0000-0000-0000-00000000000';
const DUTIES = ['observe', 'rotate', 'backup', 'restore', 'respond', 'reinstate', 'host', 'record'];
const HSM = `${GROUP}/providers/Microsoft.KeyVault/managedHSMs/contoso`;
const SECRET = `/subscriptions/s/resourceGroups/secrets/providers/Microsoft.KeyVault/vaults/contoso/secrets`;

/** What the modules answer, as the services write it: endpoints end with a slash. */
const outputs: Record<string, Fields> = {
  identities: Object.fromEntries(
    DUTIES.map((duty, at) => [
      duty,
      { id: `/identities/${duty}`, clientId: `${GUID}${at}`, principalId: `${GUID}${at}` },
    ]),
  ),
  stateAccount: { blob: 'https://state.blob.core.windows.net/', queue: 'https://state.queue.core.windows.net/' },
  landingAccount: { blob: 'https://land.blob.core.windows.net/' },
  vaultAccount: { blob: 'https://vault.blob.core.windows.net/' },
  topic: { endpoint: 'https://contoso.westeurope-1.eventgrid.azure.net/api/events' },
  monitoring: { workspaceKey: `${GUID}9` },
};

const base: Fields = {
  installation: 'contoso-prod',
  vaultLocation: 'North Europe',
  hsms: [{ name: 'contoso', uri: 'https://contoso.managedhsm.azure.net', resourceId: HSM }],
  apiClientId: `${GUID}8`,
  mail: { host: 'smtp.contoso.com', port: 587, security: 'starttls', from: 'keys@contoso.com' },
  mailTo: ['owners@contoso.com'],
};

const inCloud = (text: string, storage: string, topic: string): string =>
  text.replace('core.windows.net', storage).replace('eventgrid.azure.net', topic);

const of = (told: Fields, change = (text: string) => text) => ({
  outputs: Object.fromEntries(
    Object.entries(told).map(([key, value]) => [key, { value: typeof value === 'string' ? change(value) : value }]),
  ),
});

function given(changes: Fields = {}, cloud = 'AzureCloud'): Given {
  const reference = (name: string) => of(outputs[name] ?? {});
  const known: Given = {
    parameters: { ...base, ...changes },
    variables: template.variables as Fields,
    cloud,
    reference,
  };
  for (const [name, { defaultValue, nullable }] of Object.entries(template.parameters as Record<string, Fields>))
    if ((defaultValue !== undefined || nullable) && !(name in known.parameters))
      known.parameters[name] = evaluate(defaultValue ?? null, known);
  return known;
}

const settingsOf = (changes?: Fields, cloud?: string) =>
  evaluate(params('app').settings as Fields, given(changes, cloud)) as Record<string, string>;
const configOf = (changes?: Fields): Config => loadConfig(settingsOf(changes));

describe('the app starts with the settings that a deployment gives it', () => {
  test('with what has to be given and nothing else', () => {
    const config = configOf();
    expect(config.hsms).toMatchObject([
      { name: 'contoso', uri: 'https://contoso.managedhsm.azure.net', resourceId: HSM, settleSeconds: 30 },
    ]);
    expect(config.identities).toEqual({
      observe: `${GUID}0`,
      rotate: `${GUID}1`,
      backup: `${GUID}2`,
      restore: `${GUID}3`,
      respond: `${GUID}4`,
      record: `${GUID}7`,
    });
    expect(config.backup).toEqual({
      landingContainerUrl: 'https://land.blob.core.windows.net/hsm-backups',
      vaultBlobUrl: 'https://vault.blob.core.windows.net',
      vaultRegion: 'northeurope',
    });
    expect(config.logs).toMatchObject({ workspace: `${GUID}9`, endpoint: 'https://api.loganalytics.io/v1' });
    expect(config.mail).toMatchObject({ port: 587, fallback: ['owners@contoso.com'] });
    expect(config.mail.signIn).toBeUndefined();
    expect(config.arm.armUrl).toBe('https://management.azure.com');
  });

  test('every alert rule is listened to, by the name that it is deployed under', () => {
    const [rule] = made('Microsoft.Insights/scheduledQueryRules');
    expect(rule?.body.name).toBe("[format('{0}-{1}', parameters('name'), variables('rules')[copyIndex()].name)]");
    expect(configOf().alerts.rules).toContainEqual({ rule: 'contoso-prod-security-domain', hsms: ['contoso'] });
  });

  test('and so is every other alert of the action group: what Azure alone knows of an HSM comes by these', () => {
    const own = ['metricAlerts', 'activityLogAlerts'].flatMap((type) => made(`Microsoft.Insights/${type}`));
    const names = own.map(({ at, body }) => [at, String(body.name).replaceAll(/parameters\('(\w+)'\)/g, '$1')]);
    expect(names).toEqual([
      ['hsmWatch/available', "[format('{0}-{1}-availability', name, hsm)]"],
      ['hsmWatch/slow', "[format('{0}-{1}-latency', name, hsm)]"],
      ['guard/alert', "[format('{0}-{1}', name, variables('watched')[copyIndex()].name)]"],
      ['hsmWatch/removed', "[format('{0}-{1}-removed', name, hsm)]"],
    ]);
    expect(configOf().alerts.rules.map(({ rule, hsms }) => [rule, hsms?.join()])).toEqual(
      [
        ...(template.variables as { alertRules: string[] }).alertRules,
        ...['silenced', 'borrowed', 'contoso-availability', 'contoso-latency', 'contoso-removed'],
      ].map((rule) => [`contoso-prod-${rule}`, 'contoso']),
    );
  });

  test('a new HSM is looked after beside those that exist', () => {
    const config = configOf({ newHsm: { name: 'contoso2', administrators: ['g'] } });
    expect(config.hsms.map(({ name, uri, resourceId }) => [name, uri, resourceId])).toEqual([
      ['contoso', 'https://contoso.managedhsm.azure.net', HSM],
      ['contoso2', 'https://contoso2.managedhsm.azure.net', HSM.replace('contoso', 'contoso2')],
    ]);
  });

  test('an HSM without a name is none, as azd writes what it was not told', () => {
    const nobody = { name: '', uri: '', resourceId: '' };
    const only = configOf({ hsms: [nobody], newHsm: { name: 'contoso2', administrators: ['g'] } });
    expect(only.hsms.map(({ name }) => name)).toEqual(['contoso2']);
    expect(configOf({ newHsm: { name: '', administrators: [''] } }).hsms.map(({ name }) => name)).toEqual(['contoso']);
  });

  test('an HSM in two regions is given longer to settle', () => {
    const [one] = base.hsms as Fields[];
    expect(configOf({ hsms: [{ ...one, replicated: true }] }).hsms[0]?.settleSeconds).toBe(360);
  });

  test.each([
    ['restores', 'restore'],
    ['responds', 'respond'],
  ] as const)('without %s the app has no identity for it', (parameter, duty) => {
    expect(configOf({ [parameter]: false }).identities).not.toHaveProperty(duty);
    const attached = evaluate(params('app').identityIds as string, given({ [parameter]: false }));
    expect(attached).not.toContain(`/identities/${duty}`);
  });

  test('the identity that may grant anything is attached only where it is asked for', () => {
    expect(evaluate(params('app').identityIds as string, given())).toEqual(
      ['host', 'observe', 'rotate', 'record', 'backup', 'restore', 'respond'].map((duty) => `/identities/${duty}`),
    );
    expect(configOf({ reinstates: true }).identities.reinstate).toBe(`${GUID}5`);
  });

  test('an HSM that the app makes is reached where recoveries are asked for, and nowhere else', () => {
    expect(configOf()).not.toHaveProperty('endpoint');
    const subnet = `${GROUP}/providers/Microsoft.Network/virtualNetworks/keys/subnets/endpoints`;
    outputs.network = { endpointSubnetId: subnet };
    expect(configOf({ recoveries: true }).endpoint).toEqual({
      subnetId: subnet,
      region: 'westeurope',
      zoneId: `${GROUP}/providers/Microsoft.Network/privateDnsZones/privatelink.managedhsm.azure.net`,
    });
    const hsmZoneId = `${GROUP.replace('keys', 'network')}/providers/Microsoft.Network/privateDnsZones/privatelink.managedhsm.azure.net`;
    expect(configOf({ recoveries: true, hsmZoneId }).endpoint?.zoneId).toBe(hsmZoneId);
    expect(configOf({ recoveries: true, restores: false })).not.toHaveProperty('endpoint');
  });

  test('mail goes by Communication Services where they are asked for, signed in with the secret of the vault', () => {
    outputs.postOffice = { sender: 'DoNotReply@a.azurecomm.net', user: 'key-lifecycle-abc' };
    const communication = { dataLocation: 'Europe', applicationId: `${GUID}7`, principalId: `${GUID}6` };
    const settings = settingsOf({ communication, mailReference: `${SECRET}/smtp` });
    expect(settings).toMatchObject({
      MHSM_MAIL_HOST: 'smtp.azurecomm.net',
      MHSM_MAIL_PORT: '587',
      MHSM_MAIL_SECURITY: 'starttls',
      MHSM_MAIL_FROM: 'DoNotReply@a.azurecomm.net',
      MHSM_MAIL_USER: 'key-lifecycle-abc',
    });
    const { mail } = loadConfig({ ...settings, MHSM_MAIL_PASSWORD: 'the secret, resolved' });
    expect(mail).toMatchObject({ host: 'smtp.azurecomm.net', port: 587, security: 'starttls' });
    expect(mail.signIn?.user).toBe('key-lifecycle-abc');
  });

  test('no setting is a secret, or has the form of one, whatever is asked for', () => {
    const all = settingsOf({
      ...{ restores: true, responds: true, reinstates: true, recoveries: true },
      mail: { ...(base.mail as Fields), user: 'keys' },
      mailReference: `${SECRET}/smtp`,
      webhooks: [{ name: 'soc', url: 'https://soc.contoso.com/hooks' }],
      webhookReference: `${SECRET}/hooks`,
    });
    const secret = Object.entries(all).filter(([, value]) => SECRET_FORMS.some((form) => form.test(value)));
    expect(secret).toEqual([]);
    const named = Object.entries(all).filter(([name]) => /PASSWORD|SECRET|TOKEN|_KEY/.test(name));
    expect(named.map(([name]) => name)).toEqual(['MHSM_MAIL_PASSWORD', 'MHSM_WEBHOOK_SECRETS']);
    for (const [, value] of named) expect(value).toMatch(/^@Microsoft\.KeyVault\(SecretUri=https:\/\/[^)]+\)$/);
  });

  test.each([
    'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=MDEyMw==;EndpointSuffix=core.windows.net',
    'https://state.blob.core.windows.net/policy?sv=2025-01-05&sig=MDEyMzQ1Njc4OWFiY2RlZjAx%3D',
    'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=',
    'https://app.azurewebsites.net/api/alerts?code=MDEyMzQ1Njc4OWFiY2Rl',
    'eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJhIn0.c2lnbmF0dXJl',
  ])('a setting like %s would be found', (value) => {
    expect(SECRET_FORMS.some((form) => form.test(value))).toBe(true);
  });

  test('secrets are references to Key Vault, which the app refuses to take for the secret itself', () => {
    const signIn = { mail: { ...(base.mail as Fields), user: 'keys' }, mailReference: `${SECRET}/smtp` };
    expect(settingsOf(signIn).MHSM_MAIL_PASSWORD).toBe(
      '@Microsoft.KeyVault(SecretUri=https://contoso.vault.azure.net/secrets/smtp)',
    );
    expect(() => configOf(signIn)).toThrow('The Key Vault reference was not resolved');
  });
});

describe('where things go', () => {
  test('each group and each subscription of HSMs once, however its id is spelt', () => {
    const [one] = base.hsms as Fields[];
    const hsms = [
      one,
      { ...one, name: 'second', resourceId: HSM.replace('resourceGroups/keys', 'resourcegroups/KEYS') },
      { ...one, name: 'third', resourceId: HSM.replace('resourceGroups/keys', 'resourceGroups/others') },
    ] as Fields[];
    const known = given({ hsms });
    expect(evaluate("[variables('hsmGroups')]", known)).toHaveLength(2);
    expect(evaluate("[variables('hsmSubscriptions')]", known)).toHaveLength(1);
  });

  test('storage accounts have names that Azure takes, and no two the same', () => {
    for (const installation of ['ab', 'contoso-prod', 'a-very-long-name-1']) {
      const names = ['hostAccount', 'stateAccount', 'landingAccount', 'vaultAccount'].map((module) =>
        evaluate(params(module).name as string, given({ installation })),
      );
      for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9]{2,23}$/);
      expect(new Set(names).size).toBe(4);
    }
  });

  test.each([
    ['AzureUSGovernment', 'usgov', 'managedhsm.usgovcloudapi.net', 'core.usgovcloudapi.net', 'eventgrid.azure.us'],
    ['AzureChinaCloud', 'china', 'managedhsm.azure.cn', 'core.chinacloudapi.cn', 'eventgrid.azure.cn'],
  ])('in %s the app starts with the addresses of that cloud alone', (cloud, name, hsm, storage, topic) => {
    const known = given({ newHsm: { name: 'contoso2', administrators: ['g'] }, hsms: [] }, cloud);
    known.reference = (module) => of(outputs[module] ?? {}, (text) => inCloud(text, storage, topic));
    const settings = evaluate(params('app').settings as Fields, known) as Record<string, string>;
    const config = loadConfig(settings);
    expect(config.cloud).toBe(name);
    expect(config.hsms[0]?.uri).toBe(`https://contoso2.${hsm}`);
    for (const other of ['azure.com', 'windows.net', 'azure.net', 'microsoftonline.com'])
      expect(JSON.stringify(config)).not.toContain(`.${other}`);
    expect(evaluate("[variables('zones')]", known)).toMatchObject({
      blob: `privatelink.blob.${storage}`,
      topic: `privatelink.${topic}`,
      hsm: `privatelink.${hsm}`,
    });
  });

  test('addresses of another cloud are found at the start', () => {
    expect(() => loadConfig(settingsOf({}, 'AzureUSGovernment'))).toThrow('It names an address of the cloud public');
  });

  /** Each answers with its own name for its id. */
  const endpointsOf = (changes: Fields = {}) => {
    const known = given(changes);
    known.reference = (module) => ({ outputs: { id: { value: `/${module}` }, scopeId: { value: '/scope' } } });
    return [params('endpoints').endpoints, params('appEndpoint').endpoints].flatMap(
      (one) => evaluate(one as string, known) as Fields[],
    );
  };

  test.each([
    ['/hostAccount', 'blob', 'privatelink.blob.core.windows.net'],
    ['/hostAccount', 'queue', 'privatelink.queue.core.windows.net'],
    ['/hostAccount', 'table', 'privatelink.table.core.windows.net'],
    ['/stateAccount', 'blob', 'privatelink.blob.core.windows.net'],
    ['/stateAccount', 'queue', 'privatelink.queue.core.windows.net'],
    ['/landingAccount', 'blob', 'privatelink.blob.core.windows.net'],
    ['/vaultAccount', 'blob', 'privatelink.blob.core.windows.net'],
    ['/topic', 'topic', 'privatelink.eventgrid.azure.net'],
    ['/app', 'sites', 'privatelink.azurewebsites.net'],
    [HSM, 'managedhsm', 'privatelink.managedhsm.azure.net'],
  ])('%s has a private endpoint for %s, with its DNS zone', (target, group, zone) => {
    const zoneIds = [`${GROUP}/providers/Microsoft.Network/privateDnsZones/${zone}`];
    expect(endpointsOf()).toContainEqual(expect.objectContaining({ target, group, zoneIds }));
  });

  test('every endpoint lies in a zone that is made', () => {
    const zones = ['dns', 'hsmDns'].flatMap(
      (module) => evaluate(params(module).zones as string[], given({ privateMonitoring: true })) as string[],
    );
    const ids = zones.map((zone) => `${GROUP}/providers/Microsoft.Network/privateDnsZones/${zone}`);
    const endpoints = endpointsOf({ privateMonitoring: true });
    expect(endpoints).toHaveLength(11);
    for (const { zoneIds } of endpoints) expect(ids).toEqual(expect.arrayContaining(zoneIds as string[]));
  });

  test('where the network has the endpoints of its HSMs, none is made; a zone that lies elsewhere is used', () => {
    expect(endpointsOf({ hsmEndpoints: false }).map(({ group }) => group)).not.toContain('managedhsm');
    expect(endpointsOf({ hsmZoneId: '/elsewhere' })).toContainEqual(
      expect.objectContaining({ target: HSM, zoneIds: ['/elsewhere'] }),
    );
  });

  test.each([
    ['where the app makes their endpoints', {}, true],
    ['where the network has their endpoints', { hsmEndpoints: false }, false],
    ['where their zone is given', { hsmZoneId: '/zone' }, false],
    ['where a central group has all zones', { dnsGroupId: '/group' }, false],
    [
      'where their zone lies elsewhere and the app makes HSMs',
      { hsmEndpoints: false, hsmZoneId: '/zone', recoveries: true },
      false,
    ],
  ])(
    'a zone of HSMs, which would hide those that another zone names, is made %s: %s -> %s',
    (_where, changes, makes) => {
      const { condition } = (template.resources as Record<string, Fields>).hsmDns ?? {};
      expect(evaluate(condition as string, given(changes))).toBe(makes);
    },
  );

  test('locked records are left as they are: Azure refuses to write a locked policy', () => {
    const journal = (changes: Fields) =>
      (evaluate(params('stateContainers').containers as Fields[], given(changes)) as Fields[])
        .filter(({ worm }) => Number(worm) > 0)
        .map(({ name, worm }) => [name, worm]);
    expect(journal({})).toEqual([
      ['journal', 365],
      ['evidence', 365],
    ]);
    expect(journal({ recordsLocked: true })).toEqual([]);
  });
});

/** Account keys, SAS, signing secrets, function keys, tokens. */
const SECRET_FORMS = [
  /AccountKey=|SharedAccess(Key|Signature)|Password=/i,
  /[?&](sig|code|sas)=/i,
  /whsec_/,
  /\bey[\w-]{10,}\.ey[\w-]+\.[\w-]+/,
  /[A-Za-z0-9+/]{40,}={1,2}/,
];
