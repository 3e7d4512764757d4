import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Answer } from '../../../../../infra/local/http.ts';
import { KeyVaultBackupClient, serializedJob } from '../../../../../shared/adapters/azure/keyvault-admin/index.ts';
import { type Ground, startGround } from '../estate.ts';
import {
  type Entry,
  type FakeHsm,
  job,
  loadRecording,
  pathOf,
  recordingsPresent,
  replay,
  startFakeHsm,
} from './fake-hsm.ts';

const CONTAINER = 'https://account.blob.core.windows.net/backups';
const FOLDER = `${CONTAINER}/mhsm-contoso-2026042916082769`;
const JOB = 'e6c83ddf390c4bd8b6b882c1a8c5a754';
const fast = { intervalInMs: 1 };

let ground: Ground;
let hsm: FakeHsm;
let client: KeyVaultBackupClient;

beforeAll(async () => {
  ground = await startGround();
  hsm = await startFakeHsm(ground);
});
beforeEach(async () => {
  client = new KeyVaultBackupClient(hsm.uri, await ground.identity('rotate').credential(), {
    retryOptions: { maxRetries: 2, retryDelayInMs: 1, maxRetryDelayInMs: 5 },
  });
  hsm.forget();
  hsm.takeAnonymous();
});
afterAll(async () => {
  await hsm.close();
  await ground.stop();
});

/** Answers the calls in turn; the rehearsal, which asks for job 0, gets the 404 of the service. */
const answers = (...queue: Answer[]) =>
  hsm.answer(({ path }) =>
    path.includes('/00000000')
      ? { status: 404, body: { error: { code: 'NotFound', message: 'no' } } }
      : (queue.shift() ?? { destroy: true }),
  );
const accepted = (changes = {}): Answer => ({ status: 202, body: job(changes), headers: { 'Retry-After': '10' } });
const polled = (changes = {}): Answer => ({ status: 200, body: job(changes) });
const started = () => hsm.calls().filter((call) => !call.startsWith('GET'));

describe('a start', () => {
  test('goes out once, with its token, after a rehearsal took the challenge', async () => {
    answers(accepted());
    const poller = await client.beginBackup(CONTAINER);
    expect(poller.getOperationState()).toMatchObject({ jobId: JOB, status: 'running', isCompleted: false });
    expect(hsm.takeAnonymous()).toEqual([`GET /backup/${'0'.repeat(32)}/pending`]);
    expect(hsm.seen.at(-1)).toEqual({
      method: 'POST',
      path: '/backup',
      query: '?api-version=2025-07-01',
      body: { storageResourceUri: CONTAINER, useManagedIdentity: true },
    });
  });

  test('is rehearsed the first time only', async () => {
    answers(accepted(), accepted());
    await client.beginBackup(CONTAINER);
    await client.beginBackup(CONTAINER);
    expect(started()).toEqual(['POST /backup', 'POST /backup']);
    expect(hsm.calls()).toHaveLength(3);
  });

  test.each([
    ['a lost reply', { destroy: true }],
    ['503', { status: 503, headers: { 'Retry-After': '0' } }],
    ['429', { status: 429, headers: { 'Retry-After': '0' } }],
    [
      '401 with a new challenge',
      { status: 401, headers: { 'WWW-Authenticate': 'Bearer resource="https://managedhsm.azure.net"' } },
    ],
    ['a redirect', { status: 307, headers: { location: '/elsewhere' } }],
  ] satisfies [string, Answer][])('is not repeated after %s', async (_, answer) => {
    answers(answer, accepted());
    await client.beginBackup(CONTAINER).catch(() => undefined);
    expect(started()).toEqual(['POST /backup']);
  });

  test('that meets a used-up token is rehearsed again the next time', async () => {
    answers({ status: 401 }, accepted());
    await expect(client.beginBackup(CONTAINER)).rejects.toMatchObject({ statusCode: 401 });
    await client.beginBackup(CONTAINER);
    expect(hsm.calls().map((call) => call.split(' ')[0])).toEqual(['GET', 'POST', 'GET', 'POST']);
  });

  test('with a SAS token passes it on and does not ask for the identity', async () => {
    answers(accepted());
    await client.beginBackup(CONTAINER, 'sig=abc');
    expect(hsm.seen.at(-1)?.body).toEqual({
      storageResourceUri: CONTAINER,
      token: 'sig=abc',
      useManagedIdentity: false,
    });
  });

  test('of a restore names container and folder apart', async () => {
    answers(accepted(), accepted(), accepted());
    await client.beginRestore(FOLDER);
    await client.beginPreRestore(FOLDER);
    await client.beginSelectiveKeyRestore(
      'orders',
      'https://localhost:10000/devstoreaccount1/landing/mhsm-x-20260101000000',
    );
    const sasTokenParameters = { storageResourceUri: CONTAINER, useManagedIdentity: true };
    expect(hsm.seen.slice(-3).map(({ path, body }) => [path, body])).toEqual([
      ['/restore', { sasTokenParameters, folderToRestore: 'mhsm-contoso-2026042916082769' }],
      ['/prerestore', { sasTokenParameters, folderToRestore: 'mhsm-contoso-2026042916082769' }],
      [
        '/keys/orders/restore',
        {
          sasTokenParameters: {
            ...sasTokenParameters,
            storageResourceUri: 'https://localhost:10000/devstoreaccount1/landing',
          },
          folder: 'mhsm-x-20260101000000',
        },
      ],
    ]);
  });

  test('that was refused says so in the words of the service', async () => {
    const message = 'Another backup operation is in progress';
    answers({ status: 409, body: { error: { code: 'Conflict', message } } });
    await expect(client.beginBackup(CONTAINER)).rejects.toMatchObject({ statusCode: 409, code: 'Conflict', message });
  });
});

