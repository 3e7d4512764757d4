import { describe, expect, test } from 'vitest';
import { putFinding } from '../../../functions/activities/finding-places.ts';
import { aFinding } from '../../shared/incident/builders.ts';
import {
  aGrant,
  at,
  createDetectionWorld,
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
});
