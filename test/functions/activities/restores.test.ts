import { describe, expect, test } from 'vitest';
import { journalDecision } from '../../../functions/activities/journaled-decision.ts';
import { requestPath, restoreMatter } from '../../../functions/activities/restore-requests.ts';
import { AppError } from '../../../shared/errors.ts';
import type { JobStart } from '../../../shared/ports/hsm-backups.ts';
import {
  approve,
  BACKUP,
  createRestoreWorld,
  enterSafetyBackup,
  forgeApproval,
  RESTORE,
} from '../../support/restore-world.ts';
import { aKey } from '../../support/world.ts';

const HERE = { hsm: 'contoso', instance: RESTORE } as const;
const acts = ({ journalled }: { journalled: { class: string; kind: string }[] }) =>
  journalled.map(({ class: act, kind }) => `${act} ${kind}`);
const lost = (): JobStart => ({ kind: 'unknown', reason: 'socket hang up' });
const wait = (world: { now: { value: Date } }, seconds: number) => {
  world.now.value = new Date(world.now.value.getTime() + seconds * 1000);
};

describe('startRestore', () => {
  const ask = { ...HERE, step: 'restore', attempt: 1 } as const;

  test('sends once: a repeat of the step answers with the job that runs', async () => {
    const world = await createRestoreWorld();
    await world.ask();
    await approve(world);
    expect(await world.acts.startRestore(ask)).toEqual({ kind: 'started', jobId: 'job' });
    expect(await world.acts.startRestore(ask)).toEqual({ kind: 'started', jobId: 'job' });
    expect(world.sent).toEqual(['restore']);
    expect(acts(world)).toEqual([
      'restore.request note',
      'restore.decide note',
      'hsm.restore intent',
      'hsm.restore outcome',
    ]);
  });

  test('a lost reply is looked into: the HSM that restores is waited for, and what it then holds counts', async () => {
    const world = await createRestoreWorld();
    await world.ask();
    await approve(world);
    world.next.start = [lost];
    expect(await world.acts.startRestore(ask)).toMatchObject({ kind: 'wait' });
    expect(await world.acts.startRestore(ask)).toMatchObject({ kind: 'wait' });
    wait(world, 31);
    const pages = world.keys.observe.pages;
    // biome-ignore lint/correctness/useYield: the first page is refused.
    world.keys.observe.pages = async function* () {
      throw new AppError('ERR_HSM_BUSY', 'a restore operation is in progress', { nextStep: 'Wait.' });
    };
    expect(await world.acts.startRestore(ask)).toMatchObject({
      kind: 'wait',
      why: expect.stringContaining('restores'),
    });
    world.keys.observe.pages = pages;
    expect(await world.acts.startRestore(ask)).toEqual({ kind: 'done' });
    expect(world.sent).toEqual(['restore']);
  });

  test('a reply lost before anything happened is sent again once nothing can follow, three times at most', async () => {
    const world = await createRestoreWorld();
    await world.ask();
    await approve(world);
    world.fakeKeys.delete('orders');
    world.next.start = [lost, lost, lost, lost];
    for (let time = 0; time < 3; time++) {
      expect(await world.acts.startRestore(ask)).toMatchObject({ kind: 'wait' });
      wait(world, 31);
    }
    expect(await world.acts.startRestore(ask)).toMatchObject({ kind: 'refused', reason: 'RestoreUnclear' });
    expect(world.sent).toHaveLength(3);
  });

  test.each(['tooSoon', 'tooLate'] as const)('%s is an answer to judge again, and is kept once', async (kind) => {
    const world = await createRestoreWorld();
    await world.ask();
    await approve(world);
    await enterSafetyBackup(world, world.now.value.toISOString());
    const refusal = (): JobStart => ({ kind, code: 'BadRequest', reason: '30 minutes' });
    world.next.start = [refusal, refusal];
    expect(await world.acts.startRestore(ask)).toEqual({ kind: 'again', why: '30 minutes' });
    expect(await world.acts.startRestore(ask)).toEqual({ kind: 'again', why: '30 minutes' });
    const verdict = await world.acts.judgeRestore({ ...HERE, stage: 'start' });
    expect(verdict.kind).toBe(kind === 'tooSoon' ? 'wait' : 'takeSafetyBackup');
    const progress = world.stored.get(`state/restores/${RESTORE}/progress.json`)?.text ?? '{}';
    expect((JSON.parse(progress) as { answers: unknown[] }).answers).toHaveLength(1);
  });

  test('a busy HSM is left alone for a while; any other refusal ends it in the words of the service', async () => {
    const world = await createRestoreWorld();
    await world.ask();
    await approve(world);
    world.next.start = [
      () => ({ kind: 'busy', code: 'Conflict', reason: 'Another backup operation is in progress' }),
      () => ({ kind: 'refused', code: 'BadRequest', reason: 'No identity is attached.' }),
    ];
    expect(await world.acts.startRestore(ask)).toMatchObject({ kind: 'wait' });
    expect(await world.acts.startRestore(ask)).toMatchObject({
      kind: 'refused',
      reason: 'BadRequest',
      explanation: expect.stringContaining('No identity is attached.'),
    });
  });

  test('restores one key where one was asked for', async () => {
    const world = await createRestoreWorld();
    await world.ask({ key: 'orders' });
    await approve(world);
    await world.acts.startRestore(ask);
    expect(world.sent).toEqual(['restore orders']);
  });
});

