import { beforeEach, describe, expect, test } from 'vitest';
import { readRecord } from '../../../functions/activities/catalogue.ts';
import { startDrill } from '../../../functions/activities/drill-claims.ts';
import { drillNoticeActivities } from '../../../functions/activities/drill-notices.ts';
import { drillReportActivities } from '../../../functions/activities/drill-reports.ts';
import { drillSentinelActivities } from '../../../functions/activities/drill-sentinels.ts';
import { drillActivities } from '../../../functions/activities/drills.ts';
import { readHsmInventory } from '../../../functions/activities/hsm-inventory.ts';
import { readApproval, readOutcome, readRestoreRequest } from '../../../functions/activities/restore-requests.ts';
import type { ActivityContext } from '../../../functions/implement.ts';
import type { BackupWorld } from '../../../functions/world.ts';
import { type BackupManifest, buildManifest } from '../../../shared/backup/manifest.ts';
import { endedBy } from '../../../shared/drill/backup-at-fault.ts';
import type { DrillReport, DrillStep } from '../../../shared/drill/report.ts';
import { AppError } from '../../../shared/errors.ts';
import { aManifest, aRecord } from '../../shared/backup/builders.ts';
import { createFakeLog } from '../../support/log.ts';
import { createFakeStarter, type FakeStarter } from '../../support/starter.ts';
import { aKey, createFakeWorld, type FakeWorld } from '../../support/world.ts';

const ID = 'drill-contoso-request-1';
const STANDING = { kind: 'standing' as const, hsm: 'contoso-drill' };
const of = { hsm: 'contoso', instance: ID };
const record = aRecord('2029-12-31T20:00:00Z', { manifest: { path: 'm.json', sha256: 'f'.repeat(64) } });
const ask = { ...of, backup: record.id, by: 'operator-oid', note: 'audit', startedOn: '2030-01-01T00:00:00.000Z' };

let world: FakeWorld;
let manifest: BackupManifest;

beforeEach(async () => {
  world = createFakeWorld({
    orders: { versions: [aKey({ version: 'a'.repeat(32) })] },
    ledger: { versions: [aKey({ name: 'ledger', version: 'b'.repeat(32) })] },
    old: { versions: [aKey({ name: 'old', version: 'c'.repeat(32), enabled: false })] },
  });
  const [hsm] = world.hsms;
  if (hsm) world.hsms.push({ ...hsm, name: 'contoso-drill', uri: 'https://contoso-drill.managedhsm.azure.net' });
  const none = { roleDefinitions: async () => [], inventory: async () => [] };
  const vault = { readJson: async () => ({ value: manifest, sha256: 'f'.repeat(64) }) };
  world.backups = { access: none, vault, restores: {} } as unknown as BackupWorld;
  manifest = buildManifest({ ...aManifest(), ...(await readHsmInventory(world, 'contoso')), externalKeys: [] });
  await world.documents.create('state', `catalogue/contoso/${record.id}.json`, record);
  policy({ mode: 'on', target: STANDING });
});

let etags = 1000;
function policy(drills: object) {
  const owners = { fallback: ['keys@contoso.example'] };
  world.stored.set('policy/policy.json', { text: JSON.stringify({ version: 1, drills, owners }), etag: etags++ });
}

const step = (name: string, minute: number, changes: Partial<DrillStep> = {}): DrillStep => ({
  ...{ name, title: `Step ${name}`, result: 'done' as const },
  startedOn: `2030-01-01T00:0${minute}:00.000Z`,
  endedOn: `2030-01-01T00:0${minute + 1}:00.000Z`,
  ...changes,
});
const STEPS = [step('restore', 0), step('compare', 1), step('sentinels', 2)];

const act = () => ({
  ...drillActivities(world),
  ...drillSentinelActivities(world),
  ...drillReportActivities(world),
  ...drillNoticeActivities(world),
});
const prepare = (target: Parameters<ReturnType<typeof act>['prepareDrill']>[0]['target'] = STANDING) =>
  act().prepareDrill({ ...ask, target });
const close = (more: { steps?: DrillStep[]; refusal?: string } = {}) =>
  act().closeDrill({ ...of, endedOn: '2030-01-01T00:05:00.000Z', steps: STEPS, ...more });

async function rehearse(): Promise<void> {
  await prepare();
  await act().keepDrillSentinels(of);
  await act().compareDrill(of);
  await act().tryDrillSentinels(of);
}

