import { beforeEach, describe, expect, test } from 'vitest';
import { drillReportActivities } from '../../../functions/activities/drill-reports.ts';
import { drillTearDownActivities } from '../../../functions/activities/drill-tear-down.ts';
import { drillActivities } from '../../../functions/activities/drills.ts';
import { recoveryActivities } from '../../../functions/activities/recovery.ts';
import {
  changeRecovery,
  readRecovery,
  reportStep,
  type StoredRecovery,
} from '../../../functions/activities/recovery-records.ts';
import { closeRehearsal } from '../../../functions/activities/rehearsals.ts';
import type { AutomatedStep } from '../../../functions/contracts/recovery-inputs.ts';
import { temporaryHsmName } from '../../../functions/instance-ids.ts';
import { lookedAfter } from '../../../functions/looked-after.ts';
import type { BackupWorld } from '../../../functions/world.ts';
import type { BackupJob } from '../../../shared/backup/backup.ts';
import type { DrillReport } from '../../../shared/drill/report.ts';
import { AppError } from '../../../shared/errors.ts';
import type { RecoveryStepName, StepReport } from '../../../shared/recovery/runbook.ts';
import { aRecord } from '../../shared/backup/builders.ts';
import { createFakeLog } from '../../support/log.ts';
import { addFakeRecovery, type FakeRecovery } from '../../support/recovery.ts';
import { createFakeStarter } from '../../support/starter.ts';
import { createFakeWorld, type FakeWorld } from '../../support/world.ts';

const DRILL = 'drill-contoso-request-1';
const ID = `rehearse-${DRILL}`;
const record = aRecord('2029-12-31T20:00:00Z', { manifest: { path: 'm.json', sha256: 'f'.repeat(64) } });
const of = { hsm: 'contoso', instance: DRILL };
const target = { kind: 'temporary' as const, region: 'northeurope', softDeleteDays: 7 };
const JOB = { jobId: 'job-1', status: 'Failed', startedOn: '2030-01-01T00:00:00Z' } as BackupJob;
const ADMIN = '00000000-0000-4000-8000-00000000feed';

let world: FakeWorld;
let azure: FakeRecovery;
let hsm: string;
let resource: string;

beforeEach(async () => {
  world = createFakeWorld();
  world.identities.restore = { duty: 'restore', clientId: 'restore-client' };
  world.backups = { landingContainerUrl: 'https://landing/hsm-backups', restores: {} } as unknown as BackupWorld;
  azure = addFakeRecovery(world);
  hsm = temporaryHsmName(world.installation, DRILL);
  const source = world.hsms[0]?.resourceId ?? '';
  resource = source.replace(/[^/]+$/, hsm);
  azure.putSource(source);
  await world.documents.create('state', `catalogue/contoso/${record.id}.json`, record);
  const drills = { mode: 'off', target, pricePerHour: 3.42, administratorIds: [ADMIN] };
  const text = JSON.stringify({ version: 1, drills, owners: { fallback: ['keys@contoso.example'] } });
  world.stored.set('policy/policy.json', { text, etag: 1 });
});

const act = () => ({
  ...drillActivities(world),
  ...drillReportActivities(world),
  ...drillTearDownActivities(world),
  ...recoveryActivities(world),
});
const prepare = () =>
  act().prepareDrill({
    ...{ ...of, backup: record.id, target, by: 'oid-omar', note: 'audit' },
    startedOn: world.now.value.toISOString(),
  });
const next = () => act().nextRecoveryStep({ recovery: ID });
const perform = (step: AutomatedStep) =>
  act().performRecoveryStep({ recovery: ID, step }, { starter: createFakeStarter(), log: createFakeLog().log });
const remove = () => act().removeDrillHsm(of);
const stored = async () => (await readRecovery(world, ID)) as StoredRecovery;
const later = (minutes: number) => {
  world.now.value = new Date(world.now.value.getTime() + minutes * 60_000);
};
const reported = async (step: RecoveryStepName, result: StepReport['result'] = 'done', evidence = 'seen') =>
  reportStep(world, await stored(), { step, result, by: 'Carol', at: world.now.value.toISOString(), evidence });

async function made() {
  await prepare();
  for (const step of ['approveCost', 'prerequisites', 'assemble'] as const) await reported(step);
  expect(await perform('createHsm')).toMatchObject({ kind: 'later' });
}

/** Provisioned, and its private endpoint made, named, and seen to be both. */
async function reached() {
  Object.assign(azure.made.get(resource) ?? {}, { provisioningState: 'Succeeded' });
  for (let turn = 0; turn < 2; turn++) expect(await perform('createHsm')).toMatchObject({ kind: 'later' });
  expect(await perform('createHsm')).toEqual({ kind: 'done' });
}