describe('readRestore', () => {
  const ask = { ...HERE, step: 'restore', attempt: 1, jobId: 'job' } as const;
  const job = { jobId: 'job', status: 'InProgress', startedOn: '2030-01-01T00:00:00.000Z' } as const;

  test('follows at the pace of the service, believes the job alone, and may be asked twice', async () => {
    const world = await createRestoreWorld();
    await world.ask();
    world.next.reading = { kind: 'running', job, retryAfterMs: 30_000 };
    expect(await world.acts.readRestore(ask)).toEqual({ kind: 'running', lookAgainOn: '2030-01-01T00:00:30.000Z' });
    world.next.reading = { kind: 'succeeded', job: { ...job, status: 'Succeeded' } };
    expect(await world.acts.readRestore(ask)).toEqual({ kind: 'done' });
    expect(await world.acts.readRestore(ask)).toEqual({ kind: 'done' });
    world.next.reading = { kind: 'failed', job: { ...job, status: 'Failed' }, cause: 'refused', reason: 'Bad blob.' };
    expect(await world.acts.readRestore(ask)).toMatchObject({ kind: 'refused', reason: 'JobFailed' });
    world.next.reading = { kind: 'notFound' };
    expect(await world.acts.readRestore(ask)).toMatchObject({ kind: 'refused', reason: 'JobNotFound' });
  });
});

describe('judgeRestore', () => {
  test('waits for another person, then wants a safety backup of its own, then lets it go on', async () => {
    const world = await createRestoreWorld();
    await world.ask();
    expect(await world.acts.judgeRestore({ ...HERE, stage: 'request' })).toMatchObject({ kind: 'awaitApproval' });
    await enterSafetyBackup(world, '2029-12-31T20:00:00.000Z');
    await approve(world);
    expect(await world.acts.judgeRestore({ ...HERE, stage: 'start' })).toMatchObject({ kind: 'takeSafetyBackup' });
    await enterSafetyBackup(world, '2030-01-01T00:05:00.000Z');
    wait(world, 400);
    expect(await world.acts.judgeRestore({ ...HERE, stage: 'start' })).toMatchObject({ kind: 'proceed' });
  });

  test("refuses the requester's own approval, and a backup that nobody knows", async () => {
    const world = await createRestoreWorld();
    await world.ask();
    await approve(world, 'OID-OMAR');
    expect(await world.acts.judgeRestore({ ...HERE, stage: 'approval' })).toMatchObject({
      reason: 'ApproverIsRequester',
    });
    await world.ask({ backup: 'mhsm-contoso-20200101000000' });
    expect(await world.acts.judgeRestore({ ...HERE, stage: 'request' })).toMatchObject({ reason: 'BackupUnknown' });
  });

  test('a key is restored only when its name is free', async () => {
    const world = await createRestoreWorld();
    await world.ask({ key: 'orders' });
    await approve(world);
    const judge = () => world.acts.judgeRestore({ ...HERE, stage: 'start' });
    expect(await judge()).toMatchObject({ reason: 'KeyStillActive' });
    world.fakeKeys.delete('orders');
    world.deleted.set('orders', { protected: true });
    expect(await judge()).toMatchObject({ reason: 'PurgeProtected' });
    world.deleted.clear();
    expect(await judge()).toMatchObject({ kind: 'proceed' });
  });

  test('a manifest that was changed is no ground for anything', async () => {
    const world = await createRestoreWorld();
    await world.ask({ key: 'orders' });
    world.vault.set(`${BACKUP}.manifest.json`, `${world.vault.get(`${BACKUP}.manifest.json`)} `);
    expect(await world.acts.judgeRestore({ ...HERE, stage: 'request' })).toMatchObject({
      reason: 'ManifestHashMismatch',
    });
  });
});

