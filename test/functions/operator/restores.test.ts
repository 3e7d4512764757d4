import type { DurableClient } from 'durable-functions';
import { describe, expect, test } from 'vitest';
import type { OperationName } from '../../../functions/operator/routes.ts';
import { APPROVER, type Got, OPERATOR, type Sent, ask as send } from '../../support/operator.ts';
import { BACKUP, createRestoreWorld, type RestoreWorld } from '../../support/restore-world.ts';
import { aKey } from '../../support/world.ts';

const REQUEST = { hsm: 'contoso', backup: BACKUP, reason: 'damage', confirm: 'contoso' };

/** A durable client that remembers what it was asked; no instance exists before it is started. */
function fakeClient() {
  const started: string[] = [];
  const raised: string[] = [];
  const client = {
    async getStatus(id: string) {
      if (started.some((each) => each.endsWith(id))) return { runtimeStatus: 'Running' };
      throw new Error('HTTP 404 response');
    },
    startNew: async (name: string, { instanceId }: { instanceId: string }) =>
      void started.push(`${name} ${instanceId}`),
    raiseEvent: async (id: string, event: string) => void raised.push(`${event} ${id}`),
  };
  return { client: client as unknown as DurableClient, started, raised };
}

async function scene() {
  const world = await createRestoreWorld();
  const durable = fakeClient();
  const ask = (operation: OperationName, sent: Sent = {}): Promise<Got> =>
    send(world, operation, { client: durable.client, ...sent });
  return { world, ask, ...durable };
}

const paths = (world: RestoreWorld, prefix: string) =>
  [...world.stored.keys()].filter((path) => path.startsWith(prefix));

describe('requestRestore', () => {
  test('a dry run says what would happen, without a typed name and without any effect', async () => {
    const { world, ask, started } = await scene();
    world.fakeKeys.set('planted', { versions: [aKey({ name: 'planted' })] });
    const before = [...world.stored.keys()];
    const { confirm: _, ...body } = REQUEST;
    const { status, body: got } = await ask('requestRestore', { query: { dryRun: 'true' }, body });
    expect(status).toBe(200);
    expect(got).toMatchObject({
      dryRun: true,
      preview: { removed: [{ name: 'planted', versions: 1 }] },
      verdict: { kind: 'awaitApproval' },
    });
    expect([...world.stored.keys()]).toEqual(before);
    expect([started, world.journalled]).toEqual([[], []]);
  });

  test('starts one restore for one Idempotency-Key, and refuses the key for another request', async () => {
    const { world, ask, started } = await scene();
    const sent = { body: REQUEST, idempotencyKey: 'change-0001' };
    const first = await ask('requestRestore', sent);
    const again = await ask('requestRestore', sent);
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body.id).toBe(first.body.id);
    expect(started).toEqual([`restoreHsm ${String(first.body.id)}`]);
    expect(world.journalled.map(({ class: act, cause }) => `${act} ${cause}`)).toEqual([
      `restore.request ${OPERATOR.oid}`,
    ]);
    const other = { ...sent, body: { ...REQUEST, reason: 'something else' } };
    expect((await ask('requestRestore', other)).status).toBe(409);
  });

  test.each([
    [{ confirm: 'fabrikam' }, 400, 'RestoreRefused'],
    [{ confirm: '' }, 400, 'RestoreRefused'],
    [{ key: 'orders' }, 409, 'RestoreRefused'],
    [{ backup: 'mhsm-contoso-20200101000000' }, 404, 'BackupNotFound'],
    [{ backup: 'latest' }, 400, 'InvalidRequest'],
    [{ hsm: 'unknown-hsm' }, 404, 'UnknownHsm'],
    [{ raeson: 'typo' }, 400, 'InvalidRequest'],
  ])('refuses %j before anybody is asked', async (changes, status, code) => {
    const { world, ask, started } = await scene();
    const got = await ask('requestRestore', { body: { ...REQUEST, ...changes } });
    expect([got.status, got.body.type]).toEqual([status, `urn:managed-hsm-lifecycle:problem:${code}`]);
    if (code === 'RestoreRefused') {
      expect(got.body.detail).toContain(`(${got.body.reason})`);
      expect(got.body.nextStep).toBeTruthy();
    }
    expect([started, paths(world, 'state/restores/')]).toEqual([[], []]);
  });
});

