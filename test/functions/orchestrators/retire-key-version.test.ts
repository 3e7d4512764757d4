import { describe, expect, test } from 'vitest';
import { retireKeyVersion } from '../../../functions/orchestrators/retire-key-version.ts';
import { answers, names } from '../../support/answers.ts';
import { type Asked, replay, type Told } from '../../support/replay.ts';

const input = { hsm: 'contoso', name: 'orders', version: 'a'.repeat(32) };
const until = '2030-01-04T00:00:00.000Z';
const at = '2030-01-01T00:00:00.000Z';
const refused = { kind: 'refused', reason: 'VersionInUse', explanation: 'used', nextStep: 'wait' };

const run = (overrides: Parameters<typeof answers>[0] = {}) =>
  replay(retireKeyVersion, {
    input,
    instanceId: 'retire-1',
    answer: answers({
      judgeRetirement: (_asked, count) => ({
        result: count < 3 ? { kind: 'awaitApproval', until } : { kind: 'proceed' },
      }),
      // Somebody decides before the reminder is due.
      any: () => ({ result: 0 }),
      disableKeyVersion: () => ({ result: { kind: 'disabled', at, watchedUntil: '2030-01-01T00:40:00.000Z' } }),
      lookForMissed: () => ({ result: { kind: 'quiet' } }),
      enableKeyVersion: () => ({ result: { kind: 'enabled' } }),
      endRetirement: () => ({ result: { kind: 'ended' } }),
      describeRetirement: (asked) => ({
        result: { kind: 'described', id: toldOf(asked), notice: {}, repeatAfter: 'P1D' },
      }),
      ...overrides,
    }),
  });
const toldOf = (asked: Asked) =>
  asked.kind === 'activity' ? (asked.input as { told: { kind: string } }).told.kind : '';
const told = (asked: Asked[]) =>
  asked.filter((each) => 'name' in each && each.name === 'describeRetirement').map(toldOf);
const throws: () => Told = () => ({ throws: 'the log does not answer' });

describe('retireKeyVersion', () => {
  test('asks, waits, disables, tells, publishes, and watches to the end', () => {
    const { asked, outcome } = run();
    expect(told(asked)).toEqual(['requested', 'disabled']);
    expect(names(asked).filter((name) => name === 'lookForMissed')).toHaveLength(3);
    expect(asked).toContainEqual(
      expect.objectContaining({
        name: 'publishKeyFact',
        input: expect.objectContaining({ type: 'KeyVersionRetired', at }),
      }),
    );
    expect(names(asked).at(-1)).toBe('endRetirement');
    expect(outcome).toMatchObject({ value: { kind: 'retired', watched: true } });
  });

  test('enables the version again at the first call that misses it, and tells by whom', () => {
    const { asked, outcome } = run({
      lookForMissed: (_asked, count) => ({
        result: count < 2 ? { kind: 'quiet' } : { kind: 'missed', callers: ['app'] },
      }),
    });
    expect(names(asked).filter((name) => name === 'lookForMissed')).toHaveLength(2);
    expect(asked).toContainEqual(
      expect.objectContaining({ name: 'enableKeyVersion', input: { instance: 'retire-1', callers: ['app'] } }),
    );
    expect(told(asked)).toEqual(['requested', 'disabled', 'ended']);
    expect(outcome).toMatchObject({ value: { kind: 'reenabled', callers: ['app'] } });
  });

  test.each<[string, Told]>([
    ['is refused', { result: { kind: 'failed', code: 'ERR_DENIED', message: 'no', nextStep: '' } }],
    ['outlives the retries', throws()],
  ])('says that a missed version is still disabled when enabling it %s', (_, answer) => {
    const { asked, outcome } = run({
      lookForMissed: () => ({ result: { kind: 'missed', callers: ['app'] } }),
      enableKeyVersion: () => answer,
    });
    expect(told(asked).at(-1)).toBe('ended');
    expect(outcome).toMatchObject({ kind: 'returned', value: { kind: 'stillDisabled', callers: ['app'] } });
  });

  test('goes on watching while the log is away, and says when it saw nothing at the end', () => {
    const { outcome } = run({ lookForMissed: throws });
    expect(outcome).toMatchObject({ value: { kind: 'retired', watched: false } });
  });

  test.each(['judgeRetirement', 'disableKeyVersion'])('does nothing more once %s refuses', (step) => {
    const { asked, outcome } = run({ [step]: () => ({ result: refused }) });
    expect(names(asked)).not.toContain('lookForMissed');
    expect(told(asked).at(-1)).toBe('ended');
    expect(outcome).toMatchObject({ value: refused });
  });

  test('reminds once, halfway, and does not act on silence', () => {
    const { asked } = run({
      judgeRetirement: (_asked, count) => ({ result: count < 4 ? { kind: 'awaitApproval', until } : refused }),
      any: () => ({ result: 1 }),
    });
    expect(told(asked)).toEqual(['requested', 'reminder', 'ended']);
    expect(names(asked)).not.toContain('disableKeyVersion');
  });

  test('tells what spent its retries, and then shows Failed', () => {
    const { asked, outcome } = run({ disableKeyVersion: throws });
    expect(told(asked).at(-1)).toBe('ended');
    expect(outcome).toMatchObject({ kind: 'threw' });
  });
});