describe('stageBackup', () => {
  test('puts back what is gone from the landing container, once', async () => {
    const world = await createRestoreWorld();
    await world.ask();
    world.landing.clear();
    expect(await world.acts.stageBackup(HERE)).toEqual({ kind: 'staged', blobs: 2, putBack: 2 });
    expect(await world.acts.stageBackup(HERE)).toEqual({ kind: 'staged', blobs: 2, putBack: 0 });
  });

  test('a backup that is being removed is not read, however whole it may still be', async () => {
    const world = await createRestoreWorld();
    await world.ask();
    const path = `catalogue/contoso/${BACKUP}.json`;
    const stored = await world.documents.read<object>('state', path);
    await world.documents.put('state', path, { ...stored?.value, pruningSince: '2030-01-01T00:00:00Z' });
    expect(await world.acts.stageBackup(HERE)).toMatchObject({ kind: 'refused', reason: 'BackupPruned' });
  });

  test.each([
    ['changed', 'vault', 'THE KEYS', 'CopyNotAsSealed'],
    ['missing', 'vault', undefined, 'CopyNotAsSealed'],
    ['changed', 'landing', 'THE KEYS', 'LandingChanged'],
  ] as const)('a blob that is %s in the %s ends it', async (_, account, text, reason) => {
    const world = await createRestoreWorld();
    await world.ask();
    if (text === undefined) world[account].delete(`${BACKUP}/keys.blob`);
    else world[account].set(`${BACKUP}/keys.blob`, text);
    expect(await world.acts.stageBackup(HERE)).toMatchObject({ kind: 'refused', reason });
  });
});

describe('compareRestore and describeRestore', () => {
  const times = { startedOn: '2030-01-01T00:00:00.000Z', endedOn: '2030-01-01T00:10:00.000Z' };

  test('keeps one report, as JSON and as a page; the first comparison stands', async () => {
    const world = await createRestoreWorld();
    await world.ask();
    const first = await world.acts.compareRestore({ ...HERE, ...times });
    expect(first).toMatchObject({ kind: 'compared', findings: { critical: 0, differences: [] } });
    world.fakeKeys.delete('orders');
    expect(await world.acts.compareRestore({ ...HERE, ...times })).toEqual(first);
    expect(world.stored.has(`evidence/restores/${RESTORE}/report.json`)).toBe(true);
    expect(world.stored.has(`evidence/restores/${RESTORE}/report.html`)).toBe(true);
  });

  test('names what differs, the gravest first, and publishes the restore under one id', async () => {
    const world = await createRestoreWorld();
    await world.ask();
    await approve(world);
    world.fakeKeys.delete('orders');
    world.fakeKeys.set('planted', { versions: [aKey({ name: 'planted' })] });
    const compared = await world.acts.compareRestore({ ...HERE, ...times });
    if (compared.kind !== 'compared') throw new Error('not compared');
    expect(compared.findings.differences).toEqual([
      'critical: keys/orders KeyMissing',
      'warning: keys/planted KeyExtra',
    ]);
    const outcome = { kind: 'restored', ...times, findings: compared.findings } as const;
    const told = { kind: 'ended', outcome } as const;
    const at = times.endedOn;
    const described = await world.acts.describeRestore({ ...HERE, at, told });
    expect(await world.acts.describeRestore({ ...HERE, at, told })).toEqual(described);
    expect(described).toMatchObject({
      notice: { kind: 'RestoreCompleted', approvedBy: 'oid-ana', critical: 1, seconds: 600 },
    });
    expect(new Set(world.published.map(({ id }) => id))).toEqual(new Set([`RestoreCompleted/contoso/${RESTORE}`]));
  });

  test('a restore that did not come about is told with its next step, and publishes nothing', async () => {
    const world = await createRestoreWorld();
    await world.ask();
    const outcome = {
      kind: 'refused',
      reason: 'JobFailed',
      explanation: 'Bad blob.',
      nextStep: 'Take another.',
    } as const;
    await world.acts.endRestore({ ...HERE, outcome });
    const described = await world.acts.describeRestore({
      ...HERE,
      at: times.endedOn,
      told: { kind: 'ended', outcome },
    });
    expect(described).toMatchObject({
      notice: { kind: 'RestoreFailed', step: 'JobFailed', failure: { nextStep: 'Take another.' } },
    });
    expect(world.published).toEqual([]);
  });
});