describe('a drill on a temporary HSM', () => {
  test('plans a rehearsal, with the administrators of the source and those of the policy, and makes nothing', async () => {
    expect(await prepare()).toEqual({ kind: 'prepared', target: hsm, rehearsal: ID });
    expect(hsm).toMatch(/^[a-z][0-9a-z-]{2,23}$/);
    expect(await stored()).toMatchObject({
      ...{ hsm: 'contoso', newHsm: hsm, region: 'northeurope', tenantId: 'tenant', backup: record.id },
      administrators: ['group-of-source', ADMIN],
      rehearsal: { drill: DRILL, softDeleteDays: 7, until: '2030-01-04T00:00:00Z' },
    });
    expect(azure.created).toEqual([]);
    expect(await next()).toMatchObject({
      kind: 'wait',
      for: ['approveCost'],
      notices: [
        { notice: { drill: DRILL, instructions: expect.arrayContaining([expect.stringContaining('601.92')]) } },
      ],
    });
  });

  test('makes it without purge protection and tagged, once, and nobody looks after it', async () => {
    await made();
    expect(await perform('createHsm')).toMatchObject({ kind: 'later' });
    expect(azure.created).toMatchObject([
      {
        ...{ purgeProtection: false, softDeleteRetentionDays: 7, region: 'northeurope' },
        tags: { 'mhsm-drill': DRILL, 'mhsm-installation': world.installation },
      },
    ]);
    await reached();
    expect(world.hsms.map(({ name }) => name)).toContain(hsm);
    expect(lookedAfter(world.hsms).map(({ name }) => name)).not.toContain(hsm);
  });

  test('ends when it came out with purge protection after all', async () => {
    await made();
    Object.assign(azure.made.get(resource) ?? {}, { purgeProtection: true });
    expect(await perform('createHsm')).toMatchObject({ kind: 'refused' });
    expect(await next()).toMatchObject({ kind: 'ended', reason: 'PurgeProtectionOnTemporary', result: 'skipped' });
  });

  test('leaves an HSM alone that has the name already', async () => {
    await prepare();
    azure.made.set(resource, { ...azure.aResource(resource), tags: {} });
    expect(await perform('createHsm')).toMatchObject({ kind: 'refused' });
    expect(await next()).toMatchObject({ kind: 'ended', reason: 'NameTaken' });
    expect(await remove()).toEqual({ kind: 'gone', hsm });
    expect(azure.made.has(resource)).toBe(true);
  });

  test('ends undecided when nobody comes in time, and names whom it waited for', async () => {
    await prepare();
    later(3 * 24 * 60);
    const ended = await next();
    expect(ended).toMatchObject({ kind: 'ended', reason: 'NotInTime', result: 'skipped' });
    expect(ended).toMatchObject({ explanation: expect.stringContaining('an approver who did not ask for it') });
    expect(await next()).toEqual(ended);
  });

  test('makes nothing by an approval of the cost that the journal does not hold, and ends undecided', async () => {
    await prepare();
    const at = world.now.value.toISOString();
    const forged = { step: 'approveCost', result: 'done', by: 'Carol', at, evidence: 'x' } as const;
    await changeRecovery(world, ID, (recovery) => ({ ...recovery, reports: [forged] }));
    for (const step of ['prerequisites', 'assemble'] as const) await reported(step);
    expect(await perform('createHsm')).toMatchObject({ kind: 'refused' });
    expect(azure.created).toEqual([]);
    expect(await next()).toMatchObject({ kind: 'ended', reason: 'ApprovalNotJournaled', result: 'skipped' });
  });

  test('ends when its cost is not approved', async () => {
    await prepare();
    await reported('approveCost', 'failed', 'too dear');
    expect(await next()).toMatchObject({ reason: 'ApprovalDenied', explanation: expect.stringContaining('too dear') });
  });

  test('ends as failed when the copy is not what was sealed, because trying again changes nothing', async () => {
    await made();
    const vault = { readJson: async () => ({ value: {}, sha256: '0'.repeat(64) }) };
    Object.assign(world.backups ?? {}, { vault });
    expect(await perform('stageBackup')).toMatchObject({ kind: 'refused' });
    expect(await next()).toMatchObject({ kind: 'ended', reason: 'ManifestHashMismatch', result: 'failed' });
  });

  test('restores once: a job that failed is what the drill has found', async () => {
    await made();
    await reached();
    const completedOn = world.now.value.toISOString();
    await changeRecovery(world, ID, (recovery) => ({ ...recovery, safety: { sentOn: completedOn, completedOn } }));
    expect(await perform('restore')).toMatchObject({ kind: 'later' });
    azure.readings = [1, 2].map(() => ({ kind: 'failed', job: JOB, cause: 'refused', reason: 'bad blob' }));
    expect(await perform('restore')).toMatchObject({ kind: 'refused', final: 'JobFailed' });
    expect(await perform('restore')).toMatchObject({ kind: 'refused', final: 'JobFailed' });
    expect(azure.sent.filter((each) => each.startsWith('restore'))).toHaveLength(1);
    expect(await next()).toMatchObject({ kind: 'ended', reason: 'JobFailed', result: 'failed' });
  });
});

