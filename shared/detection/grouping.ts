import type { CallClass, CallGroup } from './audit-call.ts';
import type { JudgedCall } from './judged-calls.ts';

/** Calls of one caller that share a fate: all announced by the journal, or none. */
export interface CallerGroup {
  who: string;
  explained: boolean;
  calls: JudgedCall[];
}

/** By caller, what the journal explains apart from what it does not. The order is that of the scene. */
export function byCaller(calls: readonly JudgedCall[]): CallerGroup[] {
  const groups = new Map<string, CallerGroup>();
  for (const call of calls) {
    const explained = call.unexplained === 0;
    const id = `${explained ? 'e' : 'u'} ${call.who}`;
    const group = groups.get(id) ?? { who: call.who, explained, calls: [] };
    group.calls.push(call);
    groups.set(id, group);
  }
  return [...groups.values()];
}

export const ofClass = (calls: readonly JudgedCall[], ...classes: CallClass[]): JudgedCall[] =>
  calls.filter((call) => classes.includes(call.class));

export const succeeded = ({ outcome }: CallGroup): boolean => outcome === 'ok';

/** Calls that reached the HSM and were answered by a refusal; the challenge of a fresh client is none. */
export const refused = ({ outcome }: CallGroup): boolean => outcome === 'denied';

export const countOf = (calls: readonly JudgedCall[]): number => calls.reduce((sum, { count }) => sum + count, 0);

export const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];

export const keysOf = (calls: readonly JudgedCall[]): string[] =>
  distinct(calls.flatMap(({ key }) => (key === undefined ? [] : [key]))).sort();

/** A name a person knows: UPN, else object id, else client id, else the address. */
export function nameOf(call: JudgedCall | undefined): string {
  if (call === undefined) return 'an unknown caller';
  return (
    call.caller.upn ?? (call.caller.oid || call.caller.app || `an unnamed caller at ${call.address || 'no address'}`)
  );
}

/** `the key pay-01`, `3 keys (a, b, c)`; at most five are named. */
export function namesOf(keys: readonly string[]): string {
  if (keys.length === 0) return 'the HSM';
  if (keys.length === 1) return `the key ${keys[0]}`;
  const named = keys.slice(0, 5).join(', ');
  return `${keys.length} keys (${named}${keys.length > 5 ? ', …' : ''})`;
}

export const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);
