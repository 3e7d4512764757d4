import { expect, test } from 'vitest';
import { activities } from '../../functions/activity-table.ts';
import { inputs } from '../../functions/contracts/inputs.ts';
import type { World } from '../../functions/world.ts';

/** Capabilities touch no world before an activity of theirs runs. */
const world = new Proxy({} as World, {
  get: (_, member) => {
    throw new Error(`reached for ${String(member)}`);
  },
});

const capabilities = [...new Set<(world: World) => Promise<object>>(Object.values(activities))];

test('every activity that has an input has its line, and no other', () => {
  expect(Object.keys(activities).toSorted()).toEqual(Object.keys(inputs).toSorted());
});

test.each(capabilities.map((load) => [load.name, load] as const))(
  'the capability %s implements just the activities that name it',
  async (_, load) => {
    const named = Object.entries(activities).filter(([, each]) => each === load);
    expect(Object.keys(await load(world)).toSorted()).toEqual(named.map(([name]) => name).toSorted());
  },
);
