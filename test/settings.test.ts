import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { appSettings } from '../infra/local/app-settings.ts';
import { loadConfig } from '../shared/config.ts';
import { SETTING_NAMES } from '../shared/settings.ts';

const sample = JSON.parse(readFileSync(new URL('../local.settings.sample.json', import.meta.url), 'utf8')) as {
  IsEncrypted: boolean;
  Values: Record<string, string>;
};

test('the sample file shows every setting of the schema, and no other with the prefix', () => {
  const shown = Object.keys(sample.Values).filter((name) => name.startsWith('MHSM_'));
  expect(shown.toSorted()).toEqual(SETTING_NAMES.toSorted());
});

test('the sample file can be loaded as it is', () => {
  expect(loadConfig(sample.Values).hsms).toMatchObject([{ name: 'contoso', settleSeconds: 30 }]);
});

test('the sample file gives the host its own storage by identity, without a key or connection string', () => {
  expect(sample.IsEncrypted).toBe(false);
  expect(Object.keys(sample.Values).filter((name) => !name.startsWith('MHSM_'))).toEqual([
    'FUNCTIONS_WORKER_RUNTIME',
    ...['blobServiceUri', 'queueServiceUri', 'tableServiceUri', 'credential', 'clientId'].map(
      (name) => `AzureWebJobsStorage__${name}`,
    ),
  ]);
});

test('the embedded estate gives the app settings that can be loaded', () => {
  const hsms = loadConfig(sample.Values).hsms.map(({ name, uri, resourceId }) => ({ name, uri, resourceId }));
  const settings = appSettings({
    hsms,
    blobUrl: 'https://localhost:10000/devstoreaccount1',
    queueUrl: 'https://localhost:10001/devstoreaccount1',
    topicEndpoint: 'https://localhost:10002/api/events',
    landingContainerUrl: 'https://localhost:10000/estatelanding/hsm-backups',
    vaultBlobUrl: 'https://localhost:10000/estatevault',
    managementUrl: 'https://localhost:10004',
    mail: { host: '127.0.0.1', port: 10025 },
    api: { issuer: 'http://127.0.0.1:10003/t/v2.0', audience: 'api://mhsm', jwksUrl: 'http://127.0.0.1:10003/keys' },
  });
  expect(loadConfig(settings).hsms).toMatchObject(hsms);
});
