import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import { prepareDrills } from '../../infra/local/scenarios/drill.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate } from '../e2e/support.ts';
import { walkEveryStep } from './walk.ts';

let estate: RunningEstate;
let look: Observer;

beforeAll(async () => {
  ({ estate, look } = await bootEstate({ seed: 'drill' }));
  await prepareDrills(look);
});
afterAll(() => estate?.stop());

test('runRestoreDrill, killed before and after every effect, restores once, writes one report and leaves no lock', async () => {
  let round = 0;
  const activities = await walkEveryStep({
    estate,
    look,
    instances: /^(drill|notify-drill)-/,
    async begin() {
      const body = { hsm: 'contoso', reason: 'walk' };
      const { status } = await look.api('POST', '/api/drills', {
        as: 'operator',
        body,
        idempotencyKey: `walk-round-${round}`,
      });
      if (status !== 202) throw new Error(`not accepted: ${status}`);
    },
    holds(rounds) {
      round = rounds;
      expect(look.calls('contoso-drill', 'RestoreCreate', 202)).toBe(rounds);
      expect(look.events('DrillPassed')).toHaveLength(rounds);
      expect(look.events('DrillFailed')).toHaveLength(0);
    },
  });
  expect(activities).toContain('compareDrill');
});