describe('the way to it', () => {
  const endpoint = () => resource.replace('KeyVault/managedHSMs', 'Network/privateEndpoints');

  test('is a private endpoint with its name, made once, tagged with the drill, and announced', async () => {
    await made();
    await reached();
    expect([...azure.endpointsMade.values()]).toMatchObject([
      {
        ...{ resourceId: endpoint(), hsmId: resource, subnetId: '/network/subnets/endpoints', region: 'westeurope' },
        tags: { 'mhsm-drill': DRILL, 'mhsm-installation': world.installation },
        zones: ['/zones/privatelink.managedhsm.azure.net'],
      },
    ]);
    const intents = world.journalled.filter(({ kind }) => kind === 'intent').map(({ class: act }) => act);
    expect(intents).toEqual(['hsm.create', 'endpoint.create', 'endpoint.name']);
  });

  test.each([
    [{ provisioningState: 'Updating' }, { kind: 'later' }],
    [{ provisioningState: 'Failed' }, { kind: 'refused', explanation: expect.stringContaining('/network/subnets') }],
    [{ connection: 'Pending' }, { kind: 'refused', explanation: expect.stringContaining('approve its connection') }],
  ])('is waited for, and what stands against it is said: %o', async (state, expected) => {
    await made();
    Object.assign(azure.made.get(resource) ?? {}, { provisioningState: 'Succeeded' });
    await perform('createHsm');
    Object.assign(azure.endpointsMade.get(endpoint()) ?? {}, state);
    expect(await perform('createHsm')).toMatchObject(expected);
    expect(world.hsms.map(({ name }) => name)).not.toContain(hsm);
  });

  test('is not made any more once the drill is over', async () => {
    await made();
    Object.assign(azure.made.get(resource) ?? {}, { provisioningState: 'Succeeded' });
    await closeRehearsal(world, await stored(), {
      by: 'x',
      reason: 'Cancelled',
      explanation: 'off',
      result: 'skipped',
    });
    expect(await perform('createHsm')).toMatchObject({ kind: 'refused' });
    expect(azure.endpointsMade.size).toBe(0);
  });

  test('needs a subnet: without one the drill is refused before anything is made', async () => {
    delete azure.endpoints;
    expect(await prepare()).toMatchObject({ kind: 'refused', reason: 'NoWayToTarget' });
    expect(azure.created).toEqual([]);
  });

  test('needs a subnet that is there: one that is not is found before anything is made', async () => {
    azure.subnet = false;
    expect(await prepare()).toMatchObject({
      ...{ kind: 'refused', reason: 'NoWayToTarget' },
      explanation: expect.stringContaining('/network/subnets/endpoints'),
    });
    expect(azure.created).toEqual([]);
  });

  test('is removed after the HSM, and nothing but what carries the tags of the drill', async () => {
    await made();
    await reached();
    azure.softDelete(resource, '2030-01-08T00:00:00Z');
    const why = expect.stringContaining('private endpoint');
    expect(await remove()).toMatchObject({ kind: 'later', why });
    expect(azure.endpointsMade.size).toBe(0);
    expect(await remove()).toMatchObject({ kind: 'gone' });
  });

  test('stays when somebody else made what has its name', async () => {
    await made();
    await reached();
    Object.assign(azure.endpointsMade.get(endpoint()) ?? {}, { tags: {} });
    azure.softDelete(resource, '2030-01-08T00:00:00Z');
    expect(await remove()).toMatchObject({ kind: 'gone' });
    expect(azure.endpointsMade.size).toBe(1);
  });

  test('is priced beside the HSM for whoever approves it', async () => {
    await prepare();
    expect((await stored()).rehearsal?.cost.join(' ')).toContain('private endpoint is billed');
  });
});

