import { describe, expect, test } from 'vitest';
import { backupPruningActivities } from '../../../functions/activities/backup-pruning.ts';
import { enterRecord, readRecord, readRecords } from '../../../functions/activities/catalogue.ts';
import { previewRetention } from '../../../functions/operator/backups.ts';
import { isGood } from '../../../shared/backup/catalogue.ts';
import type { BlobHold } from '../../../shared/ports/backup-vault.ts';
import { aRecord } from '../../shared/backup/builders.ts';
import { createFakeVault } from '../../support/vault.ts';
import { createFakeWorld } from '../../support/world.ts';

const HSM = 'contoso';
const NEW = aRecord('2029-12-31T02:00:00.000Z');
const OLD = aRecord('2029-06-02T02:00:00.000Z');
const OLDER = aRecord('2029-06-01T02:00:00.000Z');
const LEGAL: BlobHold = { kind: 'legalHold' };
const LATER: BlobHold = { kind: 'locked', until: '2030-06-01T00:00:00.000Z' };

const blobsOf = (id: string) => [`${id}/keys.bin`, `${id}/roles.bin`, `${id}.manifest.json`];

/** Three backups, of which the policy keeps the newest alone. */
async function aWorld() {
  const world = createFakeWorld();
  world.identities.backup = { duty: 'backup', clientId: 'backup-client' };
  const { vault, blobs } = createFakeVault([NEW, OLD, OLDER].flatMap(({ id }) => blobsOf(id)));
  world.backups = { vault } as unknown as NonNullable<typeof world.backups>;
  const policy = {
    version: 1,
    backup: { retention: { last: 1, daily: 0, weekly: 0, monthly: 0, yearly: 0 } },
    owners: { fallback: ['keys@contoso.example'] },
  };
  await world.documents.put('policy', 'policy.json', JSON.stringify(policy));
  for (const record of [NEW, OLD, OLDER]) await enterRecord(world.documents, record);
  let run = 0;
  const prune = () =>
    backupPruningActivities(world).pruneBackups({ hsm: HSM, instance: `backup-${++run}`, dryRun: false });
  const left = (id: string) => blobsOf(id).filter((path) => blobs.has(path)).length;
  const good = async () => (await readRecords(world.documents, HSM)).filter(isGood).map(({ id }) => id);
  return { world, vault, blobs, prune, left, good };
}

describe('pruneBackups', () => {
  test('removes what the retention lets go, the manifest last, announced before and answered for after', async () => {
    const { world, vault, prune, left, good } = await aWorld();
    const { remove } = vault;
    const order: string[] = [];
    vault.remove = async (path) => {
      order.push(path);
      return remove(path);
    };
    expect(await prune()).toMatchObject({ removed: [OLD.id, OLDER.id] });
    expect(order).toEqual([OLD, OLDER].flatMap(({ id }) => blobsOf(id)));
    expect([left(NEW.id), left(OLD.id), left(OLDER.id)]).toEqual([3, 0, 0]);
    expect(await good()).toEqual([NEW.id]);
    expect(world.journalled.map(({ kind, result }) => result ?? kind)).toEqual(['intent', 'done', 'intent', 'done']);
    expect(await prune()).toMatchObject({ removed: [] });
  });

  test.each([0, 1, 2])(
    'leaves a backup whole and good when a legal hold is on its blob %i, and tells it',
    async (index) => {
      const { world, blobs, prune, left, good } = await aWorld();
      blobs.set(blobsOf(OLD.id)[index] ?? '', LEGAL);
      const pruned = await prune();
      expect(pruned).toMatchObject({
        removed: [OLDER.id],
        held: [{ id: OLD.id, takenOn: OLD.takenOn, by: 'legalHold', whole: true }],
        notices: [{ id: 'backups-held-contoso-legalHold', notice: { kind: 'BackupHeld' }, repeatAfter: 'P90D' }],
      });
      expect(left(OLD.id)).toBe(3);
      expect(await good()).toEqual([NEW.id, OLD.id]);
      expect(world.journalled.filter(({ target }) => target === OLD.id)).toEqual([]);
      expect(await previewRetention(world, HSM)).toMatchObject({ body: { held: [{ id: OLD.id, by: 'legalHold' }] } });
    },
  );

  test('tells a lock that ends later than the catalogue knows, with its end', async () => {
    const { blobs, prune } = await aWorld();
    blobs.set(`${OLD.id}/roles.bin`, LATER);
    expect(await prune()).toMatchObject({ held: [{ by: 'locked', until: LATER.until, whole: true }] });
  });

  test('offers nobody what a hold set midway has broken, says so, and removes the rest when the hold ends', async () => {
    const { world, vault, blobs, prune, left, good } = await aWorld();
    const { remove } = vault;
    vault.remove = async (path) => {
      const removal = await remove(path);
      if (path === `${OLD.id}/keys.bin`) blobs.set(`${OLD.id}/roles.bin`, LEGAL);
      return removal;
    };
    expect(await prune()).toMatchObject({ removed: [OLDER.id], held: [{ id: OLD.id, whole: false }] });
    expect(left(OLD.id)).toBe(2);
    expect(await good()).toEqual([NEW.id]);
    expect(world.journalled.find(({ target, result }) => target === OLD.id && result)?.result).toBe('refused');
    expect(await prune()).toMatchObject({ removed: [], held: [{ id: OLD.id, whole: false }] });
    blobs.set(`${OLD.id}/roles.bin`, undefined);
    expect(await prune()).toMatchObject({ removed: [OLD.id] });
    expect(left(OLD.id)).toBe(0);
    expect(await readRecord(world.documents, HSM, OLD.id)).toHaveProperty('prunedOn');
  });

  test('killed before or after any of its effects leaves no good backup that is not whole, and the next run ends it', async () => {
    let effects = 0;
    for (let at = 0; at === 0 || at <= effects; at++) {
      for (const phase of ['before', 'after'] as const) {
        const { world, vault, prune, left, good } = await aWorld();
        let count = 0;
        const killed =
          <A extends unknown[], T>(effect: (...args: A) => Promise<T>) =>
          async (...args: A): Promise<T> => {
            count += 1;
            if (count === at && phase === 'before') throw new Error('killed');
            const result = await effect(...args);
            if (count === at && phase === 'after') throw new Error('killed');
            return result;
          };
        world.documents.replace = killed(world.documents.replace) as typeof world.documents.replace;
        world.journal.append = killed(world.journal.append);
        vault.remove = killed(vault.remove);
        await prune().catch(() => undefined);
        if (at === 0) effects = count;
        for (const id of await good()) expect(left(id), `${id}, killed ${phase} effect ${at}`).toBe(3);
        count = Number.POSITIVE_INFINITY;
        await prune();
        expect([left(OLD.id), left(OLDER.id), await good()]).toEqual([0, 0, [NEW.id]]);
      }
    }
    // Announce, mark, three blobs, removed, answer: twice.
    expect(effects).toBe(14);
  });
});
