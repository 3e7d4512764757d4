import { type Detector, type Draft, parameter } from '../detector.ts';
import { groupBy } from '../group-by.ts';
import { distinct, keysOf, nameOf, namesOf, succeeded } from '../grouping.ts';
import { firstSeenByKey, pairId } from '../habits.ts';
import type { JudgedCall } from '../judged-calls.ts';
import { isCanary, lookUp, type Scene } from '../scene.ts';
import { surpriseOfNew } from '../statistics.ts';
import { dayOf } from '../time-bins.ts';

const ID = 'first-seen-caller';
const DAY_MS = 86_400_000;

/** A key is used by the same few callers for years; a new one is worth a question to the owner. */
export const firstSeenCaller: Detector = {
  id: ID,
  version: 1,
  sees: 'A caller that uses or manages a key for the first time, or calls the HSM for the first time.',
  method:
    'New pairs of key and caller, unless new callers are usual for the key: Poisson with a decay of a twentieth a day.',
  severity: { least: 'Low', most: 'High' },
  falsePositives: [
    'A new service: announce it, or give its role through the app.',
    'A key made within the last week has nothing to steal yet: Low.',
    'A deployment that changes identities: announce it for its time.',
  ],
  runbook: [
    'Ask the owner of the key: is this caller yours?',
    'Find out by which role it was let in, and who gave it.',
    'If nobody knows it, take the role away and list what it did.',
  ],
  response: 'containByApproval',
  compromise: 'misuse',
  techniques: ['T1078.004'],
  evaluate(scene) {
    const calls = scene.calls.filter(
      (call) =>
        succeeded(call) &&
        call.unexplained > 0 &&
        call.class !== 'authentication' &&
        !isTheHsm(call) &&
        !isCanary(scene, call) &&
        !call.ours,
    );
    const fresh = calls.filter((call) => isFresh(scene, call));
    const seen = firstSeenByKey(scene.memory, new Set(keysOf(fresh)));
    const freshOf = groupBy(fresh, ({ who }) => who);
    return [...groupBy(calls, ({ who }) => who)].flatMap(
      ([who, calls]) => judge(scene, who, calls, freshOf.get(who) ?? [], seen) ?? [],
    );
  },
};

/**
 * An HSM that rotates by its own policy names nobody in the row. That nobody else can leave the caller out is not documented
 * for a Managed HSM; the class alone is let pass, and the new version is proven and told by the sweep all the same.
 */
const isTheHsm = ({ class: of, caller }: JudgedCall): boolean =>
  of === 'key.rotate' && caller.oid === '' && !caller.app;

/** Reads say little, and scanners read everything. */
const COUNTS = /^(crypto\.(protect|unprotect)|key\.|rbac\.assign\.put)/;

type Seen = ReturnType<typeof firstSeenByKey>;

const isFresh = ({ memory }: Scene, { key, who, class: of }: JudgedCall): boolean =>
  key !== undefined && COUNTS.test(of) && lookUp(memory.pairs, pairId(key, who)) === undefined;

function judge(scene: Scene, who: string, calls: JudgedCall[], fresh: JudgedCall[], seen: Seen): Draft | undefined {
  if (scene.age < scene.rule.learning.rulesOnlyDays) return undefined;
  const learning = scene.age < scene.rule.learning.noveltyDays;
  const surprising = fresh.filter(({ key }) => isSurprise(scene, seen.get(key as string) ?? []));
  if (surprising.length === 0) return strangerTo(scene, who, calls, learning);

  const weights = keysOf(surprising).map((key) =>
    weigh(
      scene,
      who,
      key,
      surprising.filter((call) => call.key === key),
    ),
  );
  const worst = weights.reduce((a, b) => (b.base > a.base ? b : a));
  const keys = keysOf(surprising);
  return {
    calls: surprising,
    explained: false,
    learning,
    subject: keys.length === 1 ? (keys[0] as string) : `${keys.length > 5 ? 'many' : keys.join(' ')}`,
    windowMinutes: 1440,
    base: worst.base,
    title: `${nameOf(surprising[0])} used ${namesOf(keys)} for the first time`,
    explanation: `${worst.why.join(' ')} In ${Math.floor(scene.age)} days this caller never touched it.`,
    nextStep: 'Ask the owner of the key whether this caller is expected.',
    facts: { keys: keys.length, client: surprising[0]?.agent ?? 'none', days: Math.floor(scene.age) },
    marks: ['new'],
  };
}