describe('removing it', () => {
  const settle = () => later(6);

  test('deletes it, waits until it is soft-deleted, and keeps until when it is billed', async () => {
    await made();
    expect(await remove()).toMatchObject({ kind: 'later' });
    expect(azure.removed).toEqual([resource]);
    azure.softDelete(resource, '2030-01-08T00:00:00Z');
    const gone = { kind: 'gone', hsm, deletedOn: '2030-01-01T00:00:00Z', goneOn: '2030-01-08T00:00:00Z' };
    expect(await remove()).toEqual(gone);
    expect(await remove()).toEqual(gone);
    expect(world.journalled.map(({ class: act, kind }) => `${act} ${kind}`)).toContain('hsm.delete intent');
    expect(world.hsms.map(({ name }) => name)).not.toContain(hsm);
  });

  test('is over at once when nothing was made, and from then on nothing is', async () => {
    await prepare();
    for (const step of ['approveCost', 'prerequisites', 'assemble'] as const) await reported(step);
    expect(await remove()).toEqual({ kind: 'gone', hsm });
    expect(await perform('createHsm')).toMatchObject({ kind: 'refused' });
    expect(azure.created).toEqual([]);
    expect(await next()).toMatchObject({ kind: 'ended', reason: 'DrillOver' });
  });

  test('waits for a creation whose reply was lost', async () => {
    await made();
    const late = azure.made.get(resource);
    azure.made.delete(resource);
    expect(await remove()).toMatchObject({ kind: 'later', why: expect.stringContaining('may still take effect') });
    if (late) azure.made.set(resource, late);
    expect(await remove()).toMatchObject({ kind: 'later' });
    expect(azure.removed).toEqual([resource]);
    azure.made.delete(resource);
    settle();
    expect(await remove()).toEqual({ kind: 'gone', hsm });
  });

  test('never touches what does not carry the tags of the drill', async () => {
    await made();
    Object.assign(azure.made.get(resource) ?? {}, { tags: { 'mhsm-drill': 'another' } });
    expect(await remove()).toMatchObject({ kind: 'remains' });
    expect(azure.removed).toEqual([]);
  });

  test('tells with the command when it is refused, and is tried again while Azure is at work', async () => {
    await made();
    const refuse = (code: 'ERR_DENIED' | 'ERR_CONFLICT') => {
      azure.resources.remove = async () => {
        throw new AppError(code, 'no', { nextStep: 'Grant it.' });
      };
    };
    refuse('ERR_CONFLICT');
    expect(await remove()).toMatchObject({ kind: 'later', why: 'no Grant it.' });
    refuse('ERR_DENIED');
    expect(await remove()).toEqual({ kind: 'remains', explanation: 'no Grant it.' });
    const told = await act().describeDrillRemains({ ...of, explanation: 'no' });
    expect(told).toMatchObject({
      notice: { kind: 'DrillHsmRemains', commands: [`az keyvault delete --hsm-name ${hsm} --resource-group r`] },
    });
  });

  test('is taken up by the watch when the drill is under way no more, until it is done', async () => {
    await made();
    const starter = createFakeStarter();
    const context = { starter, log: createFakeLog().log };
    const sweep = () => act().sweepDrillHsms({ hsm: 'contoso' }, context);
    expect(await sweep()).toEqual({ kind: 'swept', started: 1 });
    await remove();
    azure.softDelete(resource, '2030-01-08T00:00:00Z');
    await remove();
    expect(await sweep()).toEqual({ kind: 'swept', started: 0 });
  });

  test('stands in the report with its price, people apart from the machine', async () => {
    await made();
    await closeRehearsal(world, await stored(), {
      by: 'x',
      reason: 'Cancelled',
      explanation: 'off',
      result: 'skipped',
    });
    await remove();
    azure.softDelete(resource, '2030-01-08T00:00:00Z');
    await remove();
    const startedOn = '2030-01-01T00:00:00.000Z';
    const endedOn = '2030-01-01T03:00:00.000Z';
    const step = {
      name: 'rehearsal',
      title: 'Recovering',
      startedOn,
      endedOn,
      result: 'skipped' as const,
      detail: 'off',
    };
    await act().closeDrill({ ...of, endedOn, steps: [step], refusal: 'Cancelled' });
    const path = `evidence/drills/contoso/${DRILL}/report`;
    const report = JSON.parse(world.stored.get(`${path}.json`)?.text ?? '{}') as DrillReport;
    expect(report).toMatchObject({
      verdict: 'inconclusive',
      tearDown: {
        hsm,
        state: 'removed',
        cost: 574.56,
        command: `az keyvault purge --hsm-name ${hsm} --location northeurope`,
      },
    });
    expect(report.steps.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['rehearsal.approveCost', 'rehearsal.createHsm', 'rehearsal']),
    );
  });
});
