import type { Detector } from '../detector.ts';
import { byCaller, keysOf, nameOf, namesOf, succeeded } from '../grouping.ts';

/** A restore replaces what the HSM holds: a theft of time, and a way to bring old keys and old roles back. */
export const unplannedRestore: Detector = {
  id: 'unplanned-restore',
  version: 1,
  sees: 'A restore of the HSM, or of one key from a full backup, that nobody approved.',
  method: 'Rule: a call that no approved restore announced.',
  severity: { least: 'High', most: 'Critical' },
  falsePositives: [
    'Our restores and drills: the journal announces them, with the name of who approved.',
    'A recovery by hand in an emergency: announce it, or decide the incident as expected.',
  ],
  runbook: [
    'Find out from which backup was restored, and what the HSM held before.',
    'Stop automation that would purge or overwrite backups.',
    'Take the restore role of the caller away.',
    'Compare keys and roles with the last manifest; restore the safety backup with two people if it was a rollback.',
  ],
  response: 'containByTwo',
  compromise: 'destruction',
  techniques: ['T1485', 'T1490'],
  evaluate(scene) {
    const calls = scene.calls.filter(
      ({ class: of, outcome }) =>
        (of === 'restore.full' || of === 'restore.key') && (outcome === 'ok' || outcome === 'denied'),
    );
    return byCaller(calls).map(({ calls, explained }) => {
      const done = calls.some(succeeded);
      const what = calls.some(({ class: of }) => of === 'restore.full') ? 'the whole HSM' : namesOf(keysOf(calls));
      return {
        calls,
        explained,
        windowMinutes: 15,
        base: done ? 92 : 60,
        title: `${nameOf(calls[0])} ${done ? 'restored' : 'was refused a restore of'} ${what}`,
        explanation: explained
          ? 'An approved restore announced it.'
          : 'No approved restore announced it. A full restore removes every key that the backup does not hold.',
        nextStep:
          'Find out from which backup, compare keys and roles with the last manifest, and stop further restores.',
      };
    });
  },
};
