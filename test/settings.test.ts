import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfig, SETTING_NAMES } from '../shared/config.ts';

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
