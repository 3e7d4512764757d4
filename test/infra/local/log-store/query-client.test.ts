import {
  LogsQueryClient,
  type LogsQueryOptions,
  type LogsQueryResult,
  LogsQueryResultStatus,
} from '@azure/monitor-query-logs';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { IDENTITIES, type IdentityName } from '../../../../infra/local/identity/registrations.ts';
import { LOGS_AUDIENCE, startLogQueries, WORKSPACE_RESOURCE_ID } from '../../../../infra/local/log-store/server.ts';
import { createLogStore } from '../../../../infra/local/log-store/store.ts';
import { hsmResourceId } from '../../../../infra/local/seed/resource-id.ts';
import { estateParts } from '../support/parts.ts';

const { estate, clock, tokens, faults, call } = await estateParts();
const store = createLogStore({ clock, ingestionDelayMs: 60_000 });
const service = await startLogQueries({ estate, store });
afterAll(() => service.stop());

const clientOf = (name: IdentityName, audience = LOGS_AUDIENCE) =>
  new LogsQueryClient(
    {
      async getToken() {
        const { token, expiresOn } = await tokens.forIdentity(IDENTITIES[name], audience);
        return { token, expiresOnTimestamp: expiresOn * 1000 };
      },
    },
    {
      endpoint: service.url,
      credentials: { scopes: [`${LOGS_AUDIENCE}/.default`] },
      retryOptions: { maxRetries: 1, retryDelayInMs: 1, maxRetryDelayInMs: 5 },
    },
  );
const client = clientOf('observe');
const ask = (query: string, options?: LogsQueryOptions) =>
  client.queryWorkspace(service.workspaceId, query, { duration: 'P1D' }, options);
const tablesOf = (result: LogsQueryResult) =>
  result.status === LogsQueryResultStatus.Success ? result.tables : result.partialTables;
const rowsOf = async (query: string) => tablesOf(await ask(query))[0]?.rows;

const row = (fields: Record<string, unknown> = {}) => ({
  _ResourceId: hsmResourceId('contoso'),
  OperationName: 'KeyGet',
  HttpStatusCode: 200,
  Identity: { claim: { appid: 'a' } },
  ...fields,
});

beforeEach(() => {
  faults.clear();
  store.reset();
  service.reset();
  for (const OperationName of ['KeyGet', 'KeyWrap', 'KeyWrap', 'KeySign']) {
    store.inject('AZKVAuditLogs', row({ OperationName }), { delayMs: 0 });
  }
});

