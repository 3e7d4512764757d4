import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import { IDENTITIES } from '../../infra/local/identity/registrations.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate } from '../e2e/support.ts';
import { walkEveryStep } from './walk.ts';

const DAY_MS = 86_400_000;

interface BackupShown {
  id: string;
  state: string;
  prunedOn?: string;
}

let estate: RunningEstate;
let look: Observer;

beforeAll(async () => {
  ({ estate, look } = await bootEstate({
    policy: {
      // The lock of each round's backup has run out when the next is taken, so that each removes the one before.
      backup: { mode: 'off', lock: 'P1D', retention: { last: 1, daily: 0, weekly: 0, monthly: 0, yearly: 0 } },
      geography: { regions: ['westeurope', 'northeurope'] },
    },
  }));
  await look.plantDue('kept', 2);
});
afterAll(() => estate?.stop());

test('backUpHsm, killed before and after every effect, makes one job and one verified copy, removes the one before whole, and leaves no lock', async () => {
  let round = 0;
  let advancedFor = 0;
  const activities = await walkEveryStep({
    estate,
    look,
    instances: /^(backup|notify-backup)-/,
    async begin() {
      if (advancedFor !== round) estate.estate.clock.advance(2 * DAY_MS);
      advancedFor = round;
      const body = { hsm: 'contoso', reason: 'walk' };
      const { status } = await look.api('POST', '/api/backups', {
        as: 'operator',
        body,
        idempotencyKey: `walk-round-${round}`,
      });
      if (status !== 202) throw new Error(`not accepted: ${status}`);
    },
    async holds(rounds) {
      round = rounds;
      expect(look.calls('contoso', 'BackupCreate', 202)).toBe(rounds);
      expect(look.events('BackupCompleted')).toHaveLength(rounds);
      const { body } = await look.api('GET', '/api/backups', { as: 'viewer' });
      const [newest, ...older] = (body as { backups: BackupShown[] }).backups;
      expect(newest).toMatchObject({ state: 'locked' });
      expect(newest).not.toHaveProperty('pruningSince');
      expect(older).toHaveLength(rounds - 1);
      for (const each of older) expect(each).toMatchObject({ state: 'locked', prunedOn: expect.any(String) });
      expect(new Set((await vaultPaths()).map((path) => path.split(/[./]/)[0]))).toEqual(new Set([newest?.id]));
    },
  });
  expect(activities).toEqual(expect.arrayContaining(['sealBackup', 'pruneBackups']));
});

/** Everything that lies in the vault. */
async function vaultPaths(): Promise<string[]> {
  const { blobUrl } = estate.storage.accounts.vault;
  const { token } = await estate.tokens.forIdentity(IDENTITIES.backup, 'https://storage.azure.com');
  const headers = { authorization: `Bearer ${token}`, 'x-ms-version': '2025-11-05' };
  const url = `${blobUrl}/hsm-backups?restype=container&comp=list`;
  const { body } = await estate.call({ method: 'GET', url, headers });
  return [...body.toString('utf8').matchAll(/<Name>([^<]+)<\/Name>/g)].map(([, name = '']) => name);
}