describe('a job', () => {
  test('is followed to its end, under an address built from its id', async () => {
    answers(
      // Early answers lack the slash after the host; all lack the api-version.
      {
        status: 202,
        body: job({ jobId: null }),
        headers: { 'Azure-AsyncOperation': `${hsm.uri}backup/${JOB}/pending` },
      },
      polled(),
      polled({ status: 'Succeeded', endTime: 1777478962, azureStorageBlobContainerUri: FOLDER }),
    );
    const poller = await client.beginBackup(CONTAINER, fast);
    expect(await poller.pollUntilDone()).toEqual({
      folderUri: FOLDER,
      startTime: new Date(1777478907000),
      endTime: new Date(1777478962000),
    });
    expect(hsm.seen.at(-1)).toMatchObject({ path: `/backup/${JOB}/pending`, query: '?api-version=2025-07-01' });
    expect(poller.isDone()).toBe(true);
  });

  test('that fails says why, though the answer is a 200', async () => {
    const error = { code: 'BadRequest', innererror: null, message: 'The SAS token is malformed.' };
    answers(accepted(), polled({ status: 'Failed', statusDetails: 'Invalid Request', error, endTime: 1777478908 }));
    const poller = await client.beginBackup(CONTAINER, fast);
    await expect(poller.poll()).rejects.toMatchObject({ code: 'BadRequest', message: error.message });
    expect(poller.getOperationState()).toMatchObject({
      status: 'failed',
      statusDetails: 'Invalid Request',
      isCompleted: true,
    });
    await expect(poller.pollUntilDone()).rejects.toMatchObject({ code: 'BadRequest' });
  });

  test('may have failed in the 202 already, and then is not asked about', async () => {
    answers(accepted({ status: 'Failed', statusDetails: 'ResourceNotFound', error: { code: null, message: null } }));
    const poller = await client.beginBackup(CONTAINER);
    expect(poller.isDone()).toBe(true);
    await expect(poller.pollUntilDone()).rejects.toMatchObject({ code: 'ResourceNotFound' });
    expect(hsm.calls().at(-1)).toBe('POST /backup');
  });

  test('did not fail when its error object holds nothing but nulls', async () => {
    const error = { code: null, message: null, innererror: null };
    answers(accepted({ error }), polled({ error, status: 'Succeeded', azureStorageBlobContainerUri: FOLDER }));
    const poller = await client.beginBackup(CONTAINER, fast);
    expect(await poller.pollUntilDone()).toMatchObject({ folderUri: FOLDER });
  });

  test('is taken up by another poller without a second start', async () => {
    answers(accepted(), polled({ status: 'Succeeded', azureStorageBlobContainerUri: FOLDER }));
    const serialized = (await client.beginBackup(CONTAINER)).toString();
    expect(serialized).toBe(serializedJob(JOB));
    const poller = await client.beginBackup(CONTAINER, { resumeFrom: serialized, ...fast });
    expect(await poller.pollUntilDone()).toMatchObject({ folderUri: FOLDER });
    expect(started()).toEqual(['POST /backup']);
  });

  test('can be asked about again after polls that were lost or refused', async () => {
    answers({ destroy: true }, { destroy: true }, { destroy: true }, { status: 404 }, polled({ status: 'Succeeded' }));
    const poller = await client.beginRestore(FOLDER, { resumeFrom: serializedJob(JOB) });
    await expect(poller.poll()).rejects.toThrow();
    await expect(poller.poll()).rejects.toMatchObject({ statusCode: 404 });
    await poller.poll();
    expect(poller.getOperationState().status).toBe('succeeded');
  });

  test('hands every answer to who wants to see its headers', async () => {
    answers(accepted());
    const waits: unknown[] = [];
    await client.beginBackup(CONTAINER, { onResponse: ({ headers }) => waits.push(headers.get('retry-after')) });
    expect(waits).toEqual(['10']);
  });

  test('that is accepted without an id counts as not answered', async () => {
    answers(accepted({ jobId: null }));
    await expect(client.beginBackup(CONTAINER)).rejects.toMatchObject({ code: 'PARSE_ERROR' });
  });
});

