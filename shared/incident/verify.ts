import type { ManifestRoleAssignment } from '../backup/manifest.ts';
import type { CallGroup } from '../detection/audit-call.ts';
import { type Incident, type IncidentSubject, stepsOfRound, type Verification } from './incident.ts';

export interface VerifyFacts {
  subject: IncidentSubject;
  containedAt: string;
  /** Those that were taken away and not put back, whoever did it. */
  removed: readonly ManifestRoleAssignment[];
  /** What people let the caller keep, or gave back: `leftByPeople`. */
  left: readonly string[];
  keys: readonly string[];
  /** As they are now; absent: could not be read. */
  assignments?: readonly ManifestRoleAssignment[];
  /** What the intruder called since containment, clocks allowed for; absent: the log could not be asked. */
  calls?: readonly Pick<CallGroup, 'outcome' | 'last' | 'count' | 'class'>[];
  now: Date;
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** The intruder's own calls say most; roles say what would happen; where neither can be read, nobody knows. */
export function judgeContainment({ subject, removed, left, assignments, calls, keys, now }: VerifyFacts): Verification {
  const at = now.toISOString();
  const verdict = (result: Verification['result'], explanation: string): Verification => ({ at, result, explanation });
  const back = assignments?.find((each) =>
    removed.some(({ id, scope }) => same(id, each.id) && same(scope, each.scope)),
  );
  if (back) {
    return verdict('stillAllowed', `The assignment ${back.id} at ${back.scope} was taken away, and is there again.`);
  }
  const gotIn = calls?.find(({ outcome }) => outcome === 'ok');
  if (gotIn && left.length > 0) {
    return verdict(
      'unknown',
      `The log shows a call that succeeded after containment, on ${gotIn.last}. It may be its rightful owner's: ${left.join(' ')}`,
    );
  }
  if (gotIn) {
    return verdict('stillAllowed', `The log shows a call that succeeded after containment, on ${gotIn.last}.`);
  }
  const denied = calls?.find(({ outcome }) => outcome === 'denied');
  if (denied) {
    return verdict('refused', `The HSM refused what was tried after containment, last on ${denied.last} (403).`);
  }
  if (subject.kind !== 'caller') {
    return verdict('unknown', 'Nobody knows who the intruder is, so nobody can say whether they are kept out.');
  }
  if (assignments === undefined) {
    return verdict('unknown', 'Neither the log nor the roles say whether the intruder is kept out.');
  }
  const stays = assignments.find(
    ({ principalId, scope }) =>
      same(principalId, subject.caller.oid) &&
      (!/^\/keys\/.+/i.test(scope) || keys.length === 0 || keys.some((key) => same(scope, `/keys/${key}`))),
  );
  if (stays && left.length > 0) {
    return verdict(
      'unknown',
      `The assignment ${stays.id} at ${stays.scope} stays, by what people decided: ${left.join(' ')}`,
    );
  }
  if (stays) return verdict('stillAllowed', `The assignment ${stays.id} at ${stays.scope} still lets the intruder in.`);
  if (!removed.some(({ principalId }) => same(principalId, subject.caller.oid))) {
    return verdict('unknown', 'The intruder had no assignment of their own, so a group may still let them in.');
  }
  const log = calls === undefined ? 'The log could not be asked.' : 'The log shows no call of theirs since.';
  return verdict('refused', `No assignment lets the intruder in any more. ${log}`);
}

/** What people decided that the caller keeps, or gets back: what is done with it since says nothing of an intruder. */
export function leftByPeople(incident: Incident): string[] {
  const { subject, removed = [] } = incident;
  if (subject.kind !== 'caller') return [];
  return stepsOfRound(incident).flatMap(({ id, kind, state, assignment, decisions }) => {
    if (kind !== 'revoke' || assignment === undefined || !same(assignment.principalId, subject.caller.oid)) return [];
    const no = decisions.findLast(({ decision }) => decision === 'deny');
    if (state === 'denied' && no) return [`${no.name} said no to ${id} on ${no.at}.`];
    const back = removed.findLast((each) => each.step === id && each.putBackAt !== undefined);
    return state === 'undone' && back ? [`What ${id} took away was put back on ${back.putBackAt}.`] : [];
  });
}
