import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { StorageService } from '../../../../infra/local/storage/storage.ts';
import { createJournalLog } from '../../../../shared/adapters/azure/journal-log.ts';
import { createStateAccount } from '../../../../shared/adapters/azure/state-account.ts';
import type { JournalEntry } from '../../../../shared/journal/entry.ts';
import { createVerifier } from '../../../../shared/journal/verify.ts';
import type { JournalLog } from '../../../../shared/ports/journal-log.ts';
import { type Ground, startBlobs, startGround } from './estate.ts';

let ground: Ground;
let storage: StorageService;
let now: Date;

beforeAll(async () => {
  ground = await startGround();
  storage = await startBlobs(ground);
});
beforeEach(() => {
  now = new Date('2030-01-31T12:00:00Z');
});
afterEach(async () => {
  ground.faults.clear();
  await storage.deleteContents();
});
afterAll(async () => {
  await storage.stop();
  await ground.stop();
});

/** A journal as one instance of the app has it. */
const openJournal = (options?: { blocksPerBlob?: number; behindMs?: number }): JournalLog =>
  createJournalLog(
    createStateAccount({ url: storage.blobUrl, identity: ground.identity('record') }),
    { now: () => new Date(now.getTime() - (options?.behindMs ?? 0)) },
    options,
  );

const entry = (id: string): JournalEntry => ({
  id,
  kind: 'note',
  class: 'test',
  at: now.toISOString(),
  hsm: 'contoso',
  target: 'keys/orders',
  identity: { duty: 'rotate', clientId: 'c' },
  cause: 'sweep',
  instance: 'i',
});
const ids = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

async function readAll(): Promise<{ blobs: string[]; ids: string[]; kind: string }> {
  const verifier = createVerifier((text) => createHash('sha256').update(text).digest('hex'));
  const blobs = new Set<string>();
  const found: string[] = [];
  for await (const { blob, line } of openJournal().lines()) {
    verifier.feed(blob, line);
    blobs.add(blob);
    found.push(JSON.parse(line).id);
  }
  return { blobs: [...blobs], ids: found, kind: verifier.finish().kind };
}
const told = (found: string[]) => found.filter((id) => !id.startsWith('journal:'));

describe('the journal', () => {
  test('takes 50 entries at once in a few blocks, as one unbroken chain', async () => {
    const journal = openJournal();
    const wanted = ids('a', 50);
    await Promise.all(wanted.map((id) => journal.append(entry(id))));
    expect(await readAll()).toEqual({ blobs: ['2030/01/31.jsonl'], ids: wanted, kind: 'unbroken' });
  });

  test('stays one chain when several instances write, and each finds its end moved', async () => {
    const journals = ['a', 'b', 'c'].map((name) => ({ name, journal: openJournal() }));
    const wanted: string[] = [];
    for (const round of [1, 2, 3]) {
      const written = journals.flatMap(({ name, journal }) =>
        ids(`${name}${round}`, 5).map((id) => ({ id, done: journal.append(entry(id)) })),
      );
      wanted.push(...written.map(({ id }) => id));
      await Promise.all(written.map(({ done }) => done));
    }
    const found = await readAll();
    expect(found.kind).toBe('unbroken');
    expect(found.ids.toSorted()).toEqual(wanted.toSorted());
  });

  test.each(['before', 'after'] as const)('writes an entry once when the reply is lost %s the effect', async (when) => {
    const journal = openJournal();
    await journal.append(entry('first'));
    ground.faults.add({ service: 'blob', operation: 'AppendBlock', lostReply: when, count: 1 });
    await Promise.all(ids('lost', 3).map((id) => journal.append(entry(id))));
    await journal.append(entry('last'));
    expect(await readAll()).toMatchObject({ ids: ['first', ...ids('lost', 3), 'last'], kind: 'unbroken' });
  });

  test('finds its own entry among those that another instance wrote after it', async () => {
    const [one, other] = [openJournal(), openJournal()];
    await one.append(entry('first'));
    await other.append(entry('second'));
    // One's knowledge is old, and the reply to its repeat is lost.
    ground.faults.add({ service: 'blob', operation: 'AppendBlock', lostReply: 'after', count: 2 });
    await Promise.all([one.append(entry('third')), other.append(entry('fourth'))]);
    const found = await readAll();
    expect(found.kind).toBe('unbroken');
    expect(found.ids.toSorted()).toEqual(['first', 'fourth', 'second', 'third']);
  });

  test('goes on over midnight, though one instance is a little behind and believes in yesterday', async () => {
    const [ahead, behind] = [openJournal(), openJournal({ behindMs: 60_000 })];
    now = new Date('2030-01-31T23:59:59Z');
    await behind.append(entry('evening'));
    now = new Date('2030-02-01T00:00:01Z');
    await ahead.append(entry('midnight'));
    await behind.append(entry('late'));
    now = new Date('2030-02-01T09:00:00Z');
    await openJournal().append(entry('morning'));
    const found = await readAll();
    expect(found).toMatchObject({ blobs: ['2030/01/31.jsonl', '2030/02/01.jsonl'], kind: 'unbroken' });
    expect(told(found.ids)).toEqual(['evening', 'midnight', 'late', 'morning']);
  });

  test('takes a further part when a blob is full, and keeps the order beyond the ninth', async () => {
    const journal = openJournal({ blocksPerBlob: 2 });
    const wanted = ids('part', 12);
    for (const id of wanted) await journal.append(entry(id));
    const found = await readAll();
    expect(found.kind).toBe('unbroken');
    expect(told(found.ids)).toEqual(wanted);
    expect(found.blobs.slice(0, 2)).toEqual(['2030/01/31.jsonl', '2030/01/31-2.jsonl']);
    expect(found.blobs.at(-1)).toBe('2030/01/31-12.jsonl');
  });

  test('is read from a day on', async () => {
    const journal = openJournal();
    await journal.append(entry('january'));
    now = new Date('2030-02-03T00:00:00Z');
    await journal.append(entry('february'));
    const found = [];
    for await (const { line } of journal.lines({ from: '2030-02-01T10:00:00Z' })) found.push(JSON.parse(line).id);
    expect(found).toEqual(['february']);
  });

  test('begins anew, still as a chain, when it was deleted under a running instance', async () => {
    const journal = openJournal();
    await journal.append(entry('old'));
    await storage.deleteContents();
    await journal.append(entry('new'));
    expect(await readAll()).toMatchObject({ ids: ['new'], kind: 'unbroken' });
  });

  test('does not let an act pass unrecorded: it throws when it may not be written, and recovers', async () => {
    const journal = openJournal();
    await journal.append(entry('first'));
    ground.faults.add({
      service: 'blob',
      operation: 'AppendBlock',
      status: 403,
      code: 'AuthorizationFailure',
      count: 1,
    });
    await expect(journal.append(entry('denied'))).rejects.toMatchObject({ code: 'ERR_DENIED' });
    await journal.append(entry('second'));
    expect(await readAll()).toMatchObject({ ids: ['first', 'second'], kind: 'unbroken' });
  });
});
