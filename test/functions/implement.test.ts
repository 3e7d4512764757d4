import { describe, expect, test } from 'vitest';
import { type ActivityHandlers, runActivity } from '../../functions/implement.ts';
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import { createFakeLog } from '../support/log.ts';
import { createFakeStarter } from '../support/starter.ts';

const input = { hsm: 'contoso', survey: 's1' };
const run = (handler: ActivityHandlers['commitSurvey'], raw: unknown = input) => {
  const { log, lines } = createFakeLog();
  return { lines, outcome: runActivity('commitSurvey', handler, raw, { log, starter: createFakeStarter() }) };
};
const throwing = (error: unknown) => async () => {
  throw error;
};
const fault = (code: ErrorCode) => new AppError(code, 'what happened', { nextStep: 'what to do' });

describe('an activity', () => {
  test('is given its parsed input and answers', async () => {
    const given: unknown[] = [];
    const { outcome } = run(async (parsed) => {
      given.push(parsed);
      return { kind: 'committed' };
    });
    expect(await outcome).toEqual({ kind: 'committed' });
    expect(given).toEqual([input]);
  });

  test.each([
    ['lacks a field', { hsm: 'contoso' }, /survey/],
    ['has a field of another type', { hsm: 'contoso', survey: 7 }, /survey/],
    ['has a field of a later build', { ...input, later: true }, /later/],
    ['is nothing', null, /input/],
  ])('answers at once that it does not understand an input that %s, and does nothing', async (_, raw, named) => {
    const calls: unknown[] = [];
    const { outcome, lines } = run(async (parsed) => {
      calls.push(parsed);
      return { kind: 'committed' };
    }, raw);
    expect(await outcome).toMatchObject({ kind: 'failed', code: 'ERR_INPUT', message: expect.stringMatching(named) });
    expect(calls).toEqual([]);
    expect(lines).toMatchObject([{ event: 'ActivityFailed', activity: 'commitSurvey', again: false }]);
  });

  test.each(['ERR_TRANSIENT', 'ERR_THROTTLED'] as const)('throws %s, so that it is run again', async (code) => {
    const { outcome, lines } = run(throwing(fault(code)));
    await expect(outcome).rejects.toMatchObject({ code });
    expect(lines).toMatchObject([{ code, again: true }]);
  });

  test.each(['ERR_DENIED', 'ERR_NOT_FOUND', 'ERR_CONFLICT', 'ERR_HSM_BUSY', 'ERR_REFUSED_BY_SERVICE'] as const)(
    'answers %s with what happened and what to do',
    async (code) => {
      expect(await run(throwing(fault(code))).outcome).toEqual({
        kind: 'failed',
        code,
        message: 'what happened',
        nextStep: 'what to do',
      });
    },
  );

  test('hands on which permission is missing', async () => {
    const denial = { dataAction: 'a', scope: '/keys', duty: 'rotate', clientId: 'c' };
    const denied = new AppError('ERR_DENIED', 'no', { nextStep: 'grant', denial });
    expect(await run(throwing(denied)).outcome).toMatchObject({ denial });
  });

  test('lets a bug out as it is', async () => {
    await expect(run(throwing(new TypeError('undefined is no function'))).outcome).rejects.toBeInstanceOf(TypeError);
  });
});
