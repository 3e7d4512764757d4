import type { DurableClient } from 'durable-functions';
import { beforeEach, describe, expect, test } from 'vitest';
import { drillActivities } from '../../../functions/activities/drills.ts';
import { readRecovery } from '../../../functions/activities/recovery-records.ts';
import type { BackupWorld } from '../../../functions/world.ts';
import { aRecord } from '../../shared/backup/builders.ts';
import { APPROVER, ask, OPERATOR } from '../../support/operator.ts';
import { addFakeRecovery } from '../../support/recovery.ts';
import { createFakeWorld, type FakeWorld } from '../../support/world.ts';

const DRILL = 'drill-contoso-request-1';
const ID = `rehearse-${DRILL}`;
const target = { kind: 'temporary' as const, region: 'northeurope', softDeleteDays: 7 };
const record = aRecord('2029-12-31T20:00:00Z', { manifest: { path: 'm.json', sha256: 'f'.repeat(64) } });

let world: FakeWorld;
let raised: string[];
let client: DurableClient;

beforeEach(async () => {
  world = createFakeWorld();
  world.identities.restore = { duty: 'restore', clientId: 'restore-client' };
  world.backups = { landingContainerUrl: 'https://landing/hsm-backups', restores: {} } as unknown as BackupWorld;
  addFakeRecovery(world).putSource(world.hsms[0]?.resourceId ?? '');
  await world.documents.create('state', `catalogue/contoso/${record.id}.json`, record);
  const drills = { mode: 'off', target, pricePerHour: 3.42 };
  const text = JSON.stringify({ version: 1, drills, owners: { fallback: ['keys@contoso.example'] } });
  world.stored.set('policy/policy.json', { text, etag: 1 });
  raised = [];
  client = {
    getStatus: async () => undefined,
    raiseEvent: async (id: string) => void raised.push(id),
  } as unknown as DurableClient;
  await drillActivities(world).prepareDrill({
    ...{ hsm: 'contoso', instance: DRILL, backup: record.id, target, by: OPERATOR.oid, note: 'audit' },
    startedOn: world.now.value.toISOString(),
  });
});

const cancel = (id = DRILL, body: object = { reason: 'postponed' }) =>
  ask(world, 'cancelDrill', { client, params: { id }, body });
const approve = (caller: typeof OPERATOR) =>
  ask(world, 'reportRecoveryStep', {
    ...{ client, caller, params: { id: ID, step: 'approveCost' } },
    body: { evidence: 'worth it' },
  });

describe('a drill on a temporary HSM', () => {
  test('tells in a dry run what it would cost, soft-deleted days included', async () => {
    const body = { hsm: 'contoso', reason: 'audit' };
    const { status, body: told } = await ask(world, 'requestDrill', { client, body, query: { dryRun: 'true' } });
    expect(status).toBe(200);
    expect(told).toMatchObject({ cost: { kind: 'allowed', estimate: { atMost: 601.92 } } });
  });

  test('that cannot run is refused with the reason, what was found and what to do', async () => {
    const body = { hsm: 'contoso', reason: 'audit', backup: 'mhsm-contoso-20200101000000' };
    expect(await ask(world, 'requestDrill', { client, body })).toMatchObject({
      status: 409,
      body: { code: 'DrillRefused', reason: 'BackupUnknown', nextStep: 'Choose another backup from the catalogue.' },
    });
  });

  test('shows whom it waits for, until when, and where they report', async () => {
    const { body } = await ask(world, 'showDrill', { client, params: { id: DRILL } });
    expect(body.rehearsal).toMatchObject({
      ...{ id: ID, waitsUntil: '2030-01-04T00:00:00Z', closing: null },
      waitingFor: [{ step: 'approveCost', who: 'an approver who did not ask for it' }],
    });
  });

  test('is approved by another person than who asked', async () => {
    expect((await approve(OPERATOR)).status).toBe(403);
    expect((await approve({ ...OPERATOR, roles: ['Approver'] })).status).toBe(403);
    expect((await approve(APPROVER)).status).toBe(200);
    expect((await readRecovery(world, ID))?.reports).toMatchObject([{ step: 'approveCost', by: APPROVER.oid }]);
  });

  test('is called off once, on the record; from then on nobody reports to it', async () => {
    expect(await cancel()).toMatchObject({ status: 202 });
    expect(await cancel(DRILL, { reason: 'another reason' })).toMatchObject({ status: 202 });
    expect(raised).toContain(ID);
    expect((await readRecovery(world, ID))?.closing).toMatchObject({
      ...{ by: OPERATOR.oid, reason: 'Cancelled', result: 'skipped' },
      explanation: expect.stringContaining('postponed'),
    });
    expect(await approve(APPROVER)).toMatchObject({ status: 409 });
  });

  test('is called off, and reported to, before the rehearsal has begun: it finds both in what is stored', async () => {
    Object.assign(client, { raiseEvent: async () => Promise.reject(new Error('HTTP 404 response')) });
    expect(await approve(APPROVER)).toMatchObject({ status: 200 });
    expect(await cancel()).toMatchObject({ status: 202 });
    expect((await readRecovery(world, ID))?.closing).toMatchObject({ reason: 'Cancelled' });
    // One that runs and cannot be told is another matter: the caller sends it again.
    Object.assign(client, { getStatus: async () => ({ runtimeStatus: 'Running' }) });
    await expect(cancel()).rejects.toThrow('HTTP 404');
  });

  test('is not called off when nobody knows it, or without a reason', async () => {
    expect(await cancel('drill-nothing')).toMatchObject({ status: 404, body: { code: 'DrillNotFound' } });
    expect(await cancel(DRILL, {})).toMatchObject({ status: 400 });
  });
});