test.each([
  [{ pruningSince: '2030-01-01T00:00:00Z' }, 'is being removed since'],
  [{ prunedOn: '2030-01-01T00:00:00Z' }, 'was removed on'],
])('a restore from a backup with %j is refused before its manifest is looked for', async (gone, why) => {
  const { world, ask } = await scene();
  const path = `catalogue/contoso/${REQUEST.backup}.json`;
  const stored = await world.documents.read<object>('state', path);
  await world.documents.put('state', path, { ...stored?.value, ...gone });
  expect(await ask('requestRestore', { body: REQUEST })).toMatchObject({
    status: 409,
    body: { code: 'RestoreRefused', reason: 'BackupPruned', detail: expect.stringContaining(why) },
  });
});

describe('decideRestore', () => {
  const asked = async () => {
    const all = await scene();
    const { body } = await all.ask('requestRestore', { body: REQUEST });
    return { ...all, id: String(body.id) };
  };
  const approve = { body: { decision: 'approve' }, caller: APPROVER };

  test('stores the first decision, journals it and wakes the restore; a repeat wakes it again', async () => {
    const { world, ask, raised, id } = await asked();
    for (let time = 0; time < 2; time++) {
      expect((await ask('decideRestore', { ...approve, params: { id } })).status).toBe(202);
    }
    expect(raised).toEqual([`RestoreDecided ${id}`, `RestoreDecided ${id}`]);
    expect(
      new Set(world.journalled.filter(({ class: act }) => act === 'restore.decide').map((each) => each.id)).size,
    ).toBe(1);
    const { body } = await ask('showRestore', { params: { id } });
    expect(body).toMatchObject({ status: 'underWay', decision: { by: APPROVER.oid, decision: 'approved' } });
  });

  test('whoever asked cannot decide, whatever the case of the id', async () => {
    const { ask, raised, id } = await asked();
    const caller = { ...APPROVER, oid: OPERATOR.oid.toUpperCase() };
    expect(await ask('decideRestore', { ...approve, params: { id }, caller })).toMatchObject({ status: 403 });
    expect(raised).toEqual([]);
  });

  test('a decision that was made is not unmade', async () => {
    const { ask, id } = await asked();
    await ask('decideRestore', { ...approve, params: { id }, body: { decision: 'reject', note: 'ask Legal' } });
    expect(await ask('decideRestore', { ...approve, params: { id } })).toMatchObject({ status: 409 });
    expect((await ask('showRestore', { params: { id } })).body).toMatchObject({ status: 'denied' });
  });

  test('comes too late once the time is over', async () => {
    const { world, ask, id } = await asked();
    world.now.value = new Date('2030-01-01T08:00:00Z');
    expect(await ask('decideRestore', { ...approve, params: { id } })).toMatchObject({ status: 409 });
  });

  /** The store is out of reach for one document, as when the host is killed just before it is written. */
  const killedBefore = (world: RestoreWorld, document: string) => {
    world.onWrite.before = (path) => {
      if (path.endsWith(document)) throw new Error('killed');
    };
  };

  test('killed after the journal has it, a decision is nobody’s to carry out until its decider repeats it', async () => {
    const { world, ask, raised, id } = await asked();
    killedBefore(world, 'decision.json');
    await expect(ask('decideRestore', { ...approve, params: { id } })).rejects.toThrow('killed');
    delete world.onWrite.before;
    const judged = () => world.acts.judgeRestore({ hsm: 'contoso', instance: id, stage: 'approval' });
    expect(await judged()).toMatchObject({ kind: 'awaitApproval' });
    const other = { ...APPROVER, oid: 'oid-eve' };
    expect(await ask('decideRestore', { ...approve, params: { id }, caller: other })).toMatchObject({ status: 409 });
    expect(await judged()).toMatchObject({ kind: 'awaitApproval' });
    world.now.value = new Date('2030-01-01T00:10:00Z');
    expect((await ask('decideRestore', { ...approve, params: { id } })).status).toBe(202);
    expect(raised).toEqual([`RestoreDecided ${id}`]);
    expect(await judged()).toMatchObject({ kind: 'takeSafetyBackup' });
    // It counts from when it was made.
    const { body } = await ask('showRestore', { params: { id } });
    expect(body).toMatchObject({ decision: { at: '2030-01-01T00:00:00.000Z' } });
  });

  test('a stored decision whose entry was lost is entered when its decider repeats it, and by nobody else', async () => {
    const { world, ask, id } = await asked();
    const stored = { by: APPROVER.oid, at: '2030-01-01T00:00:00.000Z', decision: 'approved' };
    await world.documents.put('state', `restores/${id}/decision.json`, stored);
    const other = { ...APPROVER, oid: 'oid-eve' };
    expect(await ask('decideRestore', { ...approve, params: { id }, caller: other })).toMatchObject({ status: 409 });
    const judged = () => world.acts.judgeRestore({ hsm: 'contoso', instance: id, stage: 'approval' });
    expect(await judged()).toMatchObject({ reason: 'ApprovalNotJournaled' });
    expect((await ask('decideRestore', { ...approve, params: { id } })).status).toBe(202);
    expect(await judged()).toMatchObject({ kind: 'takeSafetyBackup' });
  });

  test('of two who decide in the same moment the first in the journal counts', async () => {
    const { world, ask, id } = await asked();
    const body = { decision: 'reject', note: 'ask Legal' };
    const caller = { ...APPROVER, oid: 'oid-eve' };
    const both = await Promise.all([
      ask('decideRestore', { ...approve, params: { id } }),
      ask('decideRestore', { params: { id }, body, caller }),
    ]);
    expect(both.map(({ status }) => status)).toEqual([202, 409]);
    expect(await world.acts.judgeRestore({ hsm: 'contoso', instance: id, stage: 'approval' })).toMatchObject({
      kind: 'takeSafetyBackup',
    });
  });

  test('a request that was forged into the store is nobody’s to approve', async () => {
    const { world, ask, raised, id } = await asked();
    const path = `state/restores/${id}/request.json`;
    const request = JSON.parse(world.stored.get(path)?.text ?? '{}') as object;
    await world.documents.put('state', path.slice('state/'.length), { ...request, by: 'oid-somebody' });
    const { status, body } = await ask('decideRestore', { ...approve, params: { id } });
    expect([status, body.detail]).toEqual([409, expect.stringContaining('ApprovalNotJournaled')]);
    expect(raised).toEqual([]);
  });

  test('a request killed before it was stored is asked for again, and can be decided', async () => {
    const { world, ask } = await scene();
    const sent = { body: REQUEST, idempotencyKey: 'change-0009' };
    killedBefore(world, 'request.json');
    await expect(ask('requestRestore', sent)).rejects.toThrow('killed');
    delete world.onWrite.before;
    world.now.value = new Date('2030-01-01T00:10:00Z');
    const { body } = await ask('requestRestore', sent);
    expect((await ask('decideRestore', { ...approve, params: { id: String(body.id) } })).status).toBe(202);
  });

  test('a restore that nobody asked for is not found', async () => {
    const { ask } = await scene();
    expect(await ask('decideRestore', { ...approve, params: { id: 'restore-contoso-x' } })).toMatchObject({
      status: 404,
    });
  });
});

