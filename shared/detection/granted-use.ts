import type { Draft } from './detector.ts';
import { groupBy } from './group-by.ts';
import { keysOf, nameOf, namesOf, succeeded } from './grouping.ts';
import { pairId } from './habits.ts';
import type { JudgedCall } from './judged-calls.ts';
import { recentOf } from './recent.ts';
import { isHsmWide } from './roles.ts';
import { lookUp, type Scene } from './scene.ts';

const DAY_MS = 86_400_000;

interface Grant {
  until: string;
  scope: string;
}

/** C2: who was given a role off plan within the last day begins to do what it could not do before. */
export function firstUseOfGrant(scene: Scene, detector: string): Draft[] {
  const earlier = recentOf(scene, detector, DAY_MS);
  const grants = new Map<string, Grant[]>();
  for (const { marks, score, severity, assignments, until } of earlier) {
    if (!marks.includes('granted') || severity === 'Informational' || score <= 21) continue;
    for (const { principalId, scope } of assignments) {
      const grantee = principalId?.toLowerCase();
      if (grantee) grants.set(grantee, [...(grants.get(grantee) ?? []), { until, scope }]);
    }
  }
  for (const { marks, caller } of earlier) if (marks.includes('C2') && caller) grants.delete(caller.oid);
  if (grants.size === 0) return [];
  const used = scene.calls.filter(
    (call) =>
      succeeded(call) &&
      call.unexplained > 0 &&
      (grants.get(call.who) ?? []).some((grant) => call.last > grant.until && covers(grant, call)) &&
      !didBefore(scene, call),
  );
  return [...groupBy(used, ({ who }) => who).values()].map((calls) => ({
    calls,
    explained: false,
    subject: 'first use',
    windowMinutes: 1440,
    // Who may read learns names; who may use, take or rule does more.
    base: calls.every(({ class: of }) => READS.test(of)) ? 30 : 70,
    title: `${nameOf(calls[0])} uses ${namesOf(keysOf(calls))} within a day of a grant that no plan announced`,
    explanation: 'The grant was told before; now it is used, which a mistake seldom is.',
    nextStep: 'Remove the assignment, and list what was done with it.',
    marks: ['C2'],
  }));
}

const READS = /(^read\.|\.read$|^authentication$)/;

/** A role at one key opens that key alone. */
const covers = ({ scope }: Grant, { key }: JudgedCall): boolean =>
  isHsmWide(scope) || (key !== undefined && scope.toLowerCase() === `/keys/${key}`);

/** What the grantee did without the grant says nothing of it. */
function didBefore({ memory }: Scene, { key, who, class: of, action }: JudgedCall): boolean {
  if (key !== undefined) return lookUp(memory.pairs, pairId(key, who))?.classes.includes(of) ?? false;
  return lookUp(lookUp(memory.callers, who)?.actions ?? {}, action) !== undefined;
}
