import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuditRow } from '../../../../infra/local/estate.ts';
import { IDENTITIES } from '../../../../infra/local/identity/registrations.ts';
import { LOGS_AUDIENCE, type LogQueries, startLogQueries } from '../../../../infra/local/log-store/server.ts';
import { createLogStore, type LogStore } from '../../../../infra/local/log-store/store.ts';
import { createAuditLog } from '../../../../shared/adapters/azure/audit-log.ts';
import { keyGivenToServer } from '../../../../shared/detection/made-keys.ts';
import type { AuditLog } from '../../../../shared/ports/audit-log.ts';
import { type Ground, startGround } from './estate.ts';

const MINUTE = 60_000;
const RESOURCE = '/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/managedHSMs/Contoso';
const ALICE = '11111111-1111-4111-8111-111111111111';
const VERSION = '0123456789abcdef0123456789abcdef';

let ground: Ground;
let store: LogStore;
let service: LogQueries;
let log: AuditLog;
let now: number;

const create = (more: Partial<Parameters<typeof createAuditLog>[0]> = {}) =>
  createAuditLog({
    hsms: [{ name: 'contoso', resourceId: RESOURCE }],
    tables: ['AZKVAuditLogs', 'AzureDiagnostics'],
    workspace: service.workspaceId,
    endpoint: service.url,
    audience: LOGS_AUDIENCE,
    identity: ground.identity('observe'),
    ...more,
  });

beforeAll(async () => {
  ground = await startGround();
  store = createLogStore({ clock: ground.estate.clock, ingestionDelayMs: 0 });
  service = await startLogQueries({ estate: ground.estate, store });
  log = create();
});
beforeEach(() => {
  store.reset();
  ground.faults.clear();
  now = ground.estate.clock.now().getTime();
});
afterAll(async () => {
  await service.stop();
  await ground.stop();
});

let correlations = 0;
const call = (more: Partial<AuditRow> = {}): AuditRow => ({
  time: new Date(now - 5 * MINUTE).toISOString(),
  hsm: 'Contoso',
  resourceId: RESOURCE,
  operationName: 'KeyUpdate',
  httpStatusCode: 200,
  resultType: 'Success',
  callerIpAddress: '10.0.0.4',
  clientInfo: 'azsdk-js-keyvault-keys/4.10 core-rest',
  requestUri: `https://contoso.managedhsm.azure.net/keys/Orders/${VERSION}?api-version=7.5`,
  correlationId: `c-${correlations++}`,
  durationMs: 3,
  identity: { oid: ALICE, appid: 'a'.repeat(8), upn: 'Alice@contoso.example' },
  ...more,
});
const uri = (path: string) => ({ requestUri: `https://contoso.managedhsm.azure.net${path}?api-version=7.5` });
const crypto = (verb: string, more: Partial<AuditRow> = {}) =>
  call({ operationName: 'KeyWrap', ...uri(`/keys/orders/${VERSION}/${verb}`), ...more });

const aroundNow = () => ({
  hsm: 'contoso',
  after: new Date(now - 20 * MINUTE).toISOString(),
  upTo: new Date(now + 20 * MINUTE).toISOString(),
});

const shapes = [
  { tables: 'AZKVAuditLogs', identity: 'object', claims: 'long' },
  { tables: 'AZKVAuditLogs', identity: 'text', claims: 'short' },
  { tables: 'AzureDiagnostics', claims: 'long' },
  { tables: 'AzureDiagnostics', claims: 'short' },
  { tables: 'both', claims: 'long' },
] as const;