describe('an approval that the journal does not hold', () => {
  const forged = { by: 'oid-ana', at: '2030-01-01T00:00:00.000Z', decision: 'approved' } as const;
  const start = { ...HERE, step: 'restore', attempt: 1 } as const;

  const refusal = { kind: 'refused', reason: 'ApprovalNotJournaled', nextStep: expect.stringContaining('tampering') };

  async function refusedEverywhere(world: Awaited<ReturnType<typeof createRestoreWorld>>) {
    expect(await world.acts.judgeRestore({ ...HERE, stage: 'approval' })).toMatchObject(refusal);
    expect(await world.acts.judgeRestore({ ...HERE, stage: 'start' })).toMatchObject(refusal);
    expect(await world.acts.startRestore(start)).toMatchObject(refusal);
    expect(world.sent).toEqual([]);
    expect(acts(world)).not.toContain('hsm.restore intent');
  }

  test('restores nothing, whoever wrote it into the store', async () => {
    const world = await createRestoreWorld();
    await world.ask();
    await forgeApproval(world, forged);
    await refusedEverywhere(world);
  });

  test.each([
    ['of another person', { by: 'oid-mallory' }],
    ['of another time', { at: '2030-01-01T07:00:00.000Z' }],
  ])('%s than the journal names restores nothing', async (_, change) => {
    const world = await createRestoreWorld();
    await world.ask();
    await approve(world);
    await forgeApproval(world, { ...forged, ...change });
    await refusedEverywhere(world);
  });

  test('because another person said no restores nothing', async () => {
    const world = await createRestoreWorld();
    const request = await world.ask();
    await journalDecision(world, restoreMatter(world, request), { ...forged, decision: 'denied' });
    await forgeApproval(world, forged);
    await refusedEverywhere(world);
  });

  test.each([{ reason: 'another reason' }, { accepts: ['externalKeys'] }, { by: 'oid-mallory' }] as const)(
    'because what was approved was changed afterwards to %j restores nothing',
    async (change) => {
      const world = await createRestoreWorld();
      const request = await world.ask();
      await approve(world);
      await world.documents.put('state', requestPath(RESTORE), { ...request, ...change });
      await refusedEverywhere(world);
    },
  );

  test('because it was put into a blob of the journal, where it does not fit the chain, restores nothing', async () => {
    const world = await createRestoreWorld();
    await world.ask();
    await approve(world);
    const { lines } = world.journal;
    world.journal.lines = async function* (options) {
      for await (const { blob, line } of lines(options)) yield { blob, line: line.replace('oid-ana', 'oid-eve') };
    };
    await forgeApproval(world, { ...forged, by: 'oid-eve' });
    await refusedEverywhere(world);
  });

  test('names the approver of the journal in its announcement when all is well', async () => {
    const world = await createRestoreWorld();
    await world.ask();
    await approve(world);
    await world.acts.startRestore(start);
    const intent = world.journalled.find(({ class: act, kind }) => act === 'hsm.restore' && kind === 'intent');
    expect(intent?.detail).toMatchObject({ approvedBy: 'oid-ana' });
  });

  test('is not taken for one that nobody gave', async () => {
    const world = await createRestoreWorld();
    await world.ask();
    expect(await world.acts.startRestore(start)).toMatchObject({ reason: 'ApprovalMissing' });
    expect(world.sent).toEqual([]);
  });
});
