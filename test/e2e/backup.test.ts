import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate } from './support.ts';

const DAY_MS = 86_400_000;
let estate: RunningEstate;
let look: Observer;

beforeAll(async () => {
  ({ estate, look } = await bootEstate({
    policy: {
      backup: { schedule: { every: 'P1D', at: '02:00', timeZone: 'UTC', starts: '2020-01-01' }, retryAfter: 'PT30M' },
      geography: { regions: ['westeurope', 'northeurope'] },
    },
  }));
  await look.plantDue('kept', 2);
});
afterAll(() => estate?.stop());

const jobs = () => look.calls('contoso', 'BackupCreate', 202);
/** Facts, not deliveries: an event that is published again after a kill has the same id. */
const completed = () => new Set(look.events('BackupCompleted').map(({ id }) => id)).size;

describe('backUpHsm', () => {
  test('whose reply was lost before anything happened starts again once nothing can follow', async () => {
    const before = { jobs: jobs(), completed: completed() };
    look.advance(DAY_MS);
    estate.estate.faults.add({ service: 'hsm', operation: 'BackupCreate', lostReply: 'before', count: 1 });
    await look.run('backupWatchTimer');
    expect(jobs() - before.jobs).toBe(1);
    expect(completed() - before.completed).toBe(1);
  });

  test('whose job fails after it was accepted is told, and never becomes a backup', async () => {
    look.advance(DAY_MS);
    const before = completed();
    estate.estate.faults.add({ service: 'hsm', operation: 'BackupCreate', count: 1, effect: 'failJob' });
    await look.run('backupWatchTimer');
    expect(completed()).toBe(before);
    expect(look.mail().some(({ subject }) => subject.includes('contoso backup did not finish'))).toBe(true);
  });

  test('tells that the account refuses, and what to do', async () => {
    look.advance(DAY_MS);
    const before = completed();
    const rule = estate.estate.faults.add({
      service: 'blob',
      operation: '*',
      where: { account: 'vault' },
      status: 403,
      code: 'AuthorizationPermissionMismatch',
      message: 'This request is not authorized to perform this operation using this permission.',
    });
    await look.run('backupWatchTimer');
    estate.estate.faults.remove(rule.id);
    expect(completed()).toBe(before);
    const told = look.mail().filter(({ subject }) => subject.includes('contoso backup did not finish'));
    expect(told.at(-1)?.text).toContain('Storage Blob Data Contributor');
  });
});

describe('a backup that the retention lets go', () => {
  const RETENTION = { last: 1, daily: 0, weekly: 0, monthly: 0, yearly: 0 };
  const held = () => look.mail().filter(({ subject }) => subject.includes('kept beyond the retention'));
  const backups = async () =>
    ((await look.api('GET', '/api/backups', { as: 'viewer' })).body as { backups: { id: string; prunedOn?: string }[] })
      .backups;
  const prunedOn = async (id: string) => (await backups()).find((each) => each.id === id)?.prunedOn;

  /** Once the lock of the one before has run out. */
  async function anotherBackup(which: string): Promise<string> {
    await look.settled();
    estate.estate.clock.advance(2 * DAY_MS);
    const body = { hsm: 'contoso', reason: `the ${which} of three` };
    const { status, headers } = await look.api('POST', '/api/backups', {
      ...{ as: 'operator', body, idempotencyKey: `retention-${which}` },
    });
    expect(status).toBe(202);
    await look.settled();
    const outcome = (await look.operation(headers.location ?? '')) as { kind: string; backup: { id: string } };
    expect(outcome.kind).toBe('backedUp');
    return outcome.backup.id;
  }

  test('stays whole while a legal hold is on one of its blobs, which is told, and goes when the hold has ended', async () => {
    const owners = { fallback: ['keys@contoso.example'] };
    const backup = { mode: 'off', lock: 'P1D', retention: RETENTION };
    const geography = { regions: ['westeurope', 'northeurope'] };
    await look.writePolicy(JSON.stringify({ version: 1, owners, backup, geography }));
    const first = await anotherBackup('first');
    const { immutability } = estate.storage.accounts.vault;
    const { body } = await look.api('GET', `/api/backups/contoso/${first}`, { as: 'viewer' });
    const { blobs } = (body as { manifest: { blobs: { name: string }[] } }).manifest;
    const path = `${first}/${blobs.at(-1)?.name}`;
    immutability.setLegalHold('hsm-backups', path, true);

    await anotherBackup('second');
    expect(await prunedOn(first)).toBeUndefined();
    expect(held()).toHaveLength(1);
    expect(held()[0]?.text).toContain(first);
    const preview = await look.api('POST', '/api/backups/retention?dryRun=true', {
      as: 'viewer',
      body: { hsm: 'contoso' },
    });
    expect(preview.body).toMatchObject({ held: [{ id: first, by: 'legalHold', whole: true }] });
    const restore = { hsm: 'contoso', backup: first, reason: 'is it whole?', confirm: 'contoso' };
    const asked = await look.api('POST', '/api/restores?dryRun=true', { as: 'operator', body: restore });
    expect(asked.body).toMatchObject({ verdict: { kind: 'awaitApproval' } });

    immutability.setLegalHold('hsm-backups', path, false);
    await anotherBackup('third');
    expect(await prunedOn(first)).toBeDefined();
    expect(held()).toHaveLength(1);
    const gone = await look.api('POST', '/api/restores?dryRun=true', { as: 'operator', body: restore });
    expect(gone).toMatchObject({ status: 409, body: { code: 'RestoreRefused', reason: 'BackupPruned' } });
  });
});