describe.each(shapes)('rows as %o', (shape) => {
  beforeEach(() => void store.settings(shape));

  test('give the same sensitive calls', async () => {
    store.add(call());
    store.add(
      call({ operationName: 'SecurityDomainBackup', httpStatusCode: 202, ...uri('//securitydomain/download') }),
    );
    store.add(crypto('wrapkey'));
    const { calls, more } = await log.sensitiveCalls(aroundNow());
    expect(more).toBe(0);
    expect(calls).toMatchObject([
      { class: 'sd.download', path: '/securitydomain/download', status: 202, outcome: 'ok', count: 1 },
      {
        hsm: 'contoso',
        class: 'key.update',
        key: 'orders',
        version: VERSION,
        caller: { oid: ALICE, app: 'a'.repeat(8), upn: 'alice@contoso.example' },
        address: '10.0.0.4',
        count: 1,
        first: call().time,
        last: call().time,
      },
    ]);
    expect(calls[1]).not.toHaveProperty('subnet');
    expect(calls[1]?.correlationIds).toHaveLength(1);
  });

  test('give the same use of keys, counted, with or without a version in the address', async () => {
    for (let count = 0; count < 30; count++) store.add(crypto('wrapkey'));
    store.add(call({ operationName: 'KeyUnwrap', ...uri('/keys/orders//unwrapkey') }));
    store.add(call({ operationName: 'KeyUnwrap', ...uri('/keys/orders/unwrapkey') }));
    const { calls } = await log.keyUse(aroundNow());
    expect(calls).toMatchObject([
      { class: 'crypto.protect', key: 'orders', version: VERSION, verb: 'wrapkey', count: 30 },
      { class: 'crypto.unprotect', key: 'orders', verb: 'unwrapkey', count: 2 },
    ]);
  });

  test('give the same refusals, and keep the first call of a client apart', async () => {
    store.add(crypto('unwrapkey', { httpStatusCode: 403, resultType: 'Failure' }));
    store.add(call({ operationName: 'KeyGet', httpStatusCode: 404, resultType: 'Failure', ...uri('/keys/nothing') }));
    store.add(call({ operationName: 'Authentication', httpStatusCode: 401, resultType: 'Failure', identity: {} }));
    const { calls } = await log.refusedCalls(aroundNow());
    expect(calls).toMatchObject([
      { class: 'crypto.unprotect', outcome: 'denied', status: 403 },
      { class: 'read.key', outcome: 'missing', status: 404, key: 'nothing' },
      { class: 'authentication', outcome: 'challenged', status: 401, path: '' },
    ]);
  });

  test('name nobody by a token that the HSM did not accept: anybody can write any name into one', async () => {
    const forged = crypto('unwrapkey', { httpStatusCode: 401, resultType: 'Failure' });
    store.add(forged);
    store.add(crypto('wrapkey', { httpStatusCode: 403, resultType: 'Failure' }));
    const { calls } = await log.refusedCalls(aroundNow());
    expect(calls).toMatchObject([
      { status: 403, outcome: 'denied', caller: { oid: ALICE } },
      { status: 401, outcome: 'denied', key: 'orders', claimed: { oid: ALICE } },
    ]);
    expect(calls[1]?.caller).toEqual({ oid: '' });
    const keys = [{ name: 'orders', since: new Date(now - 10 * MINUTE).toISOString() }];
    const asked = { hsm: 'contoso', keys, upTo: new Date(now).toISOString(), refused: VERSION };
    const use = (await log.versionUse(asked)).get('orders') ?? [];
    expect(use.map(({ outcome }) => outcome).sort()).toEqual(['challenged', 'denied']);
  });

  test('give the same volumes, arrivals and use of versions', async () => {
    const hour = Math.floor(now / 3_600_000) * 3_600_000;
    const at = (minutes: number) => new Date(hour + minutes * MINUTE).toISOString();
    for (const minute of [-90, -70, -50]) store.add(crypto('wrapkey', { time: at(minute) }));
    store.add(call({ operationName: 'KeyGet', httpStatusCode: 404, time: at(-50), ...uri('/keys/canary') }));
    expect(await log.hourVolumes('contoso', at(-120), at(0))).toMatchObject([
      { key: 'orders', caller: { oid: ALICE }, class: 'crypto.protect', verb: 'wrapkey', hour: at(-120), count: 2 },
      { hour: at(-60), count: 1 },
    ]);
    const doubled = shape.tables === 'both' ? 2 : 1;
    expect(await log.arrivals('contoso', at(-60), at(0), { oid: ALICE, path: '/keys/canary' })).toMatchObject([
      { quarter: at(-60), rows: 2 * doubled, canary: doubled, lastEvent: at(-50) },
    ]);
    const keys = [
      { name: 'Orders', since: at(-80) },
      { name: 'invoices', since: at(-80) },
    ];
    expect(await log.versionUse({ hsm: 'contoso', keys, upTo: at(0) })).toEqual(
      new Map([
        [
          'Orders',
          [
            expect.objectContaining({
              ...{ version: VERSION, class: 'crypto.protect', outcome: 'ok' },
              ...{ count: 2, first: at(-70), last: at(-50) },
            }),
          ],
        ],
        ['invoices', []],
      ]),
    );
  });
});

