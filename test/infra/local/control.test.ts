import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningEstate, startEstate } from '../../../infra/local/estate-run.ts';
import { TYPICAL_INGESTION_DELAY_MS } from '../../../infra/local/log-store/store.ts';

let estate: RunningEstate;
beforeAll(async () => {
  estate = await startEstate({ seed: 'demo', host: false });
});
afterAll(() => estate?.stop());
beforeEach(() => estate.estate.faults.clear());

const control = async (method: string, path: string, body?: unknown) => {
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  const reply = await estate.call({ method, url: `${estate.ready.control}${path}`, body: text });
  const type = String(reply.headers['content-type'] ?? '');
  const answer = type.includes('json') ? JSON.parse(reply.body.toString()) : reply.body.toString();
  return { status: reply.status, type, body: answer };
};

describe('The control surface', () => {
  test('shows every route on its index page', async () => {
    const { type, body } = await control('GET', '/');
    expect(type).toContain('text/html');
    for (const route of ['/clock', '/faults', '/host/kill', '/hsms/{name}/traffic', '/logs/rows', '/reset']) {
      expect(body).toContain(route);
    }
  });

  test('moves the clock by a duration, by milliseconds and to an instant', async () => {
    const before = estate.estate.clock.offsetMs;
    expect((await control('POST', '/clock', { advance: 'PT1H' })).body.offsetMs).toBe(before + 3_600_000);
    expect((await control('POST', '/clock', { advance: -3_600_000 })).body.offsetMs).toBe(before);
    const soon = new Date(estate.estate.clock.now().getTime() + 3_600_000).toISOString();
    const { body } = await control('POST', '/clock', { set: soon });
    expect(body.now.slice(0, 16)).toBe(soon.slice(0, 16));
    estate.estate.clock.advance(before - estate.estate.clock.offsetMs);
  });

  test('says which field breaks which rule', async () => {
    for (const [path, body, field] of [
      ['/clock', { advance: 'tomorrow' }, 'advance'],
      ['/clock', { set: 'noon' }, 'set'],
      ['/clock', {}, 'body'],
      ['/faults', { service: 'moon', operation: 'X', status: 500 }, 'service'],
      ['/faults', { service: 'hsm', operation: 'X' }, 'status'],
      ['/faults', { service: 'hsm', operation: 'X', status: 200 }, 'status'],
      ['/faults', { service: 'hsm', operation: 'X', status: 500, often: true }, 'often'],
      ['/faults', { service: 'mail', operation: 'Data', effect: 'corruptVersion' }, 'effect'],
      ['/hsms/contoso/keys', { name: 'no good', kty: 'RSA-HSM' }, 'name'],
      ['/hsms/contoso/keys', { name: 'x', kty: 'RSA-HSM', expires: 'soon' }, 'expires'],
      ['/hsms/contoso/busy', { kind: 'coffee' }, 'kind'],
      ['/hsms/contoso/traffic', { key: 'sql-tde-core', operation: 'guess' }, 'operation'],
      ['/logs/rows', { table: 'AZKVAuditLogs', rows: [] }, 'rows'],
      ['/topic', { duplicates: -1 }, 'duplicates'],
      ['/topic', { publish: { schema: 'CloudEventSchemaV1_0', events: [{}] } }, 'publish.events'],
      ['/tokens', { person: 'nobody' }, 'person'],
      ['/tokens', { application: 'nobody' }, 'application'],
    ] as const) {
      const { status, type, body: problem } = await control('POST', path, body);
      expect({ path, status, type }).toEqual({ path, status: 400, type: 'application/problem+json' });
      expect(problem).toMatchObject({ code: 'ERR_INPUT', status: 400 });
      expect(problem.faults.map((fault: { field: string }) => fault.field)).toContain(field);
    }
  });

  test('answers 400 to what is not JSON, 404 to what is not there and 405 to another method', async () => {
    expect(await control('POST', '/clock', '{')).toMatchObject({ status: 400, body: { code: 'ERR_INPUT' } });
    expect(await control('GET', '/nothing')).toMatchObject({ status: 404, body: { code: 'ERR_NOT_FOUND' } });
    expect(await control('GET', '/hsms/initech/state')).toMatchObject({ status: 404 });
    expect(await control('POST', '/mail')).toMatchObject({ status: 405, body: { code: 'ERR_METHOD' } });
  });

  test('says that there is no host when the estate runs without one', async () => {
    expect(await control('POST', '/host/kill')).toMatchObject({ status: 409, body: { code: 'ERR_NO_HOST' } });
  });

  test('sets, lists and removes faults', async () => {
    const { body: added } = await control('POST', '/faults', { service: 'hsm', operation: 'KeyGet', status: 503 });
    expect((await control('GET', '/faults')).body.value).toEqual([added]);
    expect((await control('DELETE', `/faults/${added.id}`)).status).toBe(204);
    expect((await control('DELETE', `/faults/${added.id}`)).status).toBe(404);
    await control('POST', '/faults', { service: 'hsm', operation: 'KeyGet', status: 503 });
    expect((await control('DELETE', '/faults')).status).toBe(204);
    expect((await control('GET', '/faults')).body.value).toEqual([]);
  });

  test('injects audit rows, which can be queried after the ingestion delay', async () => {
    const row = { TimeGenerated: '2030-01-01T00:00:00Z', OperationName: 'SecurityDomainBackup' };
    await control('POST', '/logs/rows', { table: 'AZKVAuditLogs', rows: [row] });
    const query = '/logs/rows?from=2030-01-01T00:00:00Z&to=2030-01-02T00:00:00Z';
    expect((await control('GET', query)).body.value).toEqual([]);
    estate.estate.clock.advance(TYPICAL_INGESTION_DELAY_MS);
    expect((await control('GET', query)).body.value).toMatchObject([{ kind: 'injected', row }]);
    expect((await control('GET', '/logs/rows?from=yesterday')).status).toBe(400);
  });

  test('gives a person’s token other roles on demand', async () => {
    const { body } = await control('POST', '/tokens', { person: 'viewer', roles: ['Operator'], lifetimeSeconds: 60 });
    const [, payload] = body.token.split('.');
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({ roles: ['Operator'] });
  });

  test('publishes a forged event and shows what became of it', async () => {
    const forged = {
      specversion: '1.0',
      id: 'f-1',
      type: 'ManagedHsmLifecycle.KeyNearExpiry',
      source: '/nobody',
      subject: 'keys/x',
    };
    const { body } = await control('POST', '/topic', { publish: { schema: 'CloudEventSchemaV1_0', events: [forged] } });
    expect(body.published).toEqual(['f-1']);
    const { body: events } = await control('GET', '/events?subject=keys/x');
    expect(events.value).toMatchObject([
      { id: 'f-1', publisher: 'control', deliveries: [{ subscription: 'key-events' }] },
    ]);
  });
});

