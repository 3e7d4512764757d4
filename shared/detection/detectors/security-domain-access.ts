import type { Detector } from '../detector.ts';
import { byCaller, distinct, nameOf, succeeded } from '../grouping.ts';

/** The root of the HSM: with a copy, its quorum and a backup, the HSM can be rebuilt elsewhere. */
export const securityDomainAccess: Detector = {
  id: 'security-domain-access',
  version: 1,
  sees: 'Any call to download, upload or transfer the security domain, answered or refused.',
  method: 'Rule: a call that no approved ceremony announced.',
  severity: { least: 'High', most: 'Critical' },
  falsePositives: [
    'Activation of a new HSM: announce the ceremony with an approval.',
    'A new download for new quorum keys: announce it likewise.',
    'A recovery drill uploads to the HSM of the drill: the drill announces it.',
  ],
  runbook: [
    'Ask the caller by another channel whether this is a ceremony; if not, treat the HSM as exposed.',
    'Remove the Administrator role of the caller, with two people.',
    'Find out who holds the quorum keys, and whether they still do.',
    'If a full backup left the HSM too, plan for a new HSM with a new security domain.',
  ],
  response: 'containByTwo',
  compromise: 'rootOfTrust',
  techniques: ['T1552.004', 'T1555.006'],
  evaluate(scene) {
    const calls = scene.calls.filter(({ class: of, outcome }) => of.startsWith('sd.') && outcome !== 'challenged');
    return byCaller(calls).map(({ calls, explained }) => {
      const done = calls.filter(succeeded);
      const taken = done.some(({ class: of }) => of === 'sd.download' || of === 'sd.download.poll');
      const verb = taken ? 'downloaded' : done.length > 0 ? 'opened' : 'was refused';
      return {
        calls,
        explained,
        windowMinutes: 15,
        base: done.length > 0 ? 95 : 60,
        title: `${nameOf(calls[0])} ${verb} the security domain`,
        explanation: `Calls: ${distinct(calls.map(({ class: of }) => of)).join(', ')}. ${
          explained ? 'An approved ceremony announced them.' : 'No approved ceremony announced them.'
        }`,
        nextStep:
          'Confirm with the caller by another channel; if it was no ceremony, start the response for the root of trust.',
        marks: taken ? ['downloaded'] : [],
      };
    });
  },
};