describe('what is asked', () => {
  test('is of one HSM, and of a span of arrival: exclusive, then inclusive', async () => {
    const arrived = new Date(now - 4 * MINUTE);
    store.inject(
      'AZKVAuditLogs',
      { _ResourceId: RESOURCE.toLowerCase(), HttpStatusCode: 200 },
      { ingestedAt: arrived },
    );
    store.add(call({ resourceId: RESOURCE.replace('Contoso', 'fabrikam') }));
    const found = async (after: number, upTo: number) => {
      const window = { hsm: 'contoso', after: new Date(after).toISOString(), upTo: new Date(upTo).toISOString() };
      return (await log.sensitiveCalls(window)).calls.length;
    };
    const at = arrived.getTime();
    expect(await found(at - 1, at)).toBe(1);
    expect(await found(at, at + 1)).toBe(0);
    expect(await found(at - 2, at - 1)).toBe(0);
  });

  test('knows a copy of a row for one, in the same window and in the next', async () => {
    const row = {
      _ResourceId: RESOURCE.toLowerCase(),
      HttpStatusCode: 200,
      CorrelationId: 'c',
      TimeGenerated: call().time,
    };
    store.inject('AZKVAuditLogs', row, { ingestedAt: new Date(now - 30 * MINUTE) });
    store.inject('AZKVAuditLogs', row, { ingestedAt: new Date(now - 4 * MINUTE) });
    const window = {
      hsm: 'contoso',
      after: new Date(now - 40 * MINUTE).toISOString(),
      upTo: new Date(now).toISOString(),
    };
    expect((await log.sensitiveCalls(window)).calls).toMatchObject([{ count: 1 }]);
    const next = { ...window, after: new Date(now - 20 * MINUTE).toISOString() };
    expect((await log.sensitiveCalls(next)).calls).toEqual([]);
  });

  test('is capped, what concerns the HSM first, and the rest is counted', async () => {
    for (let number = 0; number < 20; number++)
      store.add(call({ operationName: 'KeyCreate', ...uri(`/keys/k${number}/create`) }));
    store.add(call({ operationName: 'BackupCreate', httpStatusCode: 202, ...uri('/backup') }));
    const { calls, more } = await create({ mostGroups: 5 }).sensitiveCalls(aroundNow());
    expect([calls.length, more, calls[0]?.class]).toEqual([5, 16, 'backup.start']);
  });

  test('leaves out a table that the workspace does not have', async () => {
    store.settings({ missingTables: ['AzureDiagnostics'] });
    store.add(call());
    expect((await log.sensitiveCalls(aroundNow())).calls).toHaveLength(1);
  });

  test('is about an HSM of this installation', async () => {
    await expect(log.sensitiveCalls({ ...aroundNow(), hsm: 'elsewhere' })).rejects.toMatchObject({ code: 'ERR_INPUT' });
  });
});

test.each(['_s', ''])(
  'columns beyond the five hundredth are read where they lie, with the suffix "%s"',
  async (suffix) => {
    store.settings({ tables: 'AzureDiagnostics' });
    const beyond = {
      [`requestUri${suffix}`]: uri(`/keys/orders/${VERSION}/unwrapkey`).requestUri,
      [`httpStatusCode${suffix && '_d'}`]: 403,
      [`identity_claim_oid${suffix && '_g'}`]: ALICE,
      [`clientInfo${suffix}`]: 'curl/8.5.0',
    };
    store.inject('AzureDiagnostics', {
      TimeGenerated: call().time,
      ...{ ResourceProvider: 'MICROSOFT.KEYVAULT', ResourceType: 'MANAGEDHSMS', _ResourceId: RESOURCE.toLowerCase() },
      ...{ OperationName: 'KeyUnwrap', CorrelationId: 'c-beyond', AdditionalFields: JSON.stringify(beyond) },
    });
    const { calls } = await log.refusedCalls(aroundNow());
    expect(calls).toMatchObject([
      { class: 'crypto.unprotect', key: 'orders', status: 403, caller: { oid: ALICE }, userAgent: 'curl/8.5.0' },
    ]);
  },
);

