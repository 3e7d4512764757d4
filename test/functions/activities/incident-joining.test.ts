import { expect, test } from 'vitest';
import { findingPath } from '../../../functions/activities/finding-places.ts';
import { incidentJoiningActivities } from '../../../functions/activities/incident-joining.ts';
import { readIncidents } from '../../../functions/activities/incident-records.ts';
import type { Finding } from '../../../shared/detection/finding.ts';
import { aFinding, SERVICE } from '../../shared/incident/builders.ts';
import { createFakeLog } from '../../support/log.ts';
import { createFakeStarter } from '../../support/starter.ts';
import { createFakeWorld } from '../../support/world.ts';

const DAY = '2030-01-01';

function aWorld() {
  const world = createFakeWorld();
  const starter = createFakeStarter();
  const acts = incidentJoiningActivities(world);
  const store = (finding: Finding) =>
    world.documents.put('state', findingPath('contoso', DAY, finding.id), finding).then(() => finding);
  const join = (...findings: Finding[]) =>
    acts.joinIncidents(
      { hsm: 'contoso', findings: findings.map(({ id }) => ({ id, day: DAY })), instance: 'detect-contoso' },
      { starter, log: createFakeLog().log },
    );
  return { world, starter, store, join, incidents: () => readIncidents(world.documents) };
}

test('findings of one caller are one incident, those of another their own, however often they are handed on', async () => {
  const { store, join, incidents } = aWorld();
  const mine = [await store(aFinding()), await store(aFinding({ detector: 'role-assignment' }))];
  const other = await store(aFinding({ caller: SERVICE }));
  const first = await join(...mine, other);
  expect(first.kind === 'joined' && first.incidents).toMatchObject([
    { opened: true, raised: true },
    { opened: true, raised: false },
  ]);
  const again = await join(...mine, other);
  expect(again.kind === 'joined' && again.incidents.map(({ opened }) => opened)).toEqual([false, false]);
  expect((await incidents()).map(({ findings }) => findings.length).toSorted()).toEqual([1, 2]);
});

test('a crash before any write leaves nothing that a repeat does not mend', async () => {
  for (let crash = 1; crash <= 4; crash++) {
    const { world, store, join, incidents } = aWorld();
    const findings = [await store(aFinding()), await store(aFinding({ detector: 'role-assignment' }))];
    let writes = 0;
    world.onWrite.before = () => {
      if (++writes === crash) throw new Error('killed');
    };
    await join(...findings).catch(() => undefined);
    await join(...findings);
    const [incident, ...more] = await incidents();
    expect(more).toEqual([]);
    expect(incident?.findings).toHaveLength(2);
  }
});

test('two runs at once open one incident', async () => {
  const { store, join, incidents } = aWorld();
  const findings = [await store(aFinding()), await store(aFinding({ detector: 'role-assignment' }))];
  await Promise.all(findings.map((finding) => join(finding)));
  const all = await incidents();
  expect(all).toHaveLength(1);
  expect(all[0]?.findings).toHaveLength(2);
});
