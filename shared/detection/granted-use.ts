import type { Draft } from './detector.ts';
import { groupBy } from './group-by.ts';
import { keysOf, nameOf, namesOf, succeeded } from './grouping.ts';
import { recentOf } from './recent.ts';
import type { Scene } from './scene.ts';

const DAY_MS = 86_400_000;

/** C2: who was given a role off plan within the last day begins to use it. */
export function firstUseOfGrant(scene: Scene, detector: string): Draft[] {
  const earlier = recentOf(scene, detector, DAY_MS);
  const grantees = new Map<string, string>();
  for (const { marks, score, severity, assignments, until } of earlier) {
    if (!marks.includes('granted') || severity === 'Informational' || score <= 21) continue;
    for (const { principalId } of assignments) if (principalId) grantees.set(principalId.toLowerCase(), until);
  }
  for (const { marks, caller } of earlier) if (marks.includes('C2') && caller) grantees.delete(caller.oid);
  if (grantees.size === 0) return [];
  const used = scene.calls.filter(
    (call) => succeeded(call) && call.unexplained > 0 && call.last > (grantees.get(call.who) ?? '~'),
  );
  return [...groupBy(used, ({ who }) => who).values()].map((calls) => ({
    calls,
    explained: false,
    subject: 'first use',
    windowMinutes: 1440,
    base: 70,
    title: `${nameOf(calls[0])} uses ${namesOf(keysOf(calls))} within a day of a grant that no plan announced`,
    explanation: 'The grant was told before; now it is used, which a mistake seldom is.',
    nextStep: 'Remove the assignment, and list what was done with it.',
    marks: ['C2'],
  }));
}
