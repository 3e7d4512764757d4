import type { NoticeDue } from './outcomes.ts';

/** What is wrong with the custody of a security domain: who is told, and what is published with it. */
export interface CustodyAlarm {
  due: NoticeDue;
  /** A review that is due is told to people only. */
  event?: { alarm: 'CustodyExpiring' | 'QuorumAtRisk'; state: string; summary: string };
}

/** What the activities of custody answer when nothing failed. */
export interface CustodyActivityOutcomes {
  lookAtCustody:
    | { kind: 'watched'; securityDomain: string; at: string; alarms: CustodyAlarm[] }
    /** Another HSM of the same security domain is looked at in its place, so that nobody is told twice. */
    | { kind: 'sharedWith'; hsm: string };
  publishCustodyAlarm: { kind: 'published' };
}
