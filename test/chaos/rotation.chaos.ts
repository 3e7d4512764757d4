import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate } from '../e2e/support.ts';
import { walkEveryStep } from './walk.ts';

let estate: RunningEstate;
let look: Observer;

beforeAll(async () => {
  ({ estate, look } = await bootEstate());
});
afterAll(() => estate?.stop());

test('a sweep and its rotations, killed before and after every effect, make one new version for each due key', async () => {
  let round = 0;
  let before = look.versions();
  let names: string[] = [];
  const activities = await walkEveryStep({
    estate,
    look,
    instances: /^(sweep|rotate|notify-rotate)-/,
    async begin() {
      if (names.length === 0) {
        names = await look.plantDue(`walk-${round}`, 2);
        before = look.versions();
      }
      await estate.runTimer('expirySweepTimer');
    },
    holds() {
      expect(look.grown(before)).toEqual(names.map((key) => ({ key, by: 1 })));
      names = [];
      round += 1;
    },
  });
  expect(activities).toContain('createKeyVersion');
});
