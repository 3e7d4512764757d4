import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../shared/detection/finding.ts';
import { isToBeTold, mergeFinding } from '../../../shared/detection/finding-record.ts';

const finding = (more: Partial<Finding> = {}): Finding => ({
  version: 1,
  id: 'a'.repeat(32),
  detector: 'destruction',
  detectorVersion: 1,
  hsm: 'contoso',
  keys: ['orders'],
  keysInAll: 1,
  classes: ['key.delete'],
  from: '2030-01-01T00:01:00.000Z',
  until: '2030-01-01T00:02:00.000Z',
  foundAt: '2030-01-01T00:05:00.000Z',
  title: 'a key was deleted',
  explanation: 'by nobody we know',
  nextStep: 'Recover it.',
  score: 45,
  severity: 'Medium',
  class: 'destruction',
  response: 'containByApproval',
  techniques: ['T1485'],
  assignments: [],
  facts: { deleted: 1 },
  correlationIds: ['c-1'],
  intents: [],
  ...more,
});

const worse = finding({
  keys: ['invoices'],
  from: '2030-01-01T00:03:00.000Z',
  until: '2030-01-01T00:09:00.000Z',
  foundAt: '2030-01-01T00:10:00.000Z',
  score: 90,
  severity: 'Critical',
  facts: { deleted: 3 },
  correlationIds: ['c-2'],
});

describe('a finding that another window saw too', () => {
  test('is one finding: the gravest, over all keys and the whole span, found when it was first', () => {
    const merged = mergeFinding(mergeFinding(undefined, finding(), 'w1'), worse, 'w2');
    expect(merged).toMatchObject({
      severity: 'Critical',
      keys: ['invoices', 'orders'],
      keysInAll: 2,
      from: finding().from,
      until: worse.until,
      foundAt: finding().foundAt,
      facts: { deleted: 3 },
      correlationIds: ['c-1', 'c-2'],
      windows: ['w1', 'w2'],
    });
  });

  test('is the same after the same window again', () => {
    const once = mergeFinding(mergeFinding(undefined, finding(), 'w1'), worse, 'w2');
    expect(mergeFinding(once, worse, 'w2')).toEqual(once);
    expect(mergeFinding(once, finding(), 'w1')).toEqual(once);
  });
});

test.each([
  ['new', {}, true],
  ['told in its band', { told: 'Medium' }, false],
  ['told, and a band higher since', { told: 'Low' }, true],
  ['explained by our journal', { severity: 'Informational' }, false],
  ['a repeat of what was told', { suppressed: { by: 'b', until: '2030-01-02T00:00:00.000Z' } }, false],
] as const)('a finding that is %s is told: %s', (_, more, expected) => {
  expect(isToBeTold({ ...mergeFinding(undefined, finding(), 'w1'), ...more })).toBe(expected);
});
