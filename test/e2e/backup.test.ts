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
