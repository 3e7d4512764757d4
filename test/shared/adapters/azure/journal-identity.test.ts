import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StorageService } from '../../../../infra/local/storage/storage.ts';
import { createDocuments } from '../../../../shared/adapters/azure/documents.ts';
import { createJournalLog } from '../../../../shared/adapters/azure/journal-log.ts';
import { createStateAccount } from '../../../../shared/adapters/azure/state-account.ts';
import { type Ground, startBlobs, startGround } from './estate.ts';

let ground: Ground;
let storage: StorageService;

beforeAll(async () => {
  ground = await startGround();
  storage = await startBlobs(ground);
});
afterAll(async () => {
  await storage.stop();
  await ground.stop();
});

const as = (duty: 'observe' | 'record') =>
  createStateAccount({ url: storage.blobUrl, identity: ground.identity(duty) });
const enter = (duty: 'observe' | 'record') =>
  createJournalLog(as(duty), { now: () => new Date('2030-01-01T00:00:00Z') }).append({
    ...{ id: 'r:decision', kind: 'note', class: 'restore.decide', at: '2030-01-01T00:00:00Z', hsm: 'contoso' },
    ...{ target: 'restore', identity: { duty, clientId: 'c' }, cause: 'oid-ana', instance: 'r' },
  });
const decide = (duty: 'observe' | 'record') =>
  createDocuments(as(duty)).create('state', 'restores/r/decision.json', { by: 'oid-ana', decision: 'approved' });

test('who stores a decision cannot enter it in the journal, and is told by name', async () => {
  await expect(decide('observe')).resolves.toHaveProperty('etag');
  await expect(enter('observe')).rejects.toMatchObject({
    code: 'ERR_DENIED',
    message: expect.stringContaining('journal'),
  });
});

test('who enters it in the journal cannot store it', async () => {
  await expect(enter('record')).resolves.toBeUndefined();
  await expect(decide('record')).rejects.toMatchObject({ code: 'ERR_DENIED' });
});
