import { describe, expect, test } from 'vitest';
import { putFinding } from '../../../functions/activities/finding-places.ts';
import { aFinding, anIncident } from '../../shared/incident/builders.ts';
import {
  aGrant,
  at,
  createDetectionWorld,
  iso,
  judgedUpTo,
  MINUTE,
  START,
  storedFindings,
  sweep,
} from '../../support/detection-world.ts';
import { ask } from '../../support/operator.ts';

describe('a finding', () => {
  test('that a window found is shown by its id, without a look at the others', async () => {
    const world = createDetectionWorld();
    await judgedUpTo(world, START - 10 * MINUTE);
    world.rows = [at(START - 5 * MINUTE, aGrant())];
    await sweep(world).judge('one');
    const [found] = storedFindings(world);
    world.documents.list = () => {
      throw new Error('lists all findings to show one');
    };
    const { status, body } = await ask(world, 'showFinding', { params: { id: found?.id ?? '' } });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: found?.id, detector: found?.detector, windows: 1 });
  });

  test('that a person or an alert made is shown as well, and stored once', async () => {
    const world = createDetectionWorld();
    const finding = aFinding({ hsm: 'contoso' });
    await putFinding(world.documents, finding);
    await putFinding(world.documents, finding);
    const { body } = await ask(world, 'showFinding', { params: { id: finding.id } });
    expect(body).toMatchObject({ id: finding.id, windows: 0 });
    expect(storedFindings(world)).toHaveLength(1);
  });

  test('keeps the day on which it was first found, though a crash lost where that was', async () => {
    const world = createDetectionWorld();
    await judgedUpTo(world, START - 10 * MINUTE);
    world.rows = [at(START - 5 * MINUTE, aGrant())];
    await sweep(world).judge('lost');
    const before = storedFindings(world).map(({ id }) => id);
    world.now.value = new Date(START + 24 * 60 * MINUTE);
    await sweep(world).judge('again');
    expect(storedFindings(world).map(({ id }) => id)).toEqual(before);
  });

  test.each([
    ['nobody made', 'f'.repeat(32), 404],
    ['is named by no id', 'x', 400],
  ])('that %s is refused', async (_title, id, status) => {
    expect((await ask(createDetectionWorld(), 'showFinding', { params: { id } })).status).toBe(status);
  });

  test('of an HSM that is no longer looked after is not shown', async () => {
    const world = createDetectionWorld();
    const finding = aFinding({ hsm: 'elsewhere' });
    await putFinding(world.documents, finding);
    expect((await ask(world, 'showFinding', { params: { id: finding.id } })).status).toBe(404);
  });

  test('is listed with what people said of the incidents of each detector', async () => {
    const world = createDetectionWorld();
    const verdict = { verdict: 'benign', by: 'anna', at: iso(START), note: 'a migration' } as const;
    const incident = anIncident({ lastFindingAt: iso(START), verdict });
    await world.documents.put('state', `incidents/${incident.id}.json`, incident);
    const { status, body } = await ask(world, 'listFindings', {});
    expect(status).toBe(200);
    expect((body as { verdicts: unknown }).verdicts).toEqual([
      { detector: 'first-seen-caller', confirmed: 0, dismissed: 1, undecided: 0, precision: 0 },
    ]);
  });
});
