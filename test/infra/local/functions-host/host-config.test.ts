import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readHostConfig } from '../../../../infra/local/functions-host/host-config.ts';
import { parseHostKeys } from '../../../../infra/local/functions-host/keys.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'host-config-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const read = (host: object, settings: Record<string, string> = {}) => {
  writeFileSync(join(folder, 'host.json'), JSON.stringify({ version: '2.0', ...host }));
  return readHostConfig(folder, settings);
};

describe('host.json', () => {
  test('has the defaults of Azure', () => {
    expect(read({}, { WEBSITE_SITE_NAME: 'my-app' })).toMatchObject({
      routePrefix: 'api',
      functionTimeoutMs: 1_800_000,
      queues: { base64: true, batchSize: 16, newBatchThreshold: 8, maxDequeueCount: 5, visibilityTimeoutMs: 0 },
      hubName: 'myapp',
      storageConnection: 'AzureWebJobsStorage',
    });
  });

  test('is read with settings expanded', () => {
    const durableTask = { hubName: '%HUB%x', maxConcurrentActivityFunctions: 3 };
    const config = read(
      {
        functionTimeout: '-1',
        extensions: { durableTask, http: { routePrefix: '' }, queues: { messageEncoding: 'none' } },
      },
      { HUB: 'Hub' },
    );
    expect(config).toMatchObject({
      hubName: 'Hubx',
      maxConcurrentActivities: 3,
      routePrefix: '',
      functionTimeoutMs: Infinity,
    });
    expect(config.queues.base64).toBe(false);
  });

  test.each([
    ['another version', { version: '1.0' }, 'version must be "2.0"'],
    ['a hub setting that is absent', { extensions: { durableTask: { hubName: '%HUB%' } } }, "'%HUB%' does not resolve"],
    ['a hub name that storage refuses', { extensions: { durableTask: { hubName: 'a-b' } } }, "Task hub name 'a-b'"],
    ['a time-out that is no time span', { functionTimeout: 'soon' }, 'functionTimeout "soon"'],
  ])('is refused with %s', (_, host, message) => {
    expect(() => read(host)).toThrow(message);
  });
});

test('missing host keys are named together', () => {
  expect(() => parseHostKeys('{"master":"m","system":{"eventgrid_extension":"e"}}')).toThrow(
    'ESTATE_HOST_KEYS lacks function, system.durabletask_extension.',
  );
});