describe('backups', () => {
  test('are listed, and one is shown with what its manifest holds', async () => {
    const { ask } = await scene();
    expect((await ask('listBackups')).body).toMatchObject({ backups: [{ id: BACKUP, state: 'locked' }] });
    const { body } = await ask('showBackup', { params: { hsm: 'contoso', id: BACKUP } });
    expect(body).toMatchObject({ manifest: { keys: [{ name: 'invoices' }, { name: 'orders' }] } });
  });

  test('are taken once for one Idempotency-Key', async () => {
    const { ask, started } = await scene();
    const sent = { body: { hsm: 'contoso', reason: 'before the migration' }, idempotencyKey: 'change-0002' };
    await ask('requestBackup', sent);
    expect(await ask('requestBackup', sent)).toMatchObject({ status: 202 });
    expect(started).toHaveLength(1);
    const other = { ...sent, body: { hsm: 'contoso', reason: 'something else' } };
    expect(await ask('requestBackup', other)).toMatchObject({ status: 409 });
  });

  test('retention is shown, and never applied by this door', async () => {
    const { ask } = await scene();
    const body = { hsm: 'contoso' };
    expect((await ask('previewRetention', { body, query: { dryRun: 'true' } })).body).toMatchObject({
      dryRun: true,
      prune: [],
    });
    expect(await ask('previewRetention', { body, query: { dryRun: 'false' } })).toMatchObject({ status: 400 });
  });
});