describe('Consumer traffic', () => {
  test('wraps once and unwraps through the HSM’s own address, each call an audit row of the consumer', async () => {
    const { body } = await control('POST', '/hsms/contoso/traffic', {
      key: 'pacs-images',
      operation: 'unwrap',
      count: 3,
    });
    expect(body).toEqual({ calls: 5, succeeded: 5, failures: [] });
    estate.estate.clock.advance(TYPICAL_INGESTION_DELAY_MS);
    const rows = estate.logs.rows().flatMap((one) => (one.kind === 'audit' ? [one.row] : []));
    const names = rows
      .filter(({ clientInfo }) => clientInfo === 'estate-traffic/consumer')
      .map((one) => one.operationName);
    expect(names).toEqual(['KeyGet', 'KeyWrap', 'KeyUnwrap', 'KeyUnwrap', 'KeyUnwrap']);
    const wrap = await control('POST', '/hsms/contoso/traffic', { key: 'sql-tde-core', operation: 'wrap', count: 2 });
    expect(wrap.body.failures).toEqual([]);
  });

  test('tells what the HSM refused', async () => {
    const { body } = await control('POST', '/hsms/contoso/traffic', { key: 'trading-cold-store', operation: 'wrap' });
    expect(body.failures).toMatchObject([{ status: 403 }]);
    const stranger = { key: 'sql-tde-core', operation: 'get', identity: 'restore' };
    expect((await control('POST', '/hsms/contoso/traffic', stranger)).body.failures).toMatchObject([{ status: 403 }]);
  });
});

