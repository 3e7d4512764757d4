import { describe, expect, test } from 'vitest';
import { composeMessage } from '../../../shared/notification/compose-message.ts';
import type { Severity } from '../../../shared/notification/message.ts';
import type { Notice } from '../../../shared/notification/notice.ts';
import { renderText } from '../../../shared/notification/render-text.ts';
import { CONTEXT } from './examples.ts';
import { HSM_EXAMPLES } from './hsm-examples.ts';

const { BackupCompleted, BackupFailed, BackupOverdue, DrillPassed, DrillFailed, QuorumAtRisk, RestoreCompleted } =
  HSM_EXAMPLES;
const compose = (notice: Notice) => composeMessage(notice, CONTEXT);
const { lastGood: _, ...nothingGood } = BackupFailed;
const { created, verified, proven, summary } = BackupOverdue.freshness;
const unproven = {
  created: { ...created, state: 'ok' as const },
  verified: { ...verified, state: 'ok' as const },
  summary,
};

const SUBJECTS: [string, Notice, string, Severity][] = [
  ['a backup', BackupCompleted, 'contoso backed up: 214 keys with 1,022 versions', 'info'],
  [
    'a backup that does not cover all',
    { ...BackupCompleted, notCovered: ['ekm-1'] },
    'contoso backed up: 214 keys with 1,022 versions',
    'attention',
  ],
  ['a backup that failed', BackupFailed, 'ACTION: contoso backup did not finish: the service refused', 'attention'],
  [
    'a backup that failed, and none before',
    nothingGood,
    'CRITICAL: contoso backup did not finish: the service refused',
    'critical',
  ],
  ['no fresh backup', BackupOverdue, 'CRITICAL: contoso has no fresh backup', 'critical'],
  [
    'an old proof',
    { ...BackupOverdue, freshness: { ...unproven, proven: { ...proven, state: 'overdue' } } },
    'ACTION: contoso restore was not proven lately',
    'attention',
  ],
  [
    'no proof',
    { ...BackupOverdue, freshness: { ...unproven, proven: { state: 'overdue', limit: 'P100D' } } },
    'ACTION: contoso restore was never proven',
    'attention',
  ],
  [
    'backups that a legal hold keeps',
    HSM_EXAMPLES.BackupHeld,
    'contoso: 2 backups are kept beyond the retention by a legal hold',
    'attention',
  ],
  [
    'a backup whose removal was stopped midway',
    {
      ...HSM_EXAMPLES.BackupHeld,
      backups: [
        { id: 'b', takenOn: '2029-01-01T02:00:00Z', by: 'locked', until: '2030-06-01T00:00:00Z', whole: false },
      ],
    },
    'contoso: one backup is kept beyond the retention by a lock',
    'attention',
  ],
  ['a drill that passed', DrillPassed, 'contoso restore drill passed', 'info'],
  ['a drill that failed', DrillFailed, 'CRITICAL: contoso restore drill failed', 'critical'],
  [
    'a drill without result',
    { ...DrillFailed, result: 'inconclusive' },
    'ACTION: contoso restore drill proved nothing',
    'attention',
  ],
  [
    'a drill that was only too slow',
    { ...DrillFailed, proof: 'proven', rto: { seconds: 4380, objectiveSeconds: 3600 } },
    'ACTION: contoso restore drill proved the backup, but was 13 min slower than allowed',
    'attention',
  ],
  [
    'a drill that was too slow, of a backup that was too old, and not looked at whole',
    {
      ...DrillFailed,
      proof: 'undecided',
      rto: { seconds: 4380, objectiveSeconds: 3600 },
      rpo: { seconds: 36_000, objectiveSeconds: 21_600 },
    },
    'ACTION: contoso restore drill proved nothing, and was 13 min slower and its backup was 4 h older than allowed',
    'attention',
  ],
  ['a drill that could not run', HSM_EXAMPLES.DrillRefused, 'ACTION: contoso restore drill could not run', 'attention'],
  [
    'a drill that will not run when it is due',
    { ...HSM_EXAMPLES.DrillRefused, dueOn: '2030-04-15T12:00:00Z' },
    'ACTION: contoso restore drill will not run as the policy stands',
    'attention',
  ],
  [
    'a temporary HSM that stays behind',
    HSM_EXAMPLES.DrillHsmRemains,
    'CRITICAL: contoso drill left drill-00c0ffee00c0ffee behind',
    'critical',
  ],
  [
    'a drill that waits for people, which is no emergency',
    { ...HSM_EXAMPLES.RecoveryStepWaiting, drill: 'drill-contoso-2030', until: '2030-01-04T00:00:00Z' },
    'ACTION: contoso restore drill waits for a person: Re-wrap the security domain offline',
    'attention',
  ],
  ['a restore to approve', HSM_EXAMPLES.RestoreRequested, 'CRITICAL: contoso full restore needs approval', 'critical'],
  ['a restore', RestoreCompleted, 'contoso restored as the manifest says', 'info'],
  [
    'a restore that differs',
    { ...RestoreCompleted, critical: 1, differences: ['KeyMissing keys/a'] },
    'CRITICAL: contoso restored, one difference found',
    'critical',
  ],
  [
    'one key restored',
    { ...RestoreCompleted, key: 'payments-kek' },
    'contoso/payments-kek restored as the manifest says',
    'info',
  ],
  [
    'a restore that failed',
    HSM_EXAMPLES.RestoreFailed,
    'CRITICAL: contoso restore did not finish: the service refused',
    'critical',
  ],
  [
    'an expiring certificate',
    HSM_EXAMPLES.CustodyExpiring,
    'ACTION: contoso one wrapping certificate about to expire',
    'attention',
  ],
  ['a review', HSM_EXAMPLES.CustodyReviewDue, 'ACTION: contoso custody review is due', 'attention'],
  ['a quorum at risk', QuorumAtRisk, 'ACTION: contoso quorum is at risk', 'attention'],
  [
    'a quorum that is lost',
    { ...QuorumAtRisk, state: 'lost' },
    'CRITICAL: contoso quorum cannot be reached',
    'critical',
  ],
  [
    'a recovery that waits',
    HSM_EXAMPLES.RecoveryStepWaiting,
    'CRITICAL: contoso recovery waits for a person: Re-wrap the security domain offline',
    'critical',
  ],
];

