import type { Finding } from '../../../shared/detection/finding.ts';
import type { Incident } from '../../../shared/incident/incident.ts';
import { openIncident } from '../../../shared/incident/join.ts';

export const MALLORY = { oid: '00000000-0000-4000-8000-00000000a666', upn: 'mallory@contoso.example' };
export const SERVICE = { oid: '00000000-0000-4000-8000-00000000b777', app: '00000000-0000-4000-8000-00000000c777' };

let count = 0;

export function aFinding(changes: Partial<Finding> = {}): Finding {
  const foundAt = changes.foundAt ?? '2030-01-01T00:00:00.000Z';
  return {
    version: 1,
    id: (++count).toString(16).padStart(32, '0'),
    detector: 'first-seen-caller',
    detectorVersion: 1,
    hsm: 'contoso',
    caller: MALLORY,
    address: '203.0.113.7',
    keys: ['orders'],
    keysInAll: 1,
    classes: ['crypto.unprotect'],
    from: foundAt,
    until: foundAt,
    foundAt,
    title: 'A caller that was never seen used contoso/orders',
    explanation: 'Nobody of that name used the key in 30 days.',
    nextStep: 'Ask the owner of the key.',
    score: 60,
    severity: 'High',
    class: 'misuse',
    response: 'containByApproval',
    techniques: ['T1078.004'],
    assignments: [],
    facts: {},
    correlationIds: [],
    intents: [],
    ...changes,
  };
}

export const anIncident = (changes: Partial<Incident> = {}, finding: Partial<Finding> = {}): Incident => ({
  ...openIncident('incident-contoso-0123456789abcdef', 'detection', aFinding(finding)),
  ...changes,
});