test('the activity log shows what concerns the HSM, its settings and its locks', async () => {
  const activity = (OperationNameValue: string, _ResourceId: string) =>
    store.addActivity({
      TimeGenerated: call().time,
      ...{ OperationNameValue, _ResourceId, Caller: 'mallory@contoso.example' },
      ...{ ActivityStatusValue: 'Success', CorrelationId: 'c' },
    });
  activity(
    'MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE',
    `${RESOURCE}/providers/microsoft.insights/diagnosticSettings/x`,
  );
  activity('Microsoft.KeyVault/managedHSMs/write', RESOURCE.toUpperCase());
  activity('Microsoft.KeyVault/managedHSMs/write', `${RESOURCE}-other`);
  activity('Microsoft.Storage/storageAccounts/write', RESOURCE);
  const sql = '/subscriptions/other/resourceGroups/data/providers/Microsoft.Sql/servers/core';
  activity('MICROSOFT.SQL/SERVERS/KEYS/WRITE', `${sql}/keys/Contoso_ransom_0123456789abcdef0123456789abcdef`);
  activity('Microsoft.Sql/servers/keys/write', `${sql}/keys/contoso-other_ransom_0123456789abcdef0123456789abcdef`);
  activity('Microsoft.Sql/servers/encryptionProtector/write', `${sql}/encryptionProtector/current`);
  const acts = await log.controlPlane(aroundNow());
  expect(acts.map(({ operation }) => operation.toLowerCase()).sort()).toEqual([
    'microsoft.insights/diagnosticsettings/delete',
    'microsoft.keyvault/managedhsms/write',
    'microsoft.sql/servers/keys/write',
  ]);
  expect(acts.map(keyGivenToServer).filter((key) => key !== undefined)).toEqual(['ransom']);
  expect(acts[0]).toMatchObject({ hsm: 'contoso', caller: 'mallory@contoso.example', succeeded: true });
  expect(Date.parse(acts[0]?.arrived ?? '')).toBeGreaterThan(0);
});

test('more acts than one answer holds are read by halves', async () => {
  const from = Date.parse(call().time);
  for (let number = 0; number < 12; number++) {
    store.inject(
      'AzureActivity',
      {
        TimeGenerated: call().time,
        ...{ OperationNameValue: 'Microsoft.KeyVault/managedHSMs/write', _ResourceId: RESOURCE },
        ...{ Caller: 'mallory@contoso.example', ActivityStatusValue: 'Success', CorrelationId: `c-${number}` },
      },
      { ingestedAt: new Date(from - number * 600_000) },
    );
  }
  const window = {
    hsm: 'contoso',
    after: new Date(from - 7_200_000).toISOString(),
    upTo: new Date(from + 60_000).toISOString(),
  };
  const acts = await create({ mostGroups: 5 }).controlPlane(window);
  expect(new Set(acts.map(({ correlationId }) => correlationId)).size).toBe(12);
  expect(acts).toHaveLength(12);
});

describe('sign-ins', () => {
  const WHO = '00000000-0000-4000-8000-00000000a666';
  const around = () => ({
    after: new Date(Date.parse(call().time) - 3_600_000).toISOString(),
    upTo: new Date(Date.parse(call().time) + 3_600_000).toISOString(),
  });
  const signIns = (who = WHO) => log.signIns(who, around().after, around().upTo);
  const arrived = () => ({ ingestedAt: new Date(call().time) });

  test('say which tables there are none of, and are no fault', async () => {
    expect(await signIns()).toEqual({ tables: [], signIns: [], more: false });
  });

  test('of one caller are counted, from each table that the workspace has', async () => {
    store.settings({ missingTables: ['AADManagedIdentitySignInLogs'] });
    const row = {
      TimeGenerated: call().time,
      AppId: 'app',
      IPAddress: '203.0.113.7',
      ResourceDisplayName: 'Azure Key Vault',
    };
    for (let number = 0; number < 3; number++) {
      store.inject('SigninLogs', { ...row, UserId: WHO.toUpperCase(), ResultType: '0', UserAgent: 'az/2' }, arrived());
    }
    store.inject('SigninLogs', { ...row, UserId: 'somebody-else', ResultType: '0' }, arrived());
    store.inject(
      'AADServicePrincipalSignInLogs',
      { ...row, ServicePrincipalId: WHO, ResultType: '7000215', ServicePrincipalCredentialKeyId: 'key-1' },
      arrived(),
    );
    const { tables, signIns: found, more } = await signIns();
    expect(tables.toSorted()).toEqual(['AADServicePrincipalSignInLogs', 'SigninLogs']);
    expect(more).toBe(false);
    expect(found.toSorted((a, b) => b.count - a.count)).toMatchObject([
      { table: 'SigninLogs', count: 3, result: '0', address: '203.0.113.7', userAgent: 'az/2', app: 'app' },
      { table: 'AADServicePrincipalSignInLogs', count: 1, result: '7000215', credential: 'key-1' },
    ]);
  });

  test('of what is no object id are refused: a log row chooses who it names', async () => {
    await expect(signIns('x" or true //')).rejects.toMatchObject({ code: 'ERR_INPUT' });
  });
});

