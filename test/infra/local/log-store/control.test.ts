import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningEstate, startEstate } from '../../../../infra/local/estate-run.ts';
import { IDENTITIES, type IdentityName } from '../../../../infra/local/identity/registrations.ts';
import { LOGS_AUDIENCE } from '../../../../infra/local/log-store/server.ts';
import { MANAGEMENT_AUDIENCE } from '../../../../infra/local/management/server.ts';
import { hsmResourceId } from '../../../../infra/local/seed/resource-id.ts';

let estate: RunningEstate;
beforeAll(async () => {
  estate = await startEstate({ seed: 'demo', host: false });
});
afterAll(() => estate?.stop());

const control = async (path: string, body: unknown) => {
  const reply = await estate.call({
    method: 'POST',
    url: `${estate.ready.control}${path}`,
    body: JSON.stringify(body),
  });
  return { status: reply.status, body: reply.body.length > 0 ? JSON.parse(reply.body.toString()) : undefined };
};
const ask = async (query: string, as: IdentityName = 'observe') => {
  const { token } = await estate.tokens.forIdentity(IDENTITIES[as], LOGS_AUDIENCE);
  const reply = await estate.call({
    method: 'POST',
    url: `${estate.ready.logs}/workspaces/${estate.ready.logsWorkspace}/query`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return { status: reply.status, body: JSON.parse(reply.body.toString()) };
};
const rowsOf = async (query: string): Promise<unknown[][]> => {
  const { body } = await ask(query);
  expect(body.error).toBeUndefined();
  return body.tables[0].rows;
};
const arm = async (method: string, path: string) => {
  const { token } = await estate.tokens.forIdentity(IDENTITIES.respond, MANAGEMENT_AUDIENCE);
  const reply = await estate.call({
    method,
    url: `${estate.ready.management}${path}?api-version=2026-02-01`,
    headers: { authorization: `Bearer ${token}` },
  });
  return reply.status;
};
const use = async (count = 1) => {
  const wish = { key: 'sql-tde-core', operation: 'wrap', count };
  expect((await control('/hsms/contoso/traffic', wish)).status).toBe(200);
};
const arrive = () => estate.estate.clock.advance(120_000);
const WRAPS = '| where OperationName == "KeyWrap" and TimeGenerated > ago(3m)';

describe('The log workspace of a running estate', () => {
  test('holds what HSMs wrote, in the table of the setting, with the caller as the setting says', async () => {
    await use(2);
    arrive();
    const { objectId } = IDENTITIES.consumer;
    const dedicated = `AZKVAuditLogs ${WRAPS} | project HttpStatusCode, _ResourceId, RequestUri has "sql-tde-core",
      tostring(Identity.claim.http_schemas_microsoft_com_identity.claims.objectidentifier), ResultSignature`;
    expect(await rowsOf(dedicated)).toEqual([
      [200, hsmResourceId('contoso').toLowerCase(), true, objectId, 'OK'],
      [200, hsmResourceId('contoso').toLowerCase(), true, objectId, 'OK'],
    ]);
    expect(await rowsOf(`AzureDiagnostics | count`)).toEqual([[0]]);

    await control('/logs/settings', { tables: 'both', identity: 'text', claims: 'short' });
    await use();
    arrive();
    expect(
      await rowsOf(
        `AZKVAuditLogs ${WRAPS} | project isnull(Identity.claim), tostring(parse_json(tostring(Identity)).claim.oid)`,
      ),
    ).toEqual([[true, objectId]]);
    expect(
      await rowsOf(
        `AzureDiagnostics ${WRAPS} | project Resource, ResourceType, httpStatusCode_d, tostring(identity_claim_oid_g)`,
      ),
    ).toEqual([['CONTOSO', 'MANAGEDHSMS', 200, objectId]]);

    await control('/logs/settings', { tables: 'AZKVAuditLogs', hsms: { contoso: 'AzureDiagnostics' }, claims: 'long' });
    await use();
    arrive();
    expect(await rowsOf(`AZKVAuditLogs ${WRAPS} | count`)).toEqual([[0]]);
    const long = 'identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g';
    expect(await rowsOf(`AzureDiagnostics ${WRAPS} | project tostring(${long})`)).toEqual([[objectId]]);
    await control('/logs/settings', { tables: 'AZKVAuditLogs', hsms: {}, identity: 'object' });
  });

  test('knows a column of AzureDiagnostics once a row has used it, unless all are wanted', async () => {
    const column = 'AzureDiagnostics | summarize count() by tlsVersion_s';
    expect((await ask(column)).body.error.innererror.innererror.code).toBe('SEM0100');
    expect(
      await rowsOf('AzureDiagnostics | extend t = column_ifexists("tlsVersion_s", "none") | take 1 | project t'),
    ).toEqual([['none']]);
    await control('/logs/rows', { table: 'AzureDiagnostics', rows: [{ tlsVersion_s: 'TLS1_2' }], delay: 0 });
    expect(await rowsOf('AzureDiagnostics | where isnotempty(tlsVersion_s) | project tlsVersion_s')).toEqual([
      ['TLS1_2'],
    ]);
    expect((await ask('AzureDiagnostics | project querytext_s')).status).toBe(400);
    await control('/logs/settings', { allColumns: true });
    expect((await ask('AzureDiagnostics | project querytext_s')).status).toBe(200);
    await control('/logs/settings', { missingTables: ['AzureDiagnostics'] });
    expect((await ask('AzureDiagnostics')).body.error.innererror.innererror).toMatchObject({ code: 'SEM0100' });
    expect((await rowsOf('union isfuzzy=true AzureDiagnostics, AZKVAuditLogs | count')).length).toBe(1);
    await control('/logs/settings', { missingTables: [], allColumns: false });
  });

  test('takes rows of the past with the instant at which they became visible', async () => {
    const row = {
      OperationName: 'KeyPurge',
      TimeGenerated: '2026-01-01T00:00:00.1234567Z',
      _ResourceId: hsmResourceId('contoso'),
    };
    await control('/logs/rows', { table: 'AZKVAuditLogs', rows: [row], ingestedAt: '2026-01-01T00:04:00Z' });
    const query = `AZKVAuditLogs | where OperationName == "KeyPurge"
      | project TimeGenerated, ingestion_time(), _TimeReceived, Type, TenantId`;
    expect(await rowsOf(query)).toEqual([
      [
        '2026-01-01T00:00:00.1234567Z',
        '2026-01-01T00:04:00Z',
        '2026-01-01T00:04:00Z',
        'AZKVAuditLogs',
        estate.ready.logsWorkspace,
      ],
    ]);
  });

  test('loses, holds and doubles rows as it is told', async () => {
    const counted = async () =>
      Number((await rowsOf('AZKVAuditLogs | where OperationName == "KeyGet" | count'))[0]?.[0]);
    const readKey = async () => {
      await control('/hsms/contoso/traffic', { key: 'sql-tde-core', operation: 'get', count: 1 });
      arrive();
      return counted();
    };
    const before = await readKey();
    await control('/logs/ingestion', { outage: 'lose' });
    expect(await readKey()).toBe(before);
    await control('/logs/ingestion', { outage: 'hold' });
    expect(await readKey()).toBe(before);
    expect(estate.logs.pending()).toBe(1);
    await control('/logs/ingestion', { outage: 'none', duplicates: 1, delay: 'PT1S', spread: 'PT10S' });
    arrive();
    expect(await counted()).toBe(before + 1);
    expect(await readKey()).toBe(before + 3);
    await control('/logs/ingestion', { duplicates: 0, delay: 60_000, spread: 0 });
  });

  test('tells in AzureActivity what Resource Manager did and refused', async () => {
    await control('/hsms', { name: 'shortlived' });
    expect(await arm('DELETE', hsmResourceId('shortlived'))).toBe(200);
    expect(await arm('PATCH', hsmResourceId('nowhere'))).toBe(404);
    arrive();
    const query = `AzureActivity
      | where OperationNameValue in~ ("Microsoft.KeyVault/managedHSMs/write", "Microsoft.KeyVault/managedHSMs/delete")
      | project Hsm = tostring(split(_ResourceId, "/")[8]), OperationNameValue, ActivityStatusValue, Caller
      | sort by Hsm desc`;
    expect(await rowsOf(query)).toEqual([
      ['shortlived', 'MICROSOFT.KEYVAULT/MANAGEDHSMS/DELETE', 'Success', IDENTITIES.respond.objectId],
      ['nowhere', 'MICROSOFT.KEYVAULT/MANAGEDHSMS/WRITE', 'Failure', IDENTITIES.respond.objectId],
    ]);
  });

  test('is read by those who hold the role', async () => {
    expect((await ask('AZKVAuditLogs | count', 'respond')).status).toBe(403);
    await control('/logs/roles', { identity: 'respond', role: 'Log Analytics Reader' });
    expect((await ask('AZKVAuditLogs | count', 'respond')).status).toBe(200);
    await control('/logs/roles', { identity: 'respond', role: 'none' });
    expect((await ask('AZKVAuditLogs | count', 'respond')).status).toBe(403);
  });

  test.each([
    ['/logs/rows', { table: 'AZKVAuditLogs', rows: [{ requestUri_s: 'x' }] }, 'rows.0.requestUri_s'],
    ['/logs/rows', { table: 'AZKVAuditLogs', rows: [{ TimeGenerated: 'noon' }] }, 'rows.0.TimeGenerated'],
    ['/logs/rows', { table: 'Heartbeat', rows: [{}] }, 'table'],
    ['/logs/rows', { table: 'AzureActivity', rows: [{}], delay: 'soon' }, 'delay'],
    ['/logs/ingestion', { outage: 'yes' }, 'outage'],
    ['/logs/settings', { tables: 'all' }, 'tables'],
    ['/logs/roles', { identity: 'nobody', role: 'none' }, 'identity'],
  ])('says what is wrong in %s %j', async (path, body, field) => {
    const { status, body: problem } = await control(path, body);
    expect(status).toBe(400);
    expect(problem.faults[0].field).toBe(field);
  });
});
