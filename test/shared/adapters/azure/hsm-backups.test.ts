import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Answer } from '../../../../infra/local/http.ts';
import { createHsmBackups } from '../../../../shared/adapters/azure/hsm-backups.ts';
import { causeOf, REFUSAL_WORDS } from '../../../../shared/adapters/azure/refusal-words.ts';
import type { HsmBackups } from '../../../../shared/ports/hsm-backups.ts';
import { type Ground, startGround } from './estate.ts';
import {
  type FakeHsm,
  job,
  loadRecording,
  recordingsPresent,
  replay,
  startFakeHsm,
} from './keyvault-admin/fake-hsm.ts';

const CONTAINER = 'https://account.blob.core.windows.net/backups';
const FOLDER = `${CONTAINER}/mhsm-contoso-20260429160827`;
const JOB = 'e6c83ddf390c4bd8b6b882c1a8c5a754';

let ground: Ground;
let hsm: FakeHsm;
let backups: HsmBackups;

beforeAll(async () => {
  ground = await startGround();
  hsm = await startFakeHsm(ground);
});
beforeEach(() => {
  backups = createHsmBackups({ hsms: [{ name: 'contoso', uri: hsm.uri }], identity: ground.identity('backup') });
  hsm.forget();
});
afterAll(async () => {
  await hsm.close();
  await ground.stop();
});

const answers = (...queue: Answer[]) =>
  hsm.answer(({ path }) => (path.includes('/00000000') ? { status: 404 } : (queue.shift() ?? { destroy: true })));
const refused = (status: number, message: string, code = 'BadRequest'): Answer => ({
  status,
  body: { error: { code, message, innererror: null } },
});
const starts = () => hsm.calls().filter((call) => !call.startsWith('GET'));

describe('a start', () => {
  test('names the job, and how long to wait before asking', async () => {
    answers({ status: 202, body: job(), headers: { 'Retry-After': '10' } });
    expect(await backups.startBackup('contoso', CONTAINER)).toEqual({
      kind: 'started',
      jobId: JOB,
      retryAfterMs: 10_000,
    });
  });

  test.each(['preCheckBackup', 'startBackup', 'preCheckRestore', 'startRestore'] as const)(
    '%s is sent once, to its own address',
    async (act) => {
      answers({ status: 202, body: job() });
      await backups[act]('contoso', FOLDER);
      const path = { preCheckBackup: 'prebackup', startBackup: 'backup', preCheckRestore: 'prerestore' };
      expect(starts().map((call) => call.split('/')[1])).toEqual([
        act in path ? path[act as 'startBackup'] : 'restore',
      ]);
    },
  );

  test.each([
    ['a reply that was lost', { destroy: true }],
    ['a gateway that gave up', { status: 504 }],
    ['an acceptance that was cut off', { status: 202, body: '{"status":"InPro' }],
  ] satisfies [string, Answer][])('that ends with %s may have begun, and is not repeated', async (_, answer) => {
    answers(answer, { status: 202, body: job() });
    expect(await backups.startBackup('contoso', CONTAINER)).toMatchObject({ kind: 'unknown' });
    expect(starts()).toEqual(['POST /backup']);
  });

  test('that is not answered in time may have begun', async () => {
    const { uri } = hsm;
    const impatient = createHsmBackups({
      hsms: [{ name: 'contoso', uri }],
      identity: ground.identity('backup'),
      // Enough for the rehearsal on a slow machine.
      requestMs: 1_500,
    });
    hsm.answer(async ({ method }) => {
      if (method === 'POST') await new Promise((resolve) => setTimeout(resolve, 3_000));
      return { status: 404 };
    });
    expect(await impatient.startBackup('contoso', CONTAINER)).toMatchObject({ kind: 'unknown' });
    expect(starts()).toEqual(['POST /backup']);
  });

  test('that was kept back by its rehearsal has surely not begun', async () => {
    hsm.answer(() => ({ status: 503, headers: { 'Retry-After': '0' } }));
    await expect(backups.startBackup('contoso', CONTAINER)).rejects.toMatchObject({ code: 'ERR_TRANSIENT' });
    expect(starts()).toEqual([]);
  });

  test.each([
    [429, 'ERR_THROTTLED'],
    [401, 'ERR_TRANSIENT'],
    [403, 'ERR_DENIED'],
  ])('that meets %i has not begun, and says what to do', async (status, code) => {
    answers({ status });
    await expect(backups.startBackup('contoso', CONTAINER)).rejects.toMatchObject({ code });
  });

  test('while another runs is told so, because it may be our own', async () => {
    const reason = 'Another backup operation is in progress';
    answers(refused(409, reason, 'Conflict'));
    expect(await backups.startBackup('contoso', CONTAINER)).toEqual({ kind: 'busy', code: 'Conflict', reason });
  });

  test('that the service does not take is a value, with its words', async () => {
    answers(refused(400, 'The container does not exist.'));
    expect(await backups.startRestore('contoso', FOLDER)).toMatchObject({ kind: 'refused', code: 'BadRequest' });
  });

  test('that was accepted and had failed at once names the job as well', async () => {
    answers({ status: 202, body: job({ status: 'Failed', statusDetails: 'ResourceNotFound' }) });
    expect(await backups.startBackup('contoso', CONTAINER)).toEqual({
      kind: 'refused',
      code: 'ResourceNotFound',
      reason: 'ResourceNotFound',
      jobId: JOB,
    });
  });

  test('on an HSM that is not ours is refused before anything is sent', async () => {
    await expect(backups.startBackup('fabrikam', CONTAINER)).rejects.toMatchObject({ code: 'ERR_INPUT' });
  });
});