describe('hostile rows', () => {
  test('come as one visible line each, cut, and their number is bounded', async () => {
    const evil = `<script>"\u202e\n| take 1 ${'x'.repeat(5_000)}`;
    store.add(
      call({ clientInfo: evil, operationName: evil, callerIpAddress: evil, identity: { oid: evil, upn: evil } }),
    );
    for (let number = 0; number < 50; number++) store.add(crypto('wrapkey', { clientInfo: `agent-${number}/1` }));
    const { calls } = await log.sensitiveCalls(aroundNow());
    expect(calls).toHaveLength(1);
    const texts = [
      calls[0]?.operation,
      calls[0]?.userAgent,
      calls[0]?.address,
      calls[0]?.caller.oid,
      calls[0]?.caller.upn,
    ];
    for (const text of texts) expect(text?.length).toBeLessThanOrEqual(200);
    expect(texts.join('')).not.toMatch(/[\n\u202e]/);
    const used = await create({ mostGroups: 10 }).keyUse(aroundNow());
    expect([used.calls.length, used.more]).toEqual([10, 40]);
  });

  test.each([
    ['an identity that is no JSON', { Identity: '{"claim":' }],
    ['an identity that is a list', { Identity: [1, 2] }],
    ['no address at all', { RequestUri: undefined }],
    ['an address without a host', { RequestUri: '/keys/orders' }],
    ['a status that is missing', { HttpStatusCode: undefined, ResultType: 'Success' }],
  ])('with %s are read all the same', async (_, fields) => {
    const row = { _ResourceId: RESOURCE.toLowerCase(), OperationName: 'KeyCreate', HttpStatusCode: 200, ...fields };
    store.inject('AZKVAuditLogs', row, { delayMs: 0 });
    expect((await log.sensitiveCalls(aroundNow())).calls).toHaveLength(1);
  });
});

describe('a failure', () => {
  const window = { hsm: 'contoso', after: '2026-01-01T00:00:00.000Z', upTo: '2026-01-01T00:10:00.000Z' };

  test.each([
    ['a part of the answer', { effect: 'partial' }, 'ERR_TRANSIENT'],
    ['a time-out', { effect: 'timeout' }, 'ERR_TRANSIENT'],
    ['throttling', { status: 429, code: 'ThrottledError', headers: { 'retry-after': '0' } }, 'ERR_THROTTLED'],
    ['a page of a gateway', { status: 502, message: '<html>' }, 'ERR_TRANSIENT'],
    ['an unknown workspace', { status: 404, code: 'WorkspaceNotFoundError' }, 'ERR_NOT_FOUND'],
  ] as const)(
    '%s is told by its code',
    async (_, fault, code) => {
      ground.faults.add({ service: 'logs', operation: 'Query', ...fault } as Parameters<Ground['faults']['add']>[0]);
      store.add(call());
      await expect(create().sensitiveCalls({ ...window, ...aroundNow() })).rejects.toMatchObject({ code });
    },
    30_000,
  );

  test('to be permitted names identity and role', async () => {
    service.readers.delete(IDENTITIES.observe.objectId);
    const refused = expect(log.keyUse(window)).rejects;
    await refused.toMatchObject({ code: 'ERR_DENIED', nextStep: expect.stringContaining('Log Analytics Reader') });
    service.reset();
  });

  test('to know any table says what to set up', async () => {
    store.settings({ missingTables: ['AzureDiagnostics', 'AZKVAuditLogs'] });
    await expect(log.keyUse(window)).rejects.toMatchObject({
      code: 'ERR_REFUSED_BY_SERVICE',
      nextStep: expect.stringContaining('MHSM_LOGS_TABLES'),
    });
  });
});
