import { describe, expect, test } from 'vitest';
import { type RotationRequest, requestRotation } from '../../../functions/operator/request-rotation.ts';
import { createFakeStarter } from '../../support/starter.ts';
import { aKey, createFakeWorld } from '../../support/world.ts';

const caller = { oid: 'alice', name: 'Alice', roles: ['Operator' as const] };

function aSituation() {
  const facts = aKey({ expiresOn: '2030-12-01T00:00:00.000Z' });
  const world = createFakeWorld({ orders: { versions: [facts], policy: { expiryTime: 'P1Y' } } });
  const starter = createFakeStarter();
  const ask = (more: Partial<RotationRequest> = {}, by = caller) =>
    requestRotation(world, starter, by, {
      hsm: 'contoso',
      name: 'orders',
      reason: 'suspected exposure',
      overrides: [],
      dryRun: false,
      ...more,
    });
  return { facts, world, starter, ask, id: `rotate-contoso-orders-${facts.version}` };
}
const receipts = (stored: Map<string, unknown>) =>
  [...stored.keys()].filter((path) => path.startsWith('state/requests/'));

describe('requestRotation', () => {
  test('starts the rotation of the version that is current, on record as who asked and why', async () => {
    const { ask, starter, id } = aSituation();
    expect(await ask({ overrides: ['window'] })).toMatchObject({
      status: 202,
      headers: { location: `/api/operations/${id}` },
      body: { id, joined: false },
    });
    expect(starter.started).toMatchObject([
      {
        name: 'rotateKey',
        id,
        input: {
          cause: { kind: 'Operator', by: 'alice', note: 'suspected exposure', overrides: ['window', 'notDue'] },
        },
      },
    ]);
  });

  test('joins a rotation that is under way, and says so', async () => {
    const { ask, starter, id } = aSituation();
    starter.instances.set(id, 'running');
    expect(await ask()).toMatchObject({ status: 202, body: { joined: true } });
    expect(starter.started).toEqual([]);
  });

  test('shows the plan of a dry run, and starts, writes and records nothing', async () => {
    const { ask, starter, world } = aSituation();
    expect(await ask({ dryRun: true, idempotencyKey: 'ticket-1' })).toMatchObject({
      status: 200,
      body: { dryRun: true, decision: { kind: 'rotate', reason: 'OperatorRequest' } },
    });
    expect([starter.started, world.journalled, receipts(world.stored)]).toEqual([[], [], []]);
  });

  test('starts nothing for a dry run whose Idempotency-Key stands for a request that was not started yet', async () => {
    const { ask, starter } = aSituation();
    starter.crashes = 1;
    await expect(ask({ idempotencyKey: 'ticket-1' })).rejects.toThrow('killed');
    expect(await ask({ idempotencyKey: 'ticket-1', dryRun: true })).toMatchObject({ status: 200 });
    expect(starter.started).toEqual([]);
  });

  test('refuses when the key has moved on from the version that was expected', async () => {
    const { ask, starter } = aSituation();
    await expect(ask({ expectedVersion: '0'.repeat(32) })).rejects.toMatchObject({ problem: { status: 409 } });
    expect(starter.started).toEqual([]);
  });
});

describe('an Idempotency-Key', () => {
  const again = { idempotencyKey: 'ticket-0815' };

  test('starts once and answers the same, also after the key has got its new version', async () => {
    const { ask, starter, world, id } = aSituation();
    const first = await ask(again);
    starter.instances.set(id, { kind: 'rotated' });
    await world.keys.rotate.rotate({ hsm: 'contoso', name: 'orders' });
    expect((await ask(again)).headers).toEqual(first.headers);
    expect(starter.started).toHaveLength(1);
  });

  test('starts nothing again after the rotation was refused: that was the answer', async () => {
    const { ask, starter, id } = aSituation();
    await ask(again);
    starter.instances.set(id, { kind: 'refused' });
    await ask(again);
    expect(starter.started).toHaveLength(1);
  });

  test('starts what a crash between receipt and start left undone, even where a sweep had been refused before', async () => {
    const { ask, starter, id } = aSituation();
    starter.instances.set(id, { kind: 'refused' });
    starter.crashes = 1;
    await expect(ask(again)).rejects.toThrow('killed');
    expect(starter.started).toEqual([]);
    await ask(again);
    expect(starter.started).toHaveLength(1);
  });

  test('sent three times at once is one request', async () => {
    const { ask, starter } = aSituation();
    const replies = await Promise.all([ask(again), ask(again), ask(again)]);
    expect(new Set(replies.map(({ headers }) => headers?.location)).size).toBe(1);
    expect(starter.started).toHaveLength(1);
  });

  test.each([
    ['reason', { reason: 'something else' }],
    ['key', { name: 'payments' }],
    ['overrides', { overrides: ['hold' as const] }],
    ['expected version', { expectedVersion: 'a'.repeat(32) }],
  ])('of another request, by its %s, is refused', async (_, other) => {
    const { ask, starter } = aSituation();
    await ask(again);
    await expect(ask({ ...again, ...other })).rejects.toMatchObject({
      problem: { status: 409, errors: [{ field: 'header Idempotency-Key' }] },
    });
    expect(starter.started).toHaveLength(1);
  });

  test('is the own one of each caller', async () => {
    const { ask, world } = aSituation();
    await ask(again);
    await ask({ ...again, reason: 'another reason' }, { ...caller, oid: 'bob' });
    expect(receipts(world.stored)).toHaveLength(2);
  });
});