describe('the 30 minutes between backup and restore', () => {
  test.each([
    ['A full backup of this HSM must have been completed at least 30 minutes before a restore.', 'tooSoon'],
    ['A full backup of this HSM must have been completed within the last 30 minutes.', 'tooLate'],
    ['The blob is not a backup.', 'refused'],
  ])('are recognised by their words: %s', async (message, kind) => {
    answers(refused(400, message));
    expect(await backups.startRestore('contoso', FOLDER)).toMatchObject({ kind, reason: message });
  });

  test('are recognised in a job that failed, too', async () => {
    const message = 'A backup must be completed at least 30 minutes before.';
    answers({ status: 200, body: job({ status: 'Failed', error: { code: 'BadRequest', message } }) });
    expect(await backups.readJob('contoso', 'restore', JOB)).toMatchObject({ kind: 'failed', cause: 'tooSoon' });
  });

  test('are recognised by the words of the installation when the service has others', () => {
    const words = { ...REFUSAL_WORDS, tooSoon: [['patience', 'please']] };
    expect(causeOf('Patience, if you please', words)).toBe('tooSoon');
    expect(causeOf('Patience, if you please', REFUSAL_WORDS)).toBe('refused');
  });
});

describe('a job', () => {
  test('that runs shows since when', async () => {
    answers({ status: 200, body: job() });
    expect(await backups.readJob('contoso', 'backup', JOB)).toEqual({
      kind: 'running',
      job: { jobId: JOB, status: 'InProgress', startedOn: '2026-04-29T16:08:27.000Z' },
    });
    expect(hsm.calls()).toEqual([`GET /backup/${JOB}/pending`]);
  });

  test('that succeeded shows where the backup lies', async () => {
    answers({
      status: 200,
      body: job({ status: 'Succeeded', endTime: 1777478962, azureStorageBlobContainerUri: FOLDER }),
    });
    expect(await backups.readJob('contoso', 'backup', JOB)).toMatchObject({
      kind: 'succeeded',
      job: { folderUri: FOLDER, endedOn: '2026-04-29T16:09:22.000Z' },
    });
  });

  test('that the service does not know is told so', async () => {
    answers(refused(404, `Job id not found: ${JOB}`, 'NotFound'));
    expect(await backups.readJob('contoso', 'restore', JOB)).toEqual({ kind: 'notFound' });
    expect(hsm.calls()).toEqual([`GET /restore/${JOB}/pending`]);
  });

  test('is asked about again after a lost poll, and only a poll that stays lost is a fault', async () => {
    answers({ destroy: true }, { status: 200, body: job() });
    expect(await backups.readJob('contoso', 'backup', JOB)).toMatchObject({ kind: 'running' });
  });

  test('that is hidden by a running restore keeps its HSM busy', async () => {
    answers(refused(409, 'User triggered Restore operation is in progress', 'Conflict'));
    await expect(backups.readJob('contoso', 'backup', JOB)).rejects.toMatchObject({ code: 'ERR_HSM_BUSY' });
  });

  test.skipIf(!recordingsPresent())('that failed was recorded as a 200', async () => {
    const failed = loadRecording('mhsm-failed-operations.7.6.json').filter(
      ({ RequestMethod }) => RequestMethod === 'GET',
    );
    answers(...failed.map(replay));
    expect(await backups.readJob('contoso', 'backup', '6f2d1d4df7d74653824884bf4186bee9')).toMatchObject({
      kind: 'failed',
      cause: 'refused',
      reason: expect.stringContaining('SAS token is malformed'),
      job: { status: 'Failed', statusDetails: 'Invalid Request', error: { code: 'BadRequest' } },
    });
  });
});