describe('A key put in through the control surface', () => {
  test('has the past that it was given', async () => {
    const key = {
      name: 'late-comer',
      kty: 'EC-HSM',
      crv: 'P-384',
      created: '-P300D',
      expires: 'P5D',
      versions: 3,
      tags: { owner: 'x@y.z' },
    };
    expect((await control('POST', '/hsms/contoso/keys', key)).body).toEqual({ name: 'late-comer' });
    const { body } = await control('GET', '/hsms/contoso/state');
    const state = body.keys.find((one: { name: string }) => one.name === 'late-comer');
    expect(state.versions).toHaveLength(3);
    const { exp, created } = state.versions.at(-1).attributes;
    expect(Math.round((exp - created) / 86_400)).toBe(305);
    expect(await control('POST', '/hsms/contoso/keys', key)).toMatchObject({ status: 409, body: { code: 'ERR_HSM' } });
  });
});

describe('The demo', () => {
  const day = 86_400;
  const keys = () => {
    const now = estate.estate.clock.now().getTime() / 1000;
    return (estate.hsms[0]?.keys().keys ?? []).map((key) => {
      const newest = key.versions.at(-1);
      const exp = newest?.attributes.exp as number | undefined;
      return { ...key, newest, daysLeft: exp === undefined ? undefined : (exp - now) / day };
    });
  };

  test('has some forty keys of every type, a third of them near expiry', () => {
    const all = keys();
    expect(all.length).toBeGreaterThanOrEqual(40);
    expect(new Set(all.map(({ newest }) => newest?.crv ?? newest?.kty))).toEqual(
      new Set(['RSA-HSM', 'oct-HSM', 'P-256', 'P-384', 'P-521', 'P-256K']),
    );
    const near = all.filter(({ daysLeft }) => daysLeft !== undefined && daysLeft > 0 && daysLeft <= 30);
    expect(near.length / all.length).toBeGreaterThan(0.3);
    expect(near.length / all.length).toBeLessThan(0.65);
  });

  test('has the states that owners leave keys in', () => {
    const all = keys();
    const some = (what: (key: (typeof all)[number]) => boolean) => all.some(what);
    expect(some(({ daysLeft }) => daysLeft !== undefined && daysLeft < 0)).toBe(true);
    expect(some(({ newest }) => newest?.attributes.enabled === false)).toBe(true);
    expect(some(({ newest }) => newest?.tags.hold !== undefined)).toBe(true);
    expect(some(({ newest }) => newest?.tags.owner === undefined)).toBe(true);
    expect(some(({ newest }) => newest?.imported === true)).toBe(true);
    expect(some(({ versions }) => versions.length === 97)).toBe(true);
    expect(some(({ rotationPolicy }) => rotationPolicy === undefined)).toBe(true);
    expect(some(({ daysLeft }) => daysLeft === undefined)).toBe(true);
  });

  test('starts with nothing done: the HSM rotates none of them at once by itself', () => {
    const rotated = estate.logs
      .rows()
      .filter((row) => row.kind === 'audit' && row.row.operationName === 'KeyRotateIfDue');
    expect(rotated).toEqual([]);
  });

  test('gives each duty its custom role and nothing wider', () => {
    const { roleAssignments = [], roleDefinitions = [] } = estate.hsms[0]?.keys() ?? {};
    const custom = roleDefinitions.filter(({ properties }) => properties.type === 'CustomRole');
    expect(custom.map(({ properties }) => properties.roleName)).toContain('Key lifecycle: rotate');
    expect(roleAssignments.length).toBeGreaterThanOrEqual(9);
  });
});
