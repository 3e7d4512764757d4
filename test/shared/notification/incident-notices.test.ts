import { describe, expect, test } from 'vitest';
import { composeMessage } from '../../../shared/notification/compose-message.ts';
import type { Severity } from '../../../shared/notification/message.ts';
import type { Notice } from '../../../shared/notification/notice.ts';
import { CONTEXT } from './examples.ts';
import { HSM_EXAMPLES } from './hsm-examples.ts';

const { IncidentApprovalWanted, IncidentContained, IncidentEscalated } = HSM_EXAMPLES;
const compose = (notice: Notice) => composeMessage(notice, CONTEXT);
const textOf = (notice: Notice): string => {
  const { paragraphs, mustDo } = compose(notice);
  return [...paragraphs, ...mustDo].join('\n');
};
const [waiting] = IncidentApprovalWanted.steps;
const byPeople = { ...waiting, id: 'person-group', approvals: 0 } as (typeof IncidentApprovalWanted.steps)[number];

describe('whoever is asked finds in the mail', () => {
  test.each([IncidentApprovalWanted, IncidentEscalated])('the step and the call that decides it: $kind', (notice) => {
    const text = textOf(notice);
    expect(text).toContain(`Step: ${waiting?.id}`);
    expect(text).toContain(`POST /api/incidents/${notice.incident}/decisions {"kind": "approve" or "deny"`);
    expect(text).not.toContain('"done"');
  });

  test('that what people do is reported, and never that it is approved', () => {
    const text = textOf({ ...IncidentApprovalWanted, steps: [byPeople] });
    expect(text).toContain('{"kind": "done", "step": …');
    expect(text).not.toMatch(/approve or deny|"approve"/i);
  });

  test('whom it calls, and that it calls the owners again where the policy names nobody', () => {
    expect(textOf(IncidentEscalated)).toContain('this calls the deputies');
    expect(textOf({ ...IncidentEscalated, nobodyNamed: true })).toContain('the policy names no deputies');
  });
});

describe('how far containment came', () => {
  const { done, remains } = IncidentContained;
  test.each<[typeof IncidentContained.result, string[], string[], RegExp, Severity]>([
    ['full', done, [], /incident contained: /, 'attention'],
    ['partial', done, remains, /contained in part: /, 'critical'],
    ['none', [], remains, /not contained: /, 'critical'],
  ])('%s', (result, taken, left, headline, severity) => {
    const notice = { ...IncidentContained, severity: 'High' as const, result, done: taken, remains: left };
    expect(compose(notice)).toMatchObject({ headline: expect.stringMatching(headline), severity });
    const text = textOf(notice);
    for (const each of [...taken, ...left]) expect(text).toContain(`- ${each}`);
    expect(text).not.toContain('"putBack"');
    expect(textOf({ ...notice, canPutBack: true })).toContain('"putBack"');
  });
});
