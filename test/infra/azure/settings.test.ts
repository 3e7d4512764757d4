import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfig } from '../../../shared/config.ts';
import { SETTING_NAMES } from '../../../shared/settings.ts';
import { type Fields, made, params, ROOT } from './template.ts';

const settings = params('app').settings as Fields;
const sample = JSON.parse(readFileSync(`${ROOT}local.settings.sample.json`, 'utf8')) as {
  Values: Record<string, string>;
};

test('the template sets every setting of the schema, and no other', () => {
  expect(Object.keys(settings).toSorted()).toEqual(SETTING_NAMES.toSorted());
});

test('what the template sets as plain text can be loaded', () => {
  const plain = Object.entries(settings).filter(([, value]) => !String(value).startsWith('['));
  expect(plain.length).toBeGreaterThan(15);
  expect(() =>
    loadConfig({ ...sample.Values, ...Object.fromEntries(plain.map(([key, value]) => [key, String(value)])) }),
  ).not.toThrow();
});

test('the host is given its storage by identity, under the names of the sample', () => {
  const [, host] = /union\(createObject\((.*)\), parameters\('settings'\)\)/.exec(appSettings()) ?? [];
  const names = [...(host ?? '').matchAll(/'(AzureWebJobs\w+|APPLICATIONINSIGHTS_\w+)', /g)].map(([, name]) => name);
  const expected = Object.keys(sample.Values).filter((name) => name.startsWith('AzureWebJobsStorage__'));
  expect(names).toEqual([
    ...expected,
    'APPLICATIONINSIGHTS_CONNECTION_STRING',
    'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
  ]);
});

/** https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations */
test.each([
  'FUNCTIONS_EXTENSION_VERSION',
  'FUNCTIONS_WORKER_RUNTIME',
  'WEBSITE_RUN_FROM_PACKAGE',
  'WEBSITE_NODE_DEFAULT_VERSION',
  'WEBSITE_CONTENT',
  'WEBSITE_VNET_ROUTE_ALL',
  'SCM_DO_BUILD_DURING_DEPLOYMENT',
  'ENABLE_ORYX_BUILD',
  'linuxFxVersion',
  'alwaysOn',
  'ftpsState',
  'vnetRouteAllEnabled',
])('%s, which Flex Consumption refuses, is not set', (name) => {
  expect(JSON.stringify([settings, appSettings(), made('Microsoft.Web/sites')])).not.toContain(name);
});

function appSettings(): string {
  const [found] = made('Microsoft.Web/sites/config').filter(({ at }) => at === 'app/appSettings');
  return String(found?.body.properties);
}
