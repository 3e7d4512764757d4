import { expect, test } from 'vitest';
import {
  commitJudgement,
  type Judgement,
  propose,
  readStanding,
} from '../../../functions/activities/detection-state.ts';
import { emptyMemory } from '../../../shared/detection/memory.ts';
import { createFakeWorld } from '../../support/world.ts';

const AT = '2030-01-01T00:00:00.000Z';
const judgement = (watermark: string, after?: string): Judgement => ({
  schema: 1,
  ...(after === undefined ? {} : { after }),
  watermark,
  hoursTo: AT,
  memory: emptyMemory(),
  judged: {},
  sighted: {},
  stored: {},
});

test('memory and watermark move in one write: a crash before it leaves both as they were', async () => {
  const { documents, onWrite } = createFakeWorld();
  await propose(documents, 'contoso', 'one', judgement('w1'));
  expect(await commitJudgement(documents, 'contoso', 'one', AT)).toBe('committed');
  await propose(documents, 'contoso', 'two', judgement('w2', 'one'));
  onWrite.before = () => {
    throw new Error('killed');
  };
  await expect(commitJudgement(documents, 'contoso', 'two', AT)).rejects.toThrow('killed');
  expect((await readStanding(documents, 'contoso'))?.judgement.watermark).toBe('w1');
  onWrite.before = () => undefined;
  expect(await commitJudgement(documents, 'contoso', 'two', AT)).toBe('committed');
  expect((await readStanding(documents, 'contoso'))?.judgement.watermark).toBe('w2');
});

test('a repeat of the commit changes nothing', async () => {
  const { documents } = createFakeWorld();
  await propose(documents, 'contoso', 'one', judgement('w1'));
  await commitJudgement(documents, 'contoso', 'one', AT);
  expect(await commitJudgement(documents, 'contoso', 'one', '2030-01-02T00:00:00.000Z')).toBe('committed');
  expect((await readStanding(documents, 'contoso'))?.state.at).toBe(AT);
});

test('a judgement that was made after another than the one that counts is set aside', async () => {
  const { documents } = createFakeWorld();
  await propose(documents, 'contoso', 'one', judgement('w1'));
  await commitJudgement(documents, 'contoso', 'one', AT);
  await propose(documents, 'contoso', 'two', judgement('w2', 'one'));
  await propose(documents, 'contoso', 'three', judgement('w3', 'one'));
  expect(await commitJudgement(documents, 'contoso', 'two', AT)).toBe('committed');
  expect(await commitJudgement(documents, 'contoso', 'three', AT)).toBe('superseded');
  expect((await readStanding(documents, 'contoso'))?.judgement.watermark).toBe('w2');
});

test('what nobody points at is removed: proposals of cycles that failed, and the judgement before', async () => {
  const { documents, stored } = createFakeWorld();
  await propose(documents, 'contoso', 'failed', judgement('w0'));
  await propose(documents, 'contoso', 'one', judgement('w1'));
  await commitJudgement(documents, 'contoso', 'one', AT);
  expect([...stored.keys()].filter((path) => path.includes('/judgements/'))).toEqual([
    'state/detection/contoso/judgements/one.json',
  ]);
});