function weigh(scene: Scene, who: string, key: string, calls: readonly JudgedCall[]): { base: number; why: string[] } {
  const unprotects = calls.some(({ class: of, verb }) => of === 'crypto.unprotect' || verb === 'sign');
  const person = calls[0]?.caller.upn !== undefined;
  const why = [unprotects ? 'It decrypted, unwrapped or signed.' : 'It used the key.'];
  let base = 35 + (unprotects ? 20 : 0) + (person ? 15 : 0);
  if (person) why.push('It is a person.');
  if (isYoung(scene, key)) {
    why.push('The key is younger than a week, so somebody had to be the first.');
    return { base: Math.min(base, 15), why };
  }
  if (wasIntroduced(scene, who, key, calls)) {
    base -= 25;
    why.push('It was announced, or given its role by a plan.');
  }
  return { base, why };
}

/** A key that lately came to be: by the inventory, or because its creation was seen. */
const isYoung = ({ keys, memory, nowMs }: Scene, key: string): boolean => {
  const created = keys.get(key)?.createdOn ?? lookUp(memory.keys, key)?.created?.at;
  return created !== undefined && nowMs - Date.parse(created) < 7 * DAY_MS;
};

function wasIntroduced(scene: Scene, who: string, key: string, calls: readonly JudgedCall[]): boolean {
  const announced = scene.rule.announced.some(
    (change) =>
      (change.oid === undefined || change.oid.toLowerCase() === who) &&
      (change.key === undefined || change.key.toLowerCase() === key) &&
      calls.every(({ first, last }) => first >= change.from && last <= change.until),
  );
  return (
    announced ||
    scene.memory.recent.some(
      ({ detector, severity, until, assignments }) =>
        detector === 'role-assignment-change' &&
        severity === 'Informational' &&
        scene.nowMs - Date.parse(until) < 7 * DAY_MS &&
        assignments.some(({ principalId }) => principalId?.toLowerCase() === who),
    )
  );
}

/** Where new callers are usual, one more says nothing; those of the first days are the population, not news. */
function isSurprise(scene: Scene, seen: readonly number[]): boolean {
  if (seen.length > parameter(scene, ID, 'entities')) return false;
  const today = dayOf(scene.nowMs);
  const start = today - Math.floor(scene.age);
  const ages = seen.filter((first) => first > start + 3).map((first) => today - first);
  return surpriseOfNew(ages, Math.max(1, scene.age)) >= parameter(scene, ID, 'surprise');
}

function strangerTo(scene: Scene, who: string, calls: JudgedCall[], learning: boolean): Draft | undefined {
  if (lookUp(scene.memory.callers, who)?.actions !== undefined && hasHabits(scene, who)) return undefined;
  return {
    calls,
    explained: false,
    learning,
    subject: 'hsm',
    windowMinutes: 1440,
    base: 12,
    title: `${nameOf(calls[0])} called the HSM for the first time`,
    explanation: `It did: ${distinct(calls.map(({ class: of }) => of))
      .slice(0, 6)
      .join(', ')}.`,
    nextStep: 'Nothing at once; it is told for what may follow.',
    marks: ['new'],
  };
}

const hasHabits = ({ memory }: Scene, who: string): boolean =>
  Object.keys(lookUp(memory.callers, who)?.actions ?? {}).length > 0;
