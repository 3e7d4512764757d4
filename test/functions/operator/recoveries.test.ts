import type { DurableClient } from 'durable-functions';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { joinHsm } from '../../../functions/activities/joined-hsms.ts';
import { changeRecovery, readRecovery } from '../../../functions/activities/recovery-records.ts';
import type { RecoveryStepName } from '../../../shared/recovery/runbook.ts';
import { aWrappingCertificate } from '../../support/certificates.ts';
import { APPROVER, ask, OPERATOR, type Sent } from '../../support/operator.ts';
import { addFakeRecovery, type FakeRecovery } from '../../support/recovery.ts';
import { createFakeWorld, type FakeWorld } from '../../support/world.ts';

const ID = 'recover-contoso-contoso-two';
const GUID = '00000000-0000-4000-8000-00000000feed';

let privatePem: string;
let world: FakeWorld;
let azure: FakeRecovery;
let started: string[];
let raised: string[];
let client: DurableClient;

beforeAll(async () => {
  ({ privatePem } = await aWrappingCertificate('Ada'));
});

beforeEach(() => {
  world = createFakeWorld();
  world.identities.restore = { duty: 'restore', clientId: 'restore-client' };
  azure = addFakeRecovery(world);
  started = [];
  raised = [];
  client = {
    getStatus: async () => (started.length === 0 ? undefined : { runtimeStatus: 'Running' }),
    startNew: async (name: string, { instanceId }: { instanceId: string }) =>
      void started.push(`${name} ${instanceId}`),
    raiseEvent: async (id: string) => void raised.push(id),
  } as unknown as DurableClient;
});

const request = (changes: object = {}, sent: Sent = {}) => {
  const body = {
    ...{ hsm: 'contoso', newHsm: 'contoso-two', region: 'westeurope', tenantId: GUID, administrators: [GUID] },
    ...{ identities: ['/subscriptions/s/backup'], reason: 'the region is gone', ...changes },
  };
  return ask(world, 'requestRecovery', { client, body, ...sent });
};
const report = (step: string, body: object, caller = OPERATOR) =>
  ask(world, 'reportRecoveryStep', { client, params: { id: ID, step }, body, caller });

/** Puts steps behind the recovery, as if they had been reported. */
const past = (...steps: RecoveryStepName[]) =>
  changeRecovery(world, ID, (recovery) => ({
    ...recovery,
    reports: steps.map((step) => ({ step, result: 'done', by: 'x', at: recovery.at, evidence: 'seen' })),
  }));

async function readyForUpload() {
  await request();
  const { settleSeconds = 30, resourceId = '' } = world.hsms[0] ?? {};
  await joinHsm(world, { name: 'contoso-two', uri: 'https://two.example', resourceId, settleSeconds });
  await past('confirmLoss', 'prerequisites', 'assemble', 'createHsm', 'enterRecovery', 'reWrap');
}

describe('a recovery', () => {
  test('is asked for once, journaled, and shown with its runbook', async () => {
    expect((await request()).status).toBe(202);
    expect((await request()).status).toBe(202);
    expect(new Set(started)).toEqual(new Set([`recoverHsm ${ID}`]));
    expect(world.journalled.some((entry) => entry.class === 'recovery.request')).toBe(true);
    const { body } = await ask(world, 'showRecovery', { params: { id: ID } });
    expect(body).toMatchObject({ waitingFor: ['confirmLoss'], progress: '0 of 15', complete: false });
  });

  test('is not changed by another request, and the journal holds what was asked for before it is stored', async () => {
    world.onWrite.before = (path) => {
      if (path.includes('recoveries/')) throw new Error('killed');
    };
    await expect(request()).rejects.toThrow('killed');
    delete world.onWrite.before;
    expect(world.journalled).toMatchObject([{ class: 'recovery.request', cause: OPERATOR.oid }]);
    expect((await request()).status).toBe(202);
    const other = await request({ administrators: ['00000000-0000-4000-8000-00000000bad0'] });
    expect(other).toMatchObject({ status: 409, body: { errors: [{ field: 'body administrators' }] } });
    expect((await readRecovery(world, ID))?.administrators).toEqual([GUID]);
  });

  test('is shown and neither stored nor started for a dry run', async () => {
    expect(await request({}, { query: { dryRun: 'true' } })).toMatchObject({ status: 200, body: { dryRun: true } });
    expect(started).toEqual([]);
    expect(await readRecovery(world, ID)).toBeUndefined();
  });

  test('does not take the name of an HSM that is looked after, nor of one that Azure has', async () => {
    expect((await request({ newHsm: 'contoso' })).status).toBe(409);
    const resourceId = world.hsms[0]?.resourceId.replace(/[^/]+$/, 'contoso-two') ?? '';
    azure.made.set(resourceId, { resourceId } as never);
    expect((await request()).status).toBe(409);
  });
});