describe('The unmodified LogsQueryClient', () => {
  test('gets typed columns, dates and parsed dynamics', async () => {
    const result = await ask('AZKVAuditLogs | project TimeGenerated, OperationName, HttpStatusCode, Identity | take 1');
    expect(result.status).toBe('Success');
    const [table] = tablesOf(result);
    expect(table?.columnDescriptors).toEqual([
      { name: 'TimeGenerated', type: 'datetime' },
      { name: 'OperationName', type: 'string' },
      { name: 'HttpStatusCode', type: 'int' },
      { name: 'Identity', type: 'dynamic' },
    ]);
    expect(table?.rows[0]).toEqual([expect.any(Date), 'KeyGet', 200, { claim: { appid: 'a' } }]);
  });

  test('counts by operation', async () => {
    const rows = await rowsOf(
      'AZKVAuditLogs | summarize n=count() by OperationName | sort by n desc, OperationName asc',
    );
    expect(rows).toEqual([
      ['KeyWrap', 2],
      ['KeyGet', 1],
      ['KeySign', 1],
    ]);
  });

  test('asks for one resource, and for the workspace as one', async () => {
    store.inject('AZKVAuditLogs', row({ _ResourceId: hsmResourceId('fabrikam') }), { delayMs: 0 });
    const counted = async (resource: string) =>
      tablesOf(await client.queryResource(resource, 'AZKVAuditLogs | count', { duration: 'P1D' }))[0]?.rows[0]?.[0];
    expect(await counted(hsmResourceId('contoso'))).toBe(4);
    expect(await counted(hsmResourceId('fabrikam'))).toBe(1);
    expect(await counted(WORKSPACE_RESOURCE_ID)).toBe(5);
  });

  test('sees a row only after its ingestion', async () => {
    store.inject('AZKVAuditLogs', row({ OperationName: 'KeyDelete' }));
    const late = 'AZKVAuditLogs | where OperationName == "KeyDelete" | project Lag = ingestion_time() - TimeGenerated';
    expect(await rowsOf(late)).toEqual([]);
    clock.advance(61_000);
    expect(await rowsOf(late)).toEqual([['00:01:00']]);
  });

  test('bounds a query by its timespan', async () => {
    const old = new Date(clock.now().getTime() - 3 * 86_400_000).toISOString();
    store.inject('AZKVAuditLogs', row({ TimeGenerated: old }), { delayMs: 0 });
    expect(await rowsOf('AZKVAuditLogs | count')).toEqual([[4]]);
    const span = { startTime: new Date(Date.parse(old) - 1), endTime: new Date(Date.parse(old) + 1) };
    const result = await client.queryWorkspace(service.workspaceId, 'AZKVAuditLogs | count', span);
    expect(tablesOf(result)[0]?.rows).toEqual([[1]]);
  });

  test('is told of statistics and drawing when it asks for them', async () => {
    const result = await ask('AZKVAuditLogs | summarize count() by OperationName | render piechart', {
      includeQueryStatistics: true,
      includeVisualization: true,
      serverTimeoutInSeconds: 30,
    });
    expect(result).toMatchObject({
      statistics: { query: { datasetStatistics: [{ tableRowCount: 3 }] } },
      visualization: { visualization: 'piechart' },
    });
  });

  test('takes an incomplete result for a partial failure', async () => {
    faults.add({ service: 'logs', operation: 'Query', effect: 'partial' });
    const result = await ask('AZKVAuditLogs');
    expect(result).toMatchObject({ status: 'PartialFailure', partialError: { code: 'PartialError' } });
    expect(tablesOf(result)[0]?.rows).toHaveLength(2);
  });

  test('gets no more rows than an answer may hold, with an error beside them', async () => {
    service.limits.rows = 3;
    const result = await ask('AZKVAuditLogs');
    expect(result.status).toBe('PartialFailure');
    expect(tablesOf(result)[0]?.rows).toHaveLength(3);
    service.limits.rows = 100;
    service.limits.bytes = 10;
    expect(tablesOf(await ask('AZKVAuditLogs'))[0]?.rows).toEqual([]);
  });

  test('waits as long as a throttled answer says, and asks again', async () => {
    const throttled = { status: 429, code: 'ThrottledError', message: 'Too many requests.' };
    faults.add({ service: 'logs', operation: 'Query', ...throttled, headers: { 'retry-after': '0' }, count: 1 });
    expect(await rowsOf('AZKVAuditLogs | count')).toEqual([[4]]);
    faults.add({ service: 'logs', operation: 'Query', ...throttled, headers: { 'retry-after': '0' } });
    await expect(ask('AZKVAuditLogs')).rejects.toMatchObject({ statusCode: 429, code: 'ThrottledError' });
  });

  test('is told of a time-out, played or real', async () => {
    faults.add({ service: 'logs', operation: 'Query', effect: 'timeout', count: 2 });
    await expect(ask('AZKVAuditLogs')).rejects.toMatchObject({ statusCode: 504, code: 'GatewayTimeout' });
    const endless = ask('range x from 1 to 1000000000000000 step 1 | count', { serverTimeoutInSeconds: 1 });
    await expect(endless).rejects.toMatchObject({ statusCode: 504 });
  });

  test.each([
    [
      'AZKVAuditLogs | where Nope == 1',
      'SEM0100',
      "'where' operator: Failed to resolve scalar expression named 'Nope'",
    ],
    ['AppInsights | where TimeGenerated > ago(12h)', 'SEM0100', "'where' operator: Failed to resolve table or column"],
    ['AZKVAuditLogs | make-series count() on TimeGenerated step 1h', 'NotExecuted', "the operator 'make-series'"],
    ['AZKVAuditLogs | extend x = geo_distance_2points(1.0, 2.0, 3.0, 4.0)', 'NotExecuted', "'geo_distance_2points'"],
    ['AZKVAuditLogs | where', 'SYN0002', 'Missing expression'],
  ])('is refused %s', async (query, code, message) => {
    const failure = await ask(query).catch((error: unknown) => error);
    expect(failure).toMatchObject({ statusCode: 400, code: 'BadArgumentError' });
    const { details } = failure as {
      details: { error: { innererror: { innererror: { code: string; message: string } } } };
    };
    expect(details.error.innererror.innererror.code).toBe(code);
    expect(details.error.innererror.innererror.message).toContain(message);
  });

  test('asks several queries at once, each with its own outcome', async () => {
    const [good, bad, elsewhere] = await client.queryBatch([
      { workspaceId: service.workspaceId, query: 'AZKVAuditLogs | count', timespan: { duration: 'P1D' } },
      { workspaceId: service.workspaceId, query: 'Nope | count', timespan: { duration: 'P1D' } },
      { workspaceId: '00000000-0000-4000-8000-000000000bad', query: 'AZKVAuditLogs', timespan: { duration: 'P1D' } },
    ]);
    expect(good).toMatchObject({ status: 'Success', tables: [{ rows: [[4]] }] });
    expect(bad).toMatchObject({ partialError: { code: 'BadArgumentError' } });
    expect(elsewhere).toMatchObject({ partialError: { code: 'PathNotFoundError' } });
  });

  test('is denied without the role, with a foreign token, and at a workspace that does not exist', async () => {
    const span = { duration: 'P1D' };
    const denied = (one: LogsQueryClient) => one.queryWorkspace(service.workspaceId, 'AZKVAuditLogs', span);
    await expect(denied(clientOf('consumer'))).rejects.toMatchObject({
      statusCode: 403,
      code: 'InsufficientAccessError',
    });
    await expect(denied(clientOf('observe', 'https://vault.azure.net'))).rejects.toMatchObject({
      code: 'InvalidAuthenticationToken',
    });
    await expect(client.queryWorkspace('nowhere', 'AZKVAuditLogs', span)).rejects.toMatchObject({
      ...{ statusCode: 404, code: 'PathNotFoundError' },
    });
    const reply = await call({
      method: 'POST',
      url: `${service.url}/workspaces/${service.workspaceId}/query`,
      body: '{}',
    });
    expect(reply.status).toBe(401);
  });
});
