import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findBicep, runBicep } from '../../../infra/build/bicep.ts';
import { type Fields, type Json, ROOT } from './template.ts';

/** The official compiler calculates what a deployment makes, conditions and loops and all, without a cloud. */
const bicep = findBicep(ROOT);
if (!bicep) console.log('skipped: no Bicep compiler; dotnet restore infra/build/bicep.csproj brings it');

const SUBSCRIPTION = '11111111-1111-1111-1111-111111111111';
const ELSEWHERE = '22222222-2222-2222-2222-222222222222';
const hsm = (name: string, group: string, subscription = SUBSCRIPTION) => ({
  name,
  uri: `https://${name}.managedhsm.azure.net`,
  resourceId: `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.KeyVault/managedHSMs/${name}`,
});
const network = `/subscriptions/${ELSEWHERE}/resourceGroups/network/providers/Microsoft.Network`;
const secret = (name: string) =>
  `/subscriptions/${SUBSCRIPTION}/resourceGroups/secrets/providers/Microsoft.KeyVault/vaults/contoso/secrets/${name}`;

const least: Fields = {
  installation: 'contoso-prod',
  vaultLocation: 'northeurope',
  hsms: [hsm('contoso', 'hsm')],
  apiClientId: '00000000-0000-0000-0000-000000000008',
  mail: { host: 'smtp.contoso.com', port: 587, security: 'starttls', from: 'keys@contoso.com' },
  mailTo: ['owners@contoso.com'],
};
const everythingOn: Fields = {
  ...least,
  installation: 'a-very-long-name-1',
  hsms: [hsm('contoso', 'hsm'), hsm('second', 'HSM'), hsm('far', 'hsm', ELSEWHERE)],
  newHsm: { name: 'made', administrators: ['00000000-0000-0000-0000-000000000007'] },
  ...{ restores: true, responds: true, reinstates: true, recoveries: true },
  ...{ privateMonitoring: true, assignPolicies: true },
  communication: {
    dataLocation: 'Europe',
    applicationId: '00000000-0000-0000-0000-000000000006',
    principalId: '00000000-0000-0000-0000-000000000005',
  },
  ...{ mailReference: secret('smtp'), webhookReference: secret('hooks') },
  monthlyBudget: { amount: 400, hsms: 3000, from: '2026-11-01' },
  alertDoor: { url: 'https://door.contoso.com/api/alerts', objectId: 'o', identifierUri: 'api://contoso' },
};
const inOurNetwork: Fields = {
  ...least,
  subnets: {
    app: `${network}/virtualNetworks/keys/subnets/app`,
    endpoints: `${network}/virtualNetworks/keys/subnets/endpoints`,
  },
  dnsGroupId: `/subscriptions/${ELSEWHERE}/resourceGroups/dns`,
  hsmEndpoints: false,
};
const asLittleAsPossible: Fields = {
  ...inOurNetwork,
  ...{ restores: false, responds: false, recoveries: true, keepHsms: false, activityLogs: false, alwaysReady: 0 },
  recordsLocked: true,
};
const DEPLOYMENTS = { least, everythingOn, inOurNetwork, asLittleAsPossible };