describe('a report', () => {
  test('confirms the loss only from another person with the role Approver', async () => {
    await request();
    expect((await report('confirmLoss', { evidence: 'burnt' })).status).toBe(403);
    const same = { ...APPROVER, oid: OPERATOR.oid };
    expect((await report('confirmLoss', { evidence: 'burnt' }, same)).status).toBe(403);
    expect((await report('confirmLoss', { evidence: 'burnt' }, APPROVER)).status).toBe(200);
    expect(raised).toEqual([ID]);
    expect(world.journalled.at(-1)).toMatchObject({ class: 'recovery.step', cause: APPROVER.oid });
  });

  test('approves nothing that was stored otherwise than it was asked for', async () => {
    await request();
    await changeRecovery(world, ID, (recovery) => ({ ...recovery, by: 'oid-somebody' }));
    const told = await report('confirmLoss', { evidence: 'burnt' }, APPROVER);
    expect(told.status).toBe(409);
    expect(JSON.stringify(told.body)).toContain('oid-somebody asked for');
    expect((await readRecovery(world, ID))?.reports).toEqual([]);
  });

  test('that is repeated word for word by the same person changes nothing, and one that differs is refused', async () => {
    await request();
    const first = await report('confirmLoss', { evidence: 'burnt' }, APPROVER);
    const again = await report('confirmLoss', { evidence: 'burnt' }, APPROVER);
    expect(again).toMatchObject({ status: 200, body: first.body });
    expect(raised, 'the recovery looks again, as the first may have been cut short').toEqual([ID, ID]);
    expect((await readRecovery(world, ID))?.reports).toHaveLength(1);
    const entries = world.journalled.filter((entry) => entry.class === 'recovery.step');
    expect(new Set(entries.map((entry) => entry.id)).size, 'one entry, of which readers take the first').toBe(1);
    expect((await report('confirmLoss', { evidence: 'flooded' }, APPROVER)).status).toBe(409);
    const other = { ...APPROVER, oid: 'oid-abe' };
    expect((await report('confirmLoss', { evidence: 'burnt' }, other)).status).toBe(409);
  });

  test('whose entry in the journal was lost is entered when the same person repeats it', async () => {
    await request();
    await report('confirmLoss', { evidence: 'burnt' }, APPROVER);
    world.journalled.splice(world.journalled.findIndex((entry) => entry.class === 'recovery.step'));
    await report('confirmLoss', { evidence: 'burnt' }, APPROVER);
    const entry = world.journalled.at(-1);
    expect(entry).toMatchObject({ class: 'recovery.step', cause: APPROVER.oid, detail: { step: 'confirmLoss' } });
    expect(entry?.detail?.digest).toMatch(/^[0-9a-f]{64}$/);
    expect((await readRecovery(world, ID))?.reports).toHaveLength(1);
  });

  test('counts again when something else was said since', async () => {
    await readyForUpload();
    expect((await report('upload', { blob: 'opaque' })).status).toBe(200);
    expect((await report('upload', { blob: 'opaque' })).status).toBe(200);
    expect(azure.uploaded).toHaveLength(1);
    await changeRecovery(world, ID, (recovery) => {
      const failed = { step: 'upload', result: 'failed', by: 'automation', at: recovery.at } as const;
      return { ...recovery, reports: [...recovery.reports, failed] };
    });
    azure.progress = { kind: 'failed' };
    expect((await report('upload', { blob: 'opaque' })).status).toBe(200);
    expect(azure.uploaded).toHaveLength(2);
  });

  test('about a consumer is entered once', async () => {
    await request();
    const consumer = { consumer: 'storage', key: 'orders' };
    for (let time = 0; time < 2; time++) expect((await report('repoint', { consumer })).status).toBe(200);
    expect((await readRecovery(world, ID))?.consumers).toHaveLength(1);
  });

  test('takes a recovery up again that has ended before its time', async () => {
    await request();
    started = [];
    client.getStatus = async () => ({ runtimeStatus: 'Failed' }) as never;
    expect((await report('confirmLoss', { evidence: 'burnt' }, APPROVER)).status).toBe(200);
    expect(started).toEqual([`recoverHsm ${ID}`]);
    expect(raised).toEqual([]);
  });

  test('cannot come before its time, nor speak for the app, nor leave out what shows it', async () => {
    await request();
    expect((await report('reWrap', { evidence: 'early' })).status).toBe(409);
    expect((await report('createHsm', { evidence: 'by hand' })).status).toBe(409);
    expect((await report('confirmLoss', {}, APPROVER)).status).toBe(409);
    expect((await report('dance', { evidence: 'x' })).status).toBe(404);
  });

  test('has a step of the app that failed tried again, on the record', async () => {
    await request();
    expect((await report('prerequisites', { result: 'retry' })).status).toBe(409);
    await past('confirmLoss');
    await changeRecovery(world, ID, (recovery) => {
      const failed = { step: 'prerequisites', result: 'failed', by: 'automation', at: recovery.at } as const;
      return { ...recovery, reports: [...recovery.reports, failed] };
    });
    expect((await report('prerequisites', { result: 'retry', evidence: 'policy mended' })).status).toBe(200);
    expect(world.journalled.at(-1)).toMatchObject({ class: 'recovery.step', cause: OPERATOR.oid });
  });

  test('approves a restore only from another person', async () => {
    await request();
    await past(
      ...(['confirmLoss', 'prerequisites', 'assemble', 'createHsm', 'enterRecovery', 'reWrap', 'upload'] as const),
      ...(['awaitActivation', 'attachIdentity', 'safetyBackup'] as const),
    );
    expect((await report('approveRestore', { evidence: 'yes' })).status).toBe(403);
    expect((await report('approveRestore', { evidence: 'yes' }, APPROVER)).status).toBe(200);
  });

  test('hands the transfer blob over to the HSM, and keeps nothing of it', async () => {
    await readyForUpload();
    const blob = JSON.stringify({ EncData: { data: 'c2VjcmV0LXRyYW5zZmVyLWJsb2I'.repeat(20) } });
    const got = await report('upload', { blob });
    expect(got.status).toBe(200);
    expect(azure.uploaded).toEqual([blob]);
    const again = await report('upload', { blob });
    expect(again.status).toBe(200);
    expect(azure.uploaded, 'a repeat').toEqual([blob]);
    const everything = got.said + JSON.stringify([...world.stored]) + JSON.stringify(world.journalled);
    expect(everything).not.toContain('c2VjcmV0LXRyYW5zZmVy');
    expect((await readRecovery(world, ID))?.reports.at(-1)?.evidence).toMatch(/^SHA-256 [0-9a-f]{64}$/);
  });

  test('counts a blob as sent when the reply is lost, because the next step reads what became of it', async () => {
    await readyForUpload();
    azure.onUpload.lost = true;
    expect((await report('upload', { blob: 'opaque' })).status).toBe(200);
    expect((await readRecovery(world, ID))?.reports.at(-1)).toMatchObject({ step: 'upload', result: 'done' });
    expect(world.journalled.some(({ result }) => result === 'unknown')).toBe(true);
  });

  test('of a blob whose first sending was cut short asks the HSM before it sends the blob again', async () => {
    await readyForUpload();
    world.onWrite.before = (path) => {
      if (path.endsWith('recovery.json') && azure.uploaded.length > 0) throw new Error('killed');
    };
    await expect(report('upload', { blob: 'opaque' })).rejects.toThrow('killed');
    delete world.onWrite.before;
    expect((await report('upload', { blob: 'opaque' })).status).toBe(200);
    expect(azure.uploaded).toEqual(['opaque']);
    expect((await readRecovery(world, ID))?.reports.at(-1)).toMatchObject({ step: 'upload', result: 'done' });
  });

  test('with a private key in it is refused wherever it stands, and nothing of it is kept', async () => {
    await readyForUpload();
    const before = JSON.stringify([...world.stored]) + JSON.stringify(world.journalled);
    const line = privatePem.split('\n')[3] ?? '';
    for (const body of [{ evidence: privatePem.slice(0, 450) }, { blob: privatePem }, { blob: { key: privatePem } }]) {
      const got = await report('upload', body);
      expect([400, 422]).toContain(got.status);
      expect(got.said).not.toContain(line);
    }
    expect(azure.uploaded).toEqual([]);
    expect(JSON.stringify([...world.stored]) + JSON.stringify(world.journalled)).toBe(before);
  });
});
