import { describe, expect, test } from 'vitest';
import type { Alert } from '../../../infra/evaluation/alert.ts';
import { belongs, episodesOf, scoreRun } from '../../../infra/evaluation/score.ts';
import { DAY, HOUR, MINUTE } from '../../../infra/traffic/calendar.ts';
import type { AttackLabel } from '../../../infra/traffic/call.ts';

const START = Date.UTC(2026, 5, 1);
const label: AttackLabel = {
  ...{ id: 'S5', scenario: 'S5', variant: '', title: 'Keys backed up', expected: ['D3'], class: 'keyMaterial' },
  ...{ critical: true, lane: 'rule', hsmWide: false, callers: ['mallory'], keys: ['payments'] },
  ...{
    from: START,
    until: START + HOUR,
    deadline: START + DAY,
    targetMs: 15 * MINUTE,
    firstArrival: START + 4 * MINUTE,
  },
};
const alert = (changes: Partial<Alert> = {}): Alert => ({
  ...{ id: 'a', detector: 'key-material-movement', at: START + 10 * MINUTE, severity: 'High', score: 60 },
  ...{ callers: ['mallory'], keys: [], title: 'Three keys backed up', ...changes },
});
const outcome = (attacked: Alert[], clean: Alert[] = [], of = label) => scoreRun(1, [of], attacked, clean).outcomes[0];

describe('an attack', () => {
  test.each([
    ['by its caller', alert(), true],
    ['by its key', alert({ callers: ['bob'], keys: ['payments'] }), true],
    ['not by another caller on another key', alert({ callers: ['bob'], keys: ['ledger'] }), false],
    ['not by nobody in particular', alert({ callers: [], keys: [] }), false],
    ['not before it began', alert({ at: START - 1 }), false],
    ['not after its deadline', alert({ at: START + DAY + 1 }), false],
    ['not by what is only recorded', alert({ severity: 'Low' }), false],
    ['not by a repeat of what was told', alert({ repeat: true }), false],
  ])('is found %s', (_, said, found) => {
    expect(outcome([said])?.found).toBe(found);
  });

  test('is not found by what would have been said without it', () => {
    expect(outcome([alert()], [alert()])?.found).toBe(false);
    expect(outcome([alert()], [alert({ repeat: true })])?.found).toBe(true);
    expect(outcome([alert()], [alert({ severity: 'Medium' })])?.found).toBe(true);
  });

  test('on the HSM as a whole is found by an alert that names nobody', () => {
    const wide = { ...label, callers: [], keys: [], hsmWide: true };
    expect(belongs(wide, alert({ callers: [], keys: [] }))).toBe(true);
    expect(belongs(wide, alert({ callers: ['bob'], keys: [] }))).toBe(false);
  });

  test('is timed from its first call and from the arrival of its first row', () => {
    expect(outcome([alert()])).toMatchObject({ fromEvent: 10 * MINUTE, fromArrival: 6 * MINUTE, inTime: true });
    expect(outcome([alert({ at: START + 16 * MINUTE })])).toMatchObject({ found: true, inTime: false });
    // Rows that come later than ten minutes move the target with them.
    const late = { ...label, firstArrival: START + 30 * MINUTE };
    expect(outcome([alert({ at: START + 34 * MINUTE })], [], late)).toMatchObject({ inTime: true });
  });

  test('is told once a day, and again when it gets worse', () => {
    const said = [
      alert({ id: 'a', severity: 'Medium' }),
      alert({ id: 'b', at: START + HOUR, severity: 'Medium' }),
      alert({ id: 'c', at: START + 2 * HOUR, severity: 'Critical' }),
    ];
    expect(outcome(said)?.notices).toBe(2);
  });

  test.each([
    ['nothing was said', []],
    ['not loud enough', [alert({ severity: 'Low' })]],
    ['too late', [alert({ at: START + DAY + HOUR })]],
    ['taken for a repeat', [alert({ repeat: true })]],
  ])('that was missed says why: %s', (why, said) => {
    expect(outcome(said)?.why).toContain(why);
  });
});

describe('episodes', () => {
  const days = (...at: number[]) => at.map((day, index) => alert({ id: String(index), at: START + day * DAY }));

  test('join what lies within a day of the one before, for a week at most', () => {
    expect(episodesOf(days(0, 0.5, 1.2))).toHaveLength(1);
    expect(episodesOf(days(0, 1.1))).toHaveLength(2);
    expect(episodesOf(days(0, 1, 2, 3, 4, 5, 6, 7, 8))).toHaveLength(2);
  });

  test('keep callers and detectors apart', () => {
    expect(episodesOf([alert(), alert({ callers: ['bob'] }), alert({ detector: 'destruction' })])).toHaveLength(3);
  });

  test('of the clean run are the false positives, those of an attack are not', () => {
    const noise = alert({ id: 'noise', callers: ['bob'] });
    const scored = scoreRun(1, [label], [alert(), noise], [noise]);
    expect(scored.falsePositives).toHaveLength(1);
    expect(scored).toMatchObject({ truePositives: 1, positives: 2, byRule: { truePositives: 1, positives: 2 } });
  });
});