describe('preparing a drill', () => {
  test('writes down the restore of the drill HSM, approved by the policy that names it', async () => {
    expect(await prepare()).toEqual({ kind: 'prepared', target: 'contoso-drill' });
    expect(await readRestoreRequest(world.documents, ID)).toMatchObject({ hsm: 'contoso-drill', backup: record.id });
    expect(await readApproval(world.documents, ID)).toMatchObject({ decision: 'approved', by: 'policy drills.target' });
  });

  test('refuses a temporary HSM over the budget, and says what it would cost', async () => {
    policy({ mode: 'off', pricePerHour: 100, budget: 10 });
    const target = { kind: 'temporary' as const, region: 'northeurope', softDeleteDays: 7 };
    expect(await prepare(target)).toMatchObject({ kind: 'refused', reason: 'OverBudget' });
    expect(await readRestoreRequest(world.documents, ID)).toBeUndefined();
    const closed = await close({ steps: [step('prepareTarget', 0, { result: 'skipped', detail: 'over budget' })] });
    expect(closed).toMatchObject({ kind: 'closed', end: { kind: 'inconclusive' } });
    expect((await report()).cost).toMatchObject({ running: 800 });
  });

  test('refuses a temporary HSM where no identity may recover', async () => {
    const target = { kind: 'temporary' as const, region: 'northeurope', softDeleteDays: 7 };
    expect(await prepare(target)).toMatchObject({ kind: 'refused', reason: 'NoDutyOfRestoring' });
  });

  test.each([
    [{ target: { kind: 'standing' as const, hsm: 'elsewhere' } }, 'TargetUnknown'],
    [{ target: STANDING, backup: 'mhsm-contoso-20290101000000' }, 'BackupUnknown'],
  ])('refuses %o', async (changes, reason) => {
    expect(await act().prepareDrill({ ...ask, ...changes })).toMatchObject({ kind: 'refused', reason });
  });
});

describe('sentinels', () => {
  test('are made by keys that have none, and by no key that is disabled; a repeat makes nothing again', async () => {
    await prepare();
    expect(await act().keepDrillSentinels(of)).toEqual({ kind: 'kept', sentinels: 2, made: 2 });
    expect(await act().keepDrillSentinels(of)).toEqual({ kind: 'kept', sentinels: 2, made: 0 });
    expect(world.journalled.map(({ class: what, kind }) => `${what} ${kind}`)).toEqual([
      // The policy's approval of the restore, which nothing else stands for.
      'restore.decide note',
      ...['drill.sentinels intent', 'drill.sentinels outcome'],
    ]);
  });

  test('open on the drill HSM', async () => {
    await rehearse();
    expect(await act().tryDrillSentinels(of)).toEqual({ kind: 'tried', ok: 2, failed: 0, notTried: 0 });
  });

  test('compare as the manifest says when the HSM rotates a key by itself right after the restore', async () => {
    await prepare();
    const [kept] = world.fakeKeys.get('orders')?.versions ?? [];
    if (!kept) throw new Error('no such key');
    const next = { ...kept, version: 'd'.repeat(32), publicFingerprint: 'e'.repeat(64) };
    world.fakeKeys.set('orders', { versions: [kept, next] });
    expect(await act().compareDrill(of)).toMatchObject({ kind: 'compared', critical: 0 });
  });

  test('that open to something else, or not at all, failed', async () => {
    await prepare();
    await act().keepDrillSentinels(of);
    world.crypto.unwrap = async ({ name }) => {
      if (name === 'orders') return new Uint8Array(32);
      throw new AppError('ERR_REFUSED_BY_SERVICE', 'no such version', { nextStep: '' });
    };
    expect(await act().tryDrillSentinels(of)).toEqual({ kind: 'tried', ok: 0, failed: 2, notTried: 0 });
  });

  test('that may not be opened count as not tried, and an outage is asked again', async () => {
    await prepare();
    await act().keepDrillSentinels(of);
    const refuse = (code: 'ERR_TRANSIENT' | 'ERR_DENIED') => {
      world.crypto.unwrap = async () => {
        throw new AppError(code, 'no', { nextStep: '' });
      };
    };
    refuse('ERR_TRANSIENT');
    await expect(act().tryDrillSentinels(of)).rejects.toThrow('no');
    refuse('ERR_DENIED');
    expect(await act().tryDrillSentinels(of)).toEqual({ kind: 'tried', ok: 0, failed: 0, notTried: 2 });
  });
});

