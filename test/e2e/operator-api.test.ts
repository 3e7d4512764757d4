import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate } from './support.ts';

let estate: RunningEstate;
let look: Observer;
const path = '/api/keys/contoso/orders/rotation';

beforeAll(async () => {
  ({ estate, look } = await bootEstate());
  await estate.hsms[0]?.plant({
    name: 'orders',
    kty: 'EC-HSM',
    crv: 'P-384',
    keyOps: ['sign', 'verify'],
    created: '-P10D',
    expires: 'P355D',
    tags: { owner: 'orders@contoso.example', class: 'unheard-of' },
    rotationPolicy: { expiryTime: 'P1Y' },
  });
});
afterAll(() => estate?.stop());

describe('the operator API', () => {
  test('answers 401 without a token and says how to get in', async () => {
    const reply = await estate.call({ method: 'GET', url: new URL('/api/health', estate.ready.host) });
    expect(reply.status).toBe(401);
    expect(reply.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(reply.body.toString('utf8'))).toMatchObject({
      code: 'Unauthenticated',
      nextStep: expect.any(String),
    });
  });

  test.each([
    ['viewer', 'POST', path, 403],
    ['approver', 'POST', path, 403],
    ['operator', 'GET', '/api/journal/verification', 403],
    ['auditor', 'GET', '/api/journal/verification', 200],
  ] as const)('lets a %s %s %s with %i', async (as, method, route, status) => {
    expect(
      (await look.api(method, route, { as, body: method === 'POST' ? { reason: 'test' } : undefined })).status,
    ).toBe(status);
  });

  test('names field, rule and example of every fault of a request, and does nothing', async () => {
    const before = look.versions();
    const { status, body } = await look.api('POST', `${path}?dryrun=true`, {
      as: 'operator',
      body: { reason: 'x', overrides: ['everything'], expectedVersion: 'newest' },
    });
    expect(status).toBe(400);
    const { code, errors } = body as { code: string; errors: { field: string; rule: string; example?: string }[] };
    expect(code).toBe('InvalidRequest');
    expect(errors.map(({ field }) => field).sort()).toEqual([
      'body expectedVersion',
      'body overrides.0',
      'body reason',
      'query dryrun',
    ]);
    expect(errors.find(({ field }) => field === 'body expectedVersion')).toMatchObject({
      rule: expect.stringContaining('32 hex digits'),
      example: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(look.grown(before)).toEqual([]);
  });

  test.each([
    ['/api/keys/contosoo/orders/rotation', 404, 'UnknownHsm'],
    ['/api/keys/contoso/no-such-key/rotation', 404, 'KeyNotFound'],
    ['/api/keys/contoso/not_a_name/rotation', 400, 'InvalidRequest'],
  ])('answers %s with %i %s', async (route, status, code) => {
    const reply = await look.api('POST', route, { as: 'operator', body: { reason: 'test' } });
    expect(reply).toMatchObject({ status, body: { code } });
  });

  test('shows the plan of a dry run and changes nothing', async () => {
    const before = look.versions();
    const { status, body } = await look.api('POST', `${path}?dryRun=true`, {
      as: 'operator',
      body: { reason: 'rehearsal' },
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ dryRun: true, decision: { kind: 'rotate', reason: 'OperatorRequest' } });
    await look.settled();
    expect(look.grown(before)).toEqual([]);
  });

  test('refuses a key that has moved on from the version that was expected', async () => {
    const { status, body } = await look.api('POST', path, {
      as: 'operator',
      body: { reason: 'test', expectedVersion: '0'.repeat(32) },
    });
    expect(status).toBe(409);
    expect((body as { detail: string }).detail).toMatch(/current version/);
  });

  test('rotates once for one Idempotency-Key, shows the operation, and refuses that key for another request', async () => {
    const before = look.versions();
    const ask = { as: 'operator', body: { reason: 'suspected exposure' }, idempotencyKey: 'ticket-0815' } as const;
    const replies = await Promise.all([
      look.api('POST', path, ask),
      look.api('POST', path, ask),
      look.api('POST', path, ask),
    ]);
    expect(replies.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(new Set(replies.map(({ headers }) => headers.location)).size).toBe(1);
    const outcome = await look.operation(replies[0]?.headers.location ?? '');
    expect(outcome).toMatchObject({ kind: 'rotated', proof: 'proven', reason: 'OperatorRequest' });
    await look.settled();
    expect((await look.api('POST', path, ask)).status).toBe(202);
    await look.settled();
    expect(look.grown(before)).toEqual([{ key: 'contoso/orders', by: 1 }]);
    const other = await look.api('POST', path, { ...ask, body: { reason: 'something else' } });
    expect(other).toMatchObject({ status: 409 });
  });

  test('shows a key with its rule, where each field came from, its version budget and its rotations', async () => {
    const { status, body } = await look.api('GET', '/api/keys/contoso/orders', { as: 'viewer' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      facts: { name: 'orders', keyType: 'EC-HSM' },
      rule: expect.arrayContaining([expect.objectContaining({ field: 'rotation.before', from: expect.any(String) })]),
      notes: [expect.stringContaining('unheard-of')],
      versionBudget: { used: 2, remaining: 98, level: 'ok' },
      rotations: [expect.objectContaining({ by: 'us', proof: 'proven' })],
    });
  });

  test('shows the policy in force with its schema, and that the app is healthy', async () => {
    expect(await look.api('GET', '/api/policy?hsm=contoso', { as: 'viewer' })).toMatchObject({
      status: 200,
      body: {
        policy: { version: 1 },
        rejected: null,
        rule: expect.arrayContaining([{ field: 'response.keyScope', value: 'policy', from: 'policy' }]),
        schema: { type: 'object' },
      },
    });
    expect(await look.api('GET', '/api/health', { as: 'viewer' })).toMatchObject({
      status: 200,
      body: { healthy: true },
    });
  });

  test('describes every route it answers as OpenAPI 3.1', async () => {
    const { body } = await look.api('GET', '/api/openapi.json', { as: 'viewer' });
    const { openapi, paths } = body as {
      openapi: string;
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    expect(openapi).toBe('3.1.0');
    expect(paths['/api/keys/{hsm}/{name}/rotation']?.post?.operationId).toBe('requestRotation');
    const described = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    const served = estate.host?.functions.filter(({ name }) => described.includes(name));
    expect(served?.length).toBe(described.length);
  });

  test('never hands out an address of the durable extension, which would carry its key', async () => {
    const { body } = await look
      .api('GET', '/api/operations/sweep-contoso', { as: 'viewer' })
      .catch(() => ({ body: '' }));
    expect(JSON.stringify(body)).not.toMatch(/code=|runtime\/webhooks/);
  });
});

describe('a bad setting', () => {
  test('stops the start with every fault listed', async () => {
    const start = bootEstate({
      settings: { MHSM_TOPIC_SCHEMA: 'Avro', MHSM_HISTORY_RETENTION_DAYS: 'many', MHSM_SWEEP_SHEDULE: 'x' },
    });
    await expect(start).rejects.toThrow(
      /MHSM_TOPIC_SCHEMA[\s\S]*MHSM_HISTORY_RETENTION_DAYS|MHSM_HISTORY_RETENTION_DAYS[\s\S]*MHSM_TOPIC_SCHEMA/,
    );
    await expect(start).rejects.toThrow(/MHSM_SWEEP_SHEDULE/);
  });
});
