import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate } from '../e2e/support.ts';
import { walkEveryStep } from './walk.ts';

let estate: RunningEstate;
let look: Observer;

beforeAll(async () => {
  ({ estate, look } = await bootEstate({
    policy: { backup: { mode: 'off' }, geography: { regions: ['westeurope', 'northeurope'] } },
  }));
  await look.plantDue('kept', 2);
});
afterAll(() => estate?.stop());

test('backUpHsm, killed before and after every effect, makes one job and one verified copy, and leaves no lock', async () => {
  let round = 0;
  const activities = await walkEveryStep({
    estate,
    look,
    instances: /^(backup|notify-backup)-/,
    async begin() {
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
      expect((body as { backups: { state: string }[] }).backups.map(({ state }) => state)).toEqual(
        Array(rounds).fill('locked'),
      );
    },
  });
  expect(activities).toContain('sealBackup');
});