describe('a notice about an HSM', () => {
  test.each(SUBJECTS)('says at a glance: %s', (_title, notice, subject, severity) => {
    expect(compose(notice)).toMatchObject({ subject: `[embedded] ${subject}`, severity });
  });

  test.each(Object.values(HSM_EXAMPLES))(
    '$kind greets who cares, and asks for something where it needs attention',
    (notice) => {
      const message = compose(notice);
      expect(message.greeting).toBe('Hello Crypto Operations,');
      expect(message.facts).toContainEqual({ label: 'HSM', value: 'contoso, https://contoso.managedhsm.azure.net' });
      expect(message.mustDo.length > 0).toBe(message.severity !== 'info');
    },
  );

  test('an expiring certificate is told with what it does not mean', () => {
    expect(compose(HSM_EXAMPLES.CustodyExpiring).paragraphs.join(' ')).toContain('still serves for recovery');
  });

  test('a restore to approve shows what is at stake, and until when', () => {
    const text = renderText(compose(HSM_EXAMPLES.RestoreRequested)).replace(/\s+/g, ' ');
    expect(text).toContain('2 role assignments are removed.');
    expect(text).toContain('2030-01-15 20:00 UTC');
  });

  test('figures read as people say them', () => {
    const facts = Object.fromEntries(compose(BackupCompleted).facts.map(({ label, value }) => [label, value]));
    expect(facts).toMatchObject({ Size: '1.4 MiB', Took: '1 min 35 s' });
  });
});

test.each([
  ['contradicted', 'Do not count on this backup', 'You can count on this backup'],
  ['proven', 'You can count on this backup', 'Do not count on this backup'],
  ['undecided', 'Nothing speaks against the backup', 'Do not count on this backup'],
] as const)('a drill that failed with its backup %s says just that of it', (proof, told, untold) => {
  const text = renderText(compose({ ...DrillFailed, proof }));
  expect(text).toContain(told);
  expect(text).not.toContain(untold);
});