describe.skipIf(!bicep).each(Object.entries(DEPLOYMENTS))('a deployment of %s', (_name, parameters) => {
  const made = bicep ? resourcesOf(bicep, parameters) : [];

  test('makes each resource once', () => {
    const ids = made.map(({ id }) => String(id).toLowerCase());
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    expect(ids.length).toBeGreaterThan(80);
  });

  test.each([
    ['Microsoft.Storage/storageAccounts', /^[a-z0-9]{3,24}$/],
    ['Microsoft.Web/sites', /^[A-Za-z0-9-]{2,32}$/],
    ['Microsoft.EventGrid/topics', /^[A-Za-z0-9-]{3,50}$/],
    ['Microsoft.OperationalInsights/workspaces', /^[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]$/],
    ['Microsoft.ManagedIdentity/userAssignedIdentities', /^[A-Za-z0-9][\w-]{2,127}$/],
    ['Microsoft.Network/privateEndpoints', /^[A-Za-z0-9][\w.-]{0,78}\w$/],
    ['Microsoft.Consumption/budgets', /^[\w-]{1,63}$/],
    ['Microsoft.Insights/metricAlerts', /^[^*#&+:<>?@%{}\\/]{1,260}$/],
  ])('gives every one of %s a name that Azure takes', (type, rule) => {
    // https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
    for (const { name } of made.filter((one) => one.type === type)) expect(name).toMatch(rule);
  });
});

describe.skipIf(!bicep)('what is left out leaves nothing behind', () => {
  const of = (parameters: Fields) => (bicep ? resourcesOf(bicep, parameters) : []);
  const types = (parameters: Fields) => of(parameters).map(({ type }) => String(type));

  test('a network and zones that are there', () => {
    const found = types(inOurNetwork);
    for (const type of ['virtualNetworks', 'natGateways', 'networkSecurityGroups', 'privateDnsZones'])
      expect(found).not.toContain(`Microsoft.Network/${type}`);
    expect(types(least)).toContain('Microsoft.Network/natGateways');
  });

  test('the right to make HSMs, where nobody restores', () => {
    const roles = (parameters: Fields) =>
      of(parameters)
        .filter(({ type }) => type === 'Microsoft.Authorization/roleDefinitions')
        .map(({ properties }) => String((properties as Fields).roleName).replace(/ \(.*/, ''));
    expect(roles(asLittleAsPossible)).toEqual(['Key lifecycle: locked copies']);
    expect(roles(everythingOn)).toContain('Key lifecycle: recoveries');
  });

  test('policies of records that are locked, and the locks of HSMs', () => {
    const found = of(asLittleAsPossible);
    const worm = found.filter(({ type }) => String(type).endsWith('/immutabilityPolicies'));
    expect(worm.map(({ id }) => /containers\/([\w-]+)/.exec(String(id))?.[1])).toEqual(['hsm-backups']);
    const locks = found.filter(({ type }) => type === 'Microsoft.Authorization/locks');
    expect(locks.filter(({ id }) => String(id).includes('managedHSMs'))).toEqual([]);
  });

  test('a budget; where one is wanted, each group of HSMs has its own, because they are what costs', () => {
    expect(types(least)).not.toContain('Microsoft.Consumption/budgets');
    const budgets = of(everythingOn).filter(({ type }) => type === 'Microsoft.Consumption/budgets');
    expect(
      budgets.map(({ name, properties }) => [name, (properties as Fields).amount, (properties as Fields).timePeriod]),
    ).toEqual(
      [400, 3000, 3000, 3000].map((amount, at) => [
        at === 0 ? 'a-very-long-name-1' : 'a-very-long-name-1-hsms',
        amount,
        { startDate: '2026-11-01' },
      ]),
    );
  });
});

test.skipIf(!bicep)('what cannot be is refused before anything is made, each fault by its place', () => {
  const wrong = {
    ...least,
    installation: 'a-name-that-is-too-long',
    hsms: [{ ...hsm('contoso', 'hsm'), resourceID: 'x' }, { name: 'contoso' }],
    mail: { ...(least.mail as Fields), security: 'none' },
    mailTo: [],
    monthlyBudget: { amount: 1, hsms: 1 },
  };
  const [, ...faults] = messageOf(() => resourcesOf(String(bicep), wrong)).split('main.bicepparam(');
  expect(faults.map((fault) => /Error BCP\d+: (.+) \[http/.exec(fault)?.[1])).toEqual([
    expect.stringContaining('length is 18'),
    expect.stringContaining('"resourceID" is not allowed'),
    expect.stringContaining('missing the following required properties: "resourceId", "uri"'),
    expect.stringContaining("'starttls' | 'tls'"),
    expect.stringContaining('length is 1'),
    expect.stringContaining('missing the following required properties: "from"'),
  ]);
});

function messageOf(act: () => unknown): string {
  try {
    act();
    return '';
  } catch (error) {
    return String(error);
  }
}

type Made = Record<string, Json>;
const known = new Map<string, Made[]>();

function resourcesOf(compiler: string, parameters: Fields): Made[] {
  const key = JSON.stringify(parameters);
  const before = known.get(key);
  if (before) return before;
  const dir = mkdtempSync(join(tmpdir(), 'walk-'));
  try {
    const lines = Object.entries(parameters).map(([name, value]) => `param ${name} = ${bicepOf(value)}`);
    const using = relative(dir, `${ROOT}infra/azure/main.bicep`);
    writeFileSync(join(dir, 'main.bicepparam'), [`using '${using}'`, ...lines, ''].join('\n'));
    const where = ['--tenant-id', ELSEWHERE, '--subscription-id', SUBSCRIPTION, '--resource-group', 'keys'];
    const args = ['snapshot', join(dir, 'main.bicepparam'), '--mode', 'overwrite', '--location', 'westeurope'];
    const { status, stderr } = runBicep(compiler, [...args, ...where]);
    if (status !== 0) throw new Error(stderr);
    const snapshot = JSON.parse(readFileSync(join(dir, 'main.snapshot.json'), 'utf8'));
    // How many DNS zones the logs need depends on the cloud, which it does not ask.
    const faults = (snapshot.diagnostics as string[]).filter((one) => !one.includes("/deployments/dns'"));
    expect(faults).toEqual([]);
    known.set(key, snapshot.predictedResources);
    return snapshot.predictedResources;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** A value as a parameters file writes it. */
function bicepOf(value: Json): string {
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[\n${value.map(bicepOf).join('\n')}\n]`;
  if (value === null || typeof value !== 'object') return String(value);
  return `{\n${Object.entries(value)
    .map(([name, one]) => `${name}: ${bicepOf(one)}`)
    .join('\n')}\n}`;
}