const report = async (): Promise<DrillReport> => {
  const stored = await world.documents.read<DrillReport>('evidence', `drills/contoso/${ID}/report.json`);
  if (!stored) throw new Error('no report');
  return stored.value;
};
const catalogued = () => readRecord(world.documents, 'contoso', record.id);

describe('the end of a drill', () => {
  test('that passed proves the backup, and is reported, journaled, published and told', async () => {
    await rehearse();
    const closed = await close();
    expect(await readOutcome(world.documents, ID), 'what was restored for it').toEqual(
      closed.kind === 'closed' && closed.end,
    );
    expect(closed).toMatchObject({ kind: 'closed', end: { kind: 'passed', rpo: 14_400, rto: 180 } });
    expect(await catalogued()).toMatchObject({ state: 'proven', provenBy: ID });
    expect(world.stored.has(`evidence/drills/contoso/${ID}/report.html`)).toBe(true);
    expect(world.journalled.at(-1)).toMatchObject({ class: 'drill.close', detail: { verdict: 'passed' } });
    const described = await act().describeDrill(of);
    expect(described).toMatchObject({ notice: { kind: 'DrillPassed', target: 'contoso-drill', keys: 3 } });
    expect(world.published).toMatchObject([{ type: 'DrillPassed', subject: `drills/${ID}` }]);
    expect(await close({ steps: [] })).toEqual(closed);
  });

  test('that was only slower than its objective proves the backup, and nobody is told not to count on it', async () => {
    policy({ mode: 'on', every: 'P1D', target: STANDING, rto: 'PT1M' });
    await rehearse();
    expect(await close()).toMatchObject({ end: { kind: 'failed', proof: 'proven', rto: 180 } });
    expect(await catalogued()).toMatchObject({ state: 'proven', provenBy: ID });
    expect(await catalogued()).not.toHaveProperty('doubt');
    expect(world.journalled.at(-1)).toMatchObject({ detail: { verdict: 'failed', proof: 'proven' } });
    expect(await act().describeDrill(of)).toMatchObject({
      notice: { kind: 'DrillFailed', result: 'failed', proof: 'proven' },
    });
    expect(world.published).toMatchObject([
      {
        type: 'DrillFailed',
        data: {
          proof: 'proven',
          summary: expect.stringMatching(/verified in 3 min, and missed.*2 min more than the 1 min/),
        },
      },
    ]);
  });

  test('doubts a backup of which a key did not come back', async () => {
    await prepare();
    await act().keepDrillSentinels(of);
    world.fakeKeys.delete('old');
    expect(await act().compareDrill(of)).toMatchObject({ kind: 'compared', critical: 1 });
    await act().tryDrillSentinels(of);
    expect(await close()).toMatchObject({ end: { kind: 'failed' } });
    expect(await catalogued()).toMatchObject({ state: 'locked', doubt: { drill: ID } });
    expect(await act().describeDrill(of)).toMatchObject({ notice: { kind: 'DrillFailed', result: 'failed' } });
  });

  test.each([
    ['CopyNotAsSealed', true],
    ['ManifestHashMismatch', true],
    ['JobFailed', true],
    ['SafetyBackupFailed', false],
    ['WrongSecurityDomain', false],
    ['ERR_DENIED', false],
  ])('after a restore refused as %s doubts the backup: %s', async (refusal, doubts) => {
    await prepare();
    await act().keepDrillSentinels(of);
    const steps = [step('restore', 0, { result: endedBy(refusal), detail: 'no' })];
    expect(await close({ steps, refusal })).toMatchObject({ end: { kind: doubts ? 'failed' : 'inconclusive' } });
    expect((await catalogued())?.doubt !== undefined).toBe(doubts);
    expect((await report()).reasons).toContain('None of 2 sentinels was tried: the drill did not come so far.');
  });

  test('shows how long the safety backup held the restore up', async () => {
    await rehearse();
    const landed = '2030-01-01T00:00:10.000Z';
    const safety = aRecord('2030-01-01T00:00:05Z', { hsm: 'contoso-drill', purpose: 'safety' });
    const kept = { ...safety, reachedOn: { landed } };
    await world.documents.create('state', `catalogue/contoso-drill/${safety.id}.json`, kept);
    const sent = { attempt: 1, sentOn: '2030-01-01T00:00:40.000Z', times: 1 };
    await world.documents.put('state', `restores/${ID}/progress.json`, { schema: 1, sent, answers: [] });
    await close();
    expect((await report()).steps.slice(0, 2)).toMatchObject([
      { name: 'safetyBackup', waitedSeconds: 30, endedOn: sent.sentOn },
      { name: 'restore', startedOn: sent.sentOn },
    ]);
  });
});