describe.skipIf(!recordingsPresent())('exchanges recorded with the real service', () => {
  /** Plays a recording in its order, and checks that what we send is what was sent. */
  const play = (entries: Entry[]) => {
    const queue = entries.filter(({ StatusCode }) => StatusCode !== 401);
    const differences: unknown[] = [];
    hsm.answer(({ method, path, body }) => {
      if (path.includes('/00000000')) return { status: 404 };
      const next = queue.shift();
      if (!next) return { destroy: true };
      const text = body.toString('utf8');
      const sent = { method, path, body: text === '' ? null : JSON.parse(text) };
      const recorded = { method: next.RequestMethod, path: pathOf(next), body: next.RequestBody };
      try {
        expect(sent).toEqual(recorded);
      } catch (difference) {
        differences.push(difference);
      }
      return replay(next);
    });
    return () => expect({ differences, left: queue.length }).toEqual({ differences: [], left: 0 });
  };

  test('a backup and a restore, each with its check', async () => {
    const entries = loadRecording('mhsm-full-backup-and-restore.2025-07-01.json');
    const { storageResourceUri: uri } = (entries[1] as Entry).RequestBody as { storageResourceUri: string };
    // The recorder swallowed the slash before the container, so that only the host could be asked for.
    const whole = entries.map((entry) => JSON.parse(JSON.stringify(entry).replaceAll(uri, CONTAINER)) as Entry);
    const finished = play(whole);
    await (await client.beginPreBackup(CONTAINER, fast)).pollUntilDone();
    const { folderUri = '' } = await (await client.beginBackup(CONTAINER, fast)).pollUntilDone();
    expect(folderUri).toBe(`${CONTAINER}/mhsm-ncamillucci-sdkhsm-2026042916082769`);
    await (await client.beginPreRestore(folderUri, fast)).pollUntilDone();
    const { startTime, endTime } = await (await client.beginRestore(folderUri, fast)).pollUntilDone();
    expect((endTime?.getTime() ?? 0) - (startTime?.getTime() ?? 0)).toBe(55_000);
    finished();
  });

  test('a selective restore, which counts the versions', async () => {
    const finished = play(
      loadRecording('mhsm-selective-key-restore.7.5.json').filter(({ RequestMethod }) => RequestMethod !== 'DELETE'),
    );
    const folder = 'https://uri.blob.core.windows.net/uri/mhsm-mlegerhsm5hsm-2024111821010137';
    const poller = await client.beginSelectiveKeyRestore('rsa1', folder, fast);
    await poller.pollUntilDone();
    expect(poller.getOperationState().statusDetails).toMatch(/key versions restored: 2,/);
    finished();
  });

  test('checks that fail after they were accepted', async () => {
    const finished = play(loadRecording('mhsm-failed-operations.7.6.json'));
    const malformed = { code: 'BadRequest', message: expect.stringContaining('SAS token is malformed') };
    const preBackup = await client.beginPreBackup('https://uri.blob.core.windows.net/uri', 'Sanitized', fast);
    await expect(preBackup.pollUntilDone()).rejects.toMatchObject(malformed);
    const preRestore = await client.beginPreRestore('https://uri.blob.core.windows.net/uri', 'Sanitized', fast);
    await expect(preRestore.pollUntilDone()).rejects.toMatchObject(malformed);
    finished();
  });
});
