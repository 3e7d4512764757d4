import { expect, test } from 'vitest';
import { installMovableDate, realNow } from '../../../infra/local/movable-date.ts';

const YEAR = 365 * 86_400_000;
const away = () => Math.round((Date.now() - realNow()) / YEAR);

test('moves Date for everybody in the process, and puts back what was there, so that what runs next is not moved', () => {
  const RealDate = Date;
  const undo = installMovableDate(() => 10 * YEAR);
  const made = new Date();
  expect([away(), Math.round((made.getTime() - realNow()) / YEAR)]).toEqual([10, 10]);
  expect(new Date(0).getTime()).toBe(0);
  undo();
  expect(Date).toBe(RealDate);
  expect(away()).toBe(0);
});
