import { describe, expect, test } from 'vitest';
import { composeMessage } from '../../../shared/notification/compose-message.ts';
import type { Severity } from '../../../shared/notification/message.ts';
import type { Notice } from '../../../shared/notification/notice.ts';
import { CONTEXT, EXAMPLES } from './examples.ts';

const { KeyVersionAdopted, KeyVersionReenabled, KeyVersionRetired, RetirementFailed, RetirementRequested } = EXAMPLES;

describe('what is told of old versions', () => {
  test.each<[string, Notice, RegExp, Severity]>([
    ['everybody has moved', KeyVersionAdopted, /in use everywhere$/, 'info'],
    ['an approval is wanted', RetirementRequested, /needs approval$/, 'attention'],
    ['a version is disabled', KeyVersionRetired, /is disabled$/, 'info'],
    ['it was missed', KeyVersionReenabled, /was missed, and is enabled again$/, 'critical'],
    ['it was not retired', RetirementFailed, /was not retired$/, 'attention'],
    ['it is missed and stays disabled', { ...RetirementFailed, stillDisabled: true }, /still disabled$/, 'critical'],
  ])('%s', (_, notice, headline, severity) => {
    expect(composeMessage(notice, CONTEXT)).toMatchObject({ headline: expect.stringMatching(headline), severity });
  });

  test('names the reason of a refusal, by which it is looked up', () => {
    const failure = { reason: 'VersionInUse', message: 'It is in use.', nextStep: 'Wait.' } as const;
    expect(composeMessage({ ...RetirementFailed, failure }, CONTEXT).facts).toContainEqual({
      label: 'Reason',
      value: 'VersionInUse',
    });
  });

  test('names who missed the version', () => {
    expect(composeMessage(KeyVersionReenabled, CONTEXT).paragraphs.join(' ')).toContain('Missed by: oid-app');
  });
});
