import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, type Listener, listen } from '../../../../infra/local/http.ts';
import { createHsmDiagnostics } from '../../../../shared/adapters/azure/hsm-diagnostics.ts';
import type { HsmDiagnostics } from '../../../../shared/ports/hsm-diagnostics.ts';
import { type Ground, startGround } from './estate.ts';

const RESOURCE = '/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/managedHSMs/contoso';

let ground: Ground;
let server: Listener;
let diagnostics: HsmDiagnostics;
let answer: Answer;
let asked = '';

beforeAll(async () => {
  ground = await startGround();
  server = await listen({
    tls: ground.estate.tls,
    origin: 'https://localhost',
    async handle({ method, url, headers }) {
      await ground.tokens.verify(headers.authorization?.replace('Bearer ', '') ?? '', 'https://management.azure.com');
      asked = `${method} ${url.pathname}${url.search}`;
      return answer;
    },
  });
  diagnostics = createHsmDiagnostics({
    armUrl: `https://localhost:${server.port}`,
    audience: 'https://management.azure.com',
    identity: ground.identity('observe'),
  });
});
afterAll(async () => {
  await server.close();
  await ground.stop();
});

const wire = (name: string, properties: object = {}) => ({
  id: `${RESOURCE}/providers/microsoft.insights/diagnosticSettings/${name}`,
  type: 'Microsoft.Insights/diagnosticSettings',
  name,
  properties,
});

test('settings are read as Azure Monitor holds them, sorted, without what they do not name', async () => {
  const retentionPolicy = { enabled: false, days: 0 };
  answer = {
    status: 200,
    body: {
      value: [
        wire('second', {
          workspaceId: '',
          storageAccountId: '/s',
          logs: [{ categoryGroup: 'allLogs', enabled: true, retentionPolicy }],
        }),
        wire('first', {
          ...{ workspaceId: '/w', logAnalyticsDestinationType: 'Dedicated', eventHubName: null },
          logs: [{ category: 'AuditEvent', enabled: true }],
          metrics: [{ category: 'AllMetrics', enabled: false, retentionPolicy }],
        }),
      ],
    },
  };
  expect(await diagnostics.list(RESOURCE)).toEqual([
    {
      ...{ name: 'first', workspaceId: '/w', dedicated: true },
      logs: [{ category: 'AuditEvent', enabled: true }],
      metrics: [{ category: 'AllMetrics', enabled: false }],
    },
    {
      name: 'second',
      storageAccountId: '/s',
      dedicated: false,
      logs: [{ categoryGroup: 'allLogs', enabled: true }],
      metrics: [],
    },
  ]);
  expect(asked).toBe(`GET ${RESOURCE}/providers/Microsoft.Insights/diagnosticSettings?api-version=2021-05-01-preview`);
});

test('the order in which Azure lists them changes nothing', async () => {
  answer = { status: 200, body: { value: [wire('b'), wire('a')] } };
  const one = await diagnostics.list(RESOURCE);
  answer = { status: 200, body: { value: [wire('a'), wire('b')] } };
  expect(await diagnostics.list(RESOURCE)).toEqual(one);
});

test('names are cut and cleaned, because whoever can write one chooses it', async () => {
  answer = { status: 200, body: { value: [wire(`x\u202e\n${'y'.repeat(9_000)}`)] } };
  const [found] = await diagnostics.list(RESOURCE);
  expect(found?.name).toMatch(/^x y+…$/u);
  expect(found?.name.length).toBeLessThanOrEqual(512);
});

test('none at all is an empty list, and a refusal names what is missing', async () => {
  answer = { status: 200, body: { value: [] } };
  expect(await diagnostics.list(RESOURCE)).toEqual([]);
  answer = { status: 403, body: { error: { code: 'AuthorizationFailed', message: 'no' } } };
  await expect(diagnostics.list(RESOURCE)).rejects.toMatchObject({ code: 'ERR_DENIED' });
});
