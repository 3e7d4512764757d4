import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { LOGS_AUDIENCE, type LogQueries, startLogQueries } from '../../../../infra/local/log-store/server.ts';
import { createLogStore, type LogStore } from '../../../../infra/local/log-store/store.ts';
import { createAuditLog } from '../../../../shared/adapters/azure/audit-log.ts';
import type { VersionQuestion } from '../../../../shared/ports/audit-log.ts';
import { type Ground, startGround } from './estate.ts';

const DAY = 86_400_000;
const RESOURCE = '/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/managedHSMs/contoso';
const VERSION = '0123456789abcdef0123456789abcdef';

let ground: Ground;
let store: LogStore;
let service: LogQueries;
let now: number;

beforeAll(async () => {
  ground = await startGround();
  store = createLogStore({ clock: ground.estate.clock, ingestionDelayMs: 0 });
  service = await startLogQueries({ estate: ground.estate, store });
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

const daysAgo = (days: number) => new Date(now - days * DAY).toISOString();

/** A call of a key, which arrived as it was made. */
function used(key: string, days: number, more: { version?: string; status?: number; oid?: string } = {}) {
  const { version = VERSION, status = 200, oid = 'app' } = more;
  store.inject(
    'AZKVAuditLogs',
    {
      ...{ TimeGenerated: daysAgo(days), _ResourceId: RESOURCE.toLowerCase(), HttpStatusCode: status },
      ...{ OperationName: 'KeyWrap', Identity: { claim: { oid } } },
      RequestUri: `https://contoso.managedhsm.azure.net/keys/${key}/${version}/wrapkey?api-version=7.5`,
    },
    { ingestedAt: new Date(now - days * DAY) },
  );
}

/** The answer, and how many questions it took. */
async function ask(keys: VersionQuestion['keys'], more: { refused?: string; mostGroups?: number } = {}) {
  const { mostGroups = 5_000, ...question } = more;
  const log = createAuditLog({
    hsms: [{ name: 'contoso', resourceId: RESOURCE }],
    tables: ['AZKVAuditLogs', 'AzureDiagnostics'],
    ...{ workspace: service.workspaceId, endpoint: service.url, audience: LOGS_AUDIENCE, mostGroups },
    identity: ground.identity('observe'),
  });
  const met = vi.spyOn(ground.faults, 'meet');
  try {
    const answer = await log.versionUse({ hsm: 'contoso', keys, upTo: daysAgo(0), ...question });
    return { answer, questions: met.mock.calls.filter(([where]) => where === 'logs').length };
  } finally {
    met.mockRestore();
  }
}

test('the use of two hundred keys is one question', async () => {
  const keys = Array.from({ length: 200 }, (_, number) => ({ name: `key-${number}`, since: daysAgo(30) }));
  for (const { name } of keys) for (const oid of ['one', 'two']) used(name, 3, { oid });
  const { answer, questions } = await ask(keys);
  expect(questions).toBe(1);
  expect(answer.size).toBe(200);
  for (const { name } of keys)
    expect(
      answer
        .get(name)
        ?.map(({ caller, version }) => [caller.oid, version])
        .sort(),
    ).toEqual([
      ['one', VERSION],
      ['two', VERSION],
    ]);
});

test('nothing asked is no question', async () => {
  expect(await ask([])).toEqual({ answer: new Map(), questions: 0 });
});

test('each key counts from an instant of its own, and no other key counts', async () => {
  for (const key of ['orders', 'invoices', 'others']) for (const days of [20, 10, 1]) used(key, days);
  const { answer } = await ask([
    { name: 'Orders', since: daysAgo(30) },
    { name: 'invoices', since: daysAgo(5) },
    { name: 'unused', since: daysAgo(30) },
  ]);
  expect([...answer].map(([name, uses]) => [name, uses.map(({ count }) => count)])).toEqual([
    ['Orders', [3]],
    ['invoices', [1]],
    ['unused', []],
  ]);
});

test('use of yesterday is seen however long ago the newest version was made', async () => {
  used('orders', 1);
  const { answer } = await ask([{ name: 'orders', since: daysAgo(3 * 366) }]);
  expect(answer.get('orders')).toMatchObject([{ version: VERSION, last: daysAgo(1) }]);
});

test('what is too much for one answer is asked by halves, and a key that is too much by itself is not known', async () => {
  const keys = ['a', 'b', 'loud', 'd'].map((name) => ({ name, since: daysAgo(30) }));
  for (const name of ['a', 'b', 'd']) used(name, 2);
  for (let caller = 0; caller < 6; caller++) used('loud', 1, { oid: `caller-${caller}` });
  const { answer, questions } = await ask(keys, { mostGroups: 5 });
  expect([...answer.keys()]).toEqual(['a', 'b', 'd']);
  expect(answer.get('loud')).toBeUndefined();
  expect(questions).toBe(5);
});

test('refused calls count for the version that is asked about, and fill no answer with others', async () => {
  for (let number = 0; number < 20; number++)
    used('orders', 1, { version: number.toString(16).padStart(32, 'f'), status: 404 });
  used('orders', 2, { status: 403 });
  used('orders', 3, { version: 'e'.repeat(32) });
  const keys = [{ name: 'orders', since: daysAgo(30) }];
  const outcomes = async (refused?: string) =>
    (await ask(keys, { mostGroups: 5, ...(refused === undefined ? {} : { refused }) })).answer
      .get('orders')
      ?.map(({ version, outcome }) => [version, outcome]);
  expect(await outcomes()).toEqual([['e'.repeat(32), 'ok']]);
  expect(await outcomes(VERSION.toUpperCase())).toEqual([
    [VERSION, 'denied'],
    ['e'.repeat(32), 'ok'],
  ]);
});

test('a part of an answer is none', async () => {
  used('orders', 1);
  ground.faults.add({ service: 'logs', operation: 'Query', effect: 'partial' });
  await expect(ask([{ name: 'orders', since: daysAgo(30) }])).rejects.toMatchObject({ code: 'ERR_TRANSIENT' });
});
