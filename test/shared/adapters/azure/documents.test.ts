import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { StorageService } from '../../../../infra/local/storage/storage.ts';
import { createDocuments } from '../../../../shared/adapters/azure/documents.ts';
import { createStateAccount } from '../../../../shared/adapters/azure/state-account.ts';
import type { Documents } from '../../../../shared/ports/documents.ts';
import { type Ground, startBlobs, startGround } from './estate.ts';

let ground: Ground;
let storage: StorageService;
let documents: Documents;
let next = 0;
const freshPath = () => `tests/${next++}.json`;

beforeAll(async () => {
  ground = await startGround();
  storage = await startBlobs(ground);
  documents = createDocuments(createStateAccount({ url: storage.blobUrl, identity: ground.identity('observe') }));
});
afterEach(() => ground.faults.clear());
afterAll(async () => {
  await storage.stop();
  await ground.stop();
});

const etagOf = (written: { etag: string } | string): string => {
  if (typeof written === 'string') throw new Error(`Not written: ${written}`);
  return written.etag;
};

describe('documents', () => {
  test('are read as they were written, with the ETag of the write', async () => {
    const path = freshPath();
    const etag = etagOf(await documents.create('state', path, { owner: 'Ådá', n: 1 }));
    expect(await documents.read('state', path)).toEqual({ value: { owner: 'Ådá', n: 1 }, etag });
  });

  test('are undefined when they do not exist', async () => {
    expect(await documents.read('state', freshPath())).toBeUndefined();
    expect(await documents.readText('policy', freshPath())).toBeUndefined();
  });

  test('are created once: of many writers exactly one is first', async () => {
    const path = freshPath();
    const written = await Promise.all([1, 2, 3, 4, 5].map((n) => documents.create('state', path, { n })));
    expect(written.filter((result) => result === 'exists')).toHaveLength(4);
  });

  test('are not created twice by two writers that write the same', async () => {
    const path = freshPath();
    await documents.create('state', path, { holder: 'same' });
    expect(await documents.create('state', path, { holder: 'same' })).toBe('exists');
  });

  test('are replaced only as they were read: of many writers exactly one wins', async () => {
    const path = freshPath();
    const etag = etagOf(await documents.create('state', path, { n: 0 }));
    const written = await Promise.all([1, 2, 3, 4, 5].map((n) => documents.replace('state', path, { n }, etag)));
    expect(written.filter((result) => result === 'changed')).toHaveLength(4);
  });

  test('that were removed cannot be replaced', async () => {
    const path = freshPath();
    const etag = etagOf(await documents.create('state', path, { n: 0 }));
    await documents.remove('state', path);
    await documents.remove('state', path);
    expect(await documents.replace('state', path, { n: 1 }, etag)).toBe('changed');
  });

  test('that lose their reply count as written, be it a creation, a replacement or a keeping', async () => {
    const path = freshPath();
    const loseReply = () => ground.faults.add({ service: 'blob', operation: 'BlobPut', lostReply: 'after', count: 1 });
    loseReply();
    const etag = etagOf(await documents.create('state', path, { n: 1 }));
    loseReply();
    const replaced = etagOf(await documents.replace('state', path, { n: 2 }, etag));
    expect(await documents.read('state', path)).toEqual({ value: { n: 2 }, etag: replaced });
    loseReply();
    expect(await documents.keep('key-backups', path, Buffer.from('blob'), { key: 'orders' })).toBe('kept');
  });

  test('that lose their request are written by the repeat', async () => {
    ground.faults.add({ service: 'blob', operation: 'BlobPut', lostReply: 'before', count: 1 });
    expect(await documents.create('state', freshPath(), {})).toHaveProperty('etag');
  });

  test('that are kept stay as they were first kept', async () => {
    const path = freshPath();
    await documents.keep('key-backups', path, Buffer.from('first'), {});
    expect(await documents.keep('key-backups', path, Buffer.from('second'), {})).toBe('exists');
    expect((await documents.readText('key-backups', path))?.value).toBe('first');
  });

  test('are put over whatever is there, and listed by the beginning of their names', async () => {
    await documents.put('evidence', 'drills/1.json', { n: 1 });
    await documents.put('evidence', 'drills/1.json', { n: 2 });
    await documents.put('evidence', 'drills/2.json', { n: 3 });
    await documents.put('evidence', 'reports/1.json', {});
    const names = [];
    for await (const name of documents.list('evidence', 'drills/')) names.push(name);
    expect(names).toEqual(['drills/1.json', 'drills/2.json']);
    expect((await documents.read('evidence', 'drills/1.json'))?.value).toEqual({ n: 2 });
  });

  test('say what is wrong when they hold no JSON, or may not be read', async () => {
    await storage.putBlob('policy', 'policy.json', '{ "defaults": ', 'application/json');
    await expect(documents.read('policy', 'policy.json')).rejects.toMatchObject({ code: 'ERR_INPUT' });
    ground.faults.add({ service: 'blob', operation: 'BlobGet', status: 403, code: 'AuthorizationPermissionMismatch' });
    await expect(documents.read('policy', 'policy.json')).rejects.toMatchObject({
      code: 'ERR_DENIED',
      denial: { duty: 'observe' },
    });
  });
});