describe('the drill that is due', () => {
  const context = () => {
    const starter = createFakeStarter();
    return { starter, context: { starter, log: createFakeLog().log } satisfies ActivityContext };
  };

  test('is started once its interval has passed', async () => {
    policy({ mode: 'on', every: 'P1D', target: STANDING });
    const { context: given } = context();
    expect(await act().startDueDrill({ hsm: 'contoso' }, given)).toMatchObject({ kind: 'kept' });
    world.now.value = new Date('2030-01-02T00:00:01Z');
    expect(await act().startDueDrill({ hsm: 'contoso' }, given)).toMatchObject({ kind: 'started' });
  });

  test('is told when it cannot run', async () => {
    policy({ mode: 'on', every: 'P1D', target: STANDING });
    await act().startDueDrill({ hsm: 'contoso' }, context().context);
    world.now.value = new Date('2030-03-01T00:00:00Z');
    expect(await act().startDueDrill({ hsm: 'contoso' }, context().context)).toMatchObject({
      kind: 'refused',
      notices: [{ id: 'drill-refused-contoso-NoBackupInWindow', notice: { kind: 'DrillRefused' } }],
    });
  });

  test('that will not run, because its target is misspelt, is told at once with the field', async () => {
    const owners = { fallback: ['keys@contoso.example'] };
    const target = { kind: 'standing', hsm: 'contoso-dril' };
    const hsms = [{ match: 'fabrikam' }, { match: 'contoso', drills: { mode: 'on', every: 'P90D', target } }];
    world.stored.set('policy/policy.json', { text: JSON.stringify({ version: 1, hsms, owners }), etag: etags++ });
    expect(await act().startDueDrill({ hsm: 'contoso' }, context().context)).toMatchObject({
      kind: 'refused',
      notices: [
        {
          id: 'drill-refused-contoso-TargetUnknown-before-2030-04-01T00:00:00Z',
          notice: {
            kind: 'DrillRefused',
            explanation: expect.stringContaining('hsms[1].drills.target.hsm names "contoso-dril"'),
            dueOn: '2030-04-01T00:00:00Z',
          },
        },
      ],
    });
  });

  test('is off where nothing can be restored', async () => {
    delete world.backups;
    expect(await act().startDueDrill({ hsm: 'contoso' }, context().context)).toMatchObject({ kind: 'off' });
  });
});

describe('two drills of one HSM in the same instant', () => {
  const input = { hsm: 'contoso', backup: record.id, target: STANDING, by: 'schedule', note: 'due' };
  const start = (starter: FakeStarter, instance: string) => startDrill(world, starter, instance, input);

  test('are one: the later finds the claim of the first, which is not under way yet', async () => {
    const starter = createFakeStarter();
    const both = await Promise.all([start(starter, 'drill-contoso-1'), start(starter, 'drill-contoso-2')]);
    expect(both.map(({ kind }) => kind).toSorted()).toEqual(['held', 'started']);
    expect(starter.started).toHaveLength(1);
  });

  test('are one after a crash between claim and start too, and nobody waits for a claim that was left behind', async () => {
    const starter = createFakeStarter();
    starter.crashes = 1;
    await expect(start(starter, 'drill-contoso-1')).rejects.toThrow('killed');
    expect(await start(starter, 'drill-contoso-2')).toEqual({ kind: 'held', heldBy: 'drill-contoso-1' });
    world.now.value = new Date(world.now.value.getTime() + 120_000);
    expect(await start(starter, 'drill-contoso-2')).toEqual({ kind: 'started' });
    expect(await start(starter, 'drill-contoso-1')).toEqual({ kind: 'held', heldBy: 'drill-contoso-2' });
  });

  test('are two when the first has ended', async () => {
    const starter = createFakeStarter();
    await start(starter, 'drill-contoso-1');
    await world.documents.create('state', 'drills/contoso/drill-contoso-1/end.json', { kind: 'passed' });
    expect(await start(starter, 'drill-contoso-2')).toEqual({ kind: 'started' });
  });
});
