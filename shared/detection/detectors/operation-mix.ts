import { type Detector, type Draft, parameter } from '../detector.ts';
import { groupBy } from '../group-by.ts';
import { distinct, nameOf, namesOf, succeeded } from '../grouping.ts';
import { decayed } from '../habits.ts';
import type { JudgedCall } from '../judged-calls.ts';
import type { CallerMemory } from '../memory.ts';
import { isCanary, lookUp, type Scene } from '../scene.ts';
import { jensenShannon, percentile } from '../statistics.ts';
import { dayOf, hourOf, isoDay } from '../time-bins.ts';

const ID = 'operation-mix';

/** A caller does what it was made for; who took its identity does something else. */
export const operationMix: Detector = {
  id: ID,
  version: 1,
  sees: 'A kind of operation new to its caller, people who do crypto, services that leave wrap and unwrap, sweeps of reads, and days unlike the month.',
  method:
    'Novelty in the habits of the caller; distinct keys of an hour against its 95th percentile; Jensen–Shannon divergence of the day.',
  severity: { least: 'Low', most: 'High' },
  falsePositives: [
    'Inventories read every key: those of ours are not judged.',
    'A new release does something new: announce it.',
    'An auditor reviews access: announce it.',
  ],
  runbook: [
    'Ask the owner of the caller whether the operation is part of its work.',
    'A service with a role for wrapping alone cannot decrypt: find the broader role, and who gave it.',
    'Narrow the role to what the caller needs.',
  ],
  response: 'containByApproval',
  compromise: 'misuse',
  techniques: ['T1526', 'T1087.004'],
  evaluate(scene) {
    if (scene.age < scene.rule.learning.rulesOnlyDays) return [];
    const calls = scene.calls.filter(
      (call) =>
        succeeded(call) &&
        call.unexplained > 0 &&
        call.class !== 'authentication' &&
        !isCanary(scene, call) &&
        !call.ours,
    );
    return [...groupBy(calls, ({ who }) => who)].flatMap(([who, calls]) => {
      const known = lookUp(scene.memory.callers, who);
      const common = { learning: isLearning(scene, known) };
      return [novelty(scene, who, known, calls), sweep(scene, known, calls), yesterday(scene, who, known, calls)]
        .filter((draft) => draft !== undefined)
        .map((draft) => ({ ...draft, ...(draft.learning === undefined ? common : {}) }));
    });
  },
};

const isLearning = ({ age, nowMs, rule }: Scene, known: CallerMemory | undefined): boolean =>
  age < rule.learning.noveltyDays ||
  known === undefined ||
  (nowMs - Date.parse(known.first)) / 86_400_000 < rule.learning.noveltyDays;

/** Operations that take something: each is graver when new. */
const TAKES = /^(crypto\.unprotect|crypto\.protect sign|key\.(backup|release)|backup\.start)/;
/** Reads, polls and what other detectors tell. */
const QUIET =
  /^(read\.|settings\.read|rbac\.(assign|definition)|backup\.|restore\.|sd\.|random|ekm|unclassified|crypto\.verify|key\.(delete|purge|backup|release|import|restoreblob))/;
/** A service of Azure that encrypts with a customer's key does these, and nothing else. */
const WRAPS = new Set(['read.key', 'read.list', 'crypto.protect wrapkey', 'crypto.unprotect unwrapkey']);

function novelty(scene: Scene, who: string, known: CallerMemory | undefined, calls: JudgedCall[]): Draft | undefined {
  const fresh = calls.filter((call) => lookUp(known?.actions ?? {}, call.action) === undefined);
  const person = calls[0]?.caller.upn !== undefined;
  const crypto = fresh.filter(({ class: of }) => of === 'crypto.protect' || of === 'crypto.unprotect');
  if (person && crypto.length > 0) {
    return told(crypto, 55, 'People manage keys, and services use them.', 'crypto by a person', { learning: false });
  }
  if (wrapsOnly(scene, who, known) && crypto.some((call) => !WRAPS.has(call.action))) {
    const odd = crypto.filter((call) => !WRAPS.has(call.action));
    return told(
      odd,
      65,
      'A service that only wraps and unwraps has no role for this, so a broader role must exist.',
      'beyond wrapping',
      { learning: false },
    );
  }
  const loud = fresh.filter((call) => !QUIET.test(call.action));
  if (known === undefined || Object.keys(known.actions).length === 0 || loud.length === 0) return undefined;
  const takes = loud.some((call) => TAKES.test(call.action));
  // People do many things, each seldom; what a person manages is told where it takes or destroys something.
  const base = person ? 15 : 35 + (takes ? 20 : 0);
  return told(loud, base, 'It never did so before.', 'new');
}

function wrapsOnly({ identities }: Scene, who: string, known: CallerMemory | undefined): boolean {
  const kind = identities.get(who)?.kind;
  if (kind === 'storage' || kind === 'sql') return true;
  if (kind !== undefined || known === undefined || known.upn !== undefined) return false;
  const habits = Object.entries(known.actions);
  const weight = habits.reduce((sum, [, habit]) => sum + habit.weight, 0);
  return weight >= 200 && habits.every(([action]) => WRAPS.has(action));
}

function told(
  calls: JudgedCall[],
  base: number,
  why: string,
  subject: string,
  more: { learning?: boolean } = {},
): Draft {
  const actions = distinct(calls.map(({ action }) => action)).sort();
  return {
    calls,
    explained: false,
    ...more,
    subject: `${subject} ${actions.slice(0, 3).join(' ')}`,
    windowMinutes: 1440,
    base,
    title: `${nameOf(calls[0])} did ${actions.slice(0, 3).join(', ')}, which it never does`,
    explanation: why,
    nextStep: 'Ask the owner of this caller whether that is part of its work.',
    marks: ['mix'],
  };
}

/** A list, then key after key. */
function sweep(scene: Scene, known: CallerMemory | undefined, calls: JudgedCall[]): Draft | undefined {
  const reads = calls.filter(({ class: of, key }) => of === 'read.key' && key !== undefined);
  if (reads.length === 0) return undefined;
  const last = reads.at(-1) as JudgedCall;
  const hour = hourOf(last.lastMs);
  const before = known?.reading.hour === hour ? known.reading.keys : [];
  const keys = distinct([...before, ...reads.map(({ key }) => key as string)]).sort();
  const usual = percentile(known?.keysADay ?? [], 0.95);
  const limit = Math.max(parameter(scene, ID, 'sweepKeys'), (usual || 0) * parameter(scene, ID, 'sweepFactor'));
  if (keys.length < limit) return undefined;
  const listed = known?.reading.listed !== undefined && last.lastMs - Date.parse(known.reading.listed) < 3_600_000;
  if (!listed && !calls.some(({ class: of }) => of === 'read.list')) return undefined;
  return {
    calls: reads,
    keys,
    explained: false,
    subject: 'sweep',
    windowMinutes: 60,
    base: 50,
    title: `${nameOf(reads[0])} listed the keys and read ${namesOf(keys)}`,
    explanation: `On 19 days of 20 this caller touches ${Math.round(usual || 0)} keys or fewer.`,
    nextStep: 'Ask the owner of this caller why it looks at every key.',
    facts: { keys: keys.length, usual: Math.round(usual || 0) },
    marks: ['sweep'],
  };
}

/** A day is judged when it is over: at the first call of the next. */
function yesterday(scene: Scene, who: string, known: CallerMemory | undefined, calls: JudgedCall[]): Draft | undefined {
  const first = calls[0] as JudgedCall;
  if (known === undefined || known.today.day === 0 || dayOf(first.lastMs) <= known.today.day) return undefined;
  const day = known.today.actions;
  const sum = Object.values(day).reduce((total, count) => total + count, 0);
  const habits = Object.entries(known.actions).map(([action, habit]) => {
    // The habit has learnt the day already, so the day is taken off again.
    return [action, Math.max(0, decayed(habit, known.today.day) - (lookUp(day, action) ?? 0))] as const;
  });
  const weight = habits.reduce((total, [, value]) => total + value, 0);
  if (sum < parameter(scene, ID, 'leastDay') || weight < parameter(scene, ID, 'leastHistory')) return undefined;
  const bits = jensenShannon(day, Object.fromEntries(habits));
  if (bits <= parameter(scene, ID, 'divergence')) return undefined;
  const from = isoDay(known.today.day);
  return {
    calls: [],
    who,
    caller: first.caller,
    from,
    until: isoDay(known.today.day + 1),
    explained: false,
    subject: 'day',
    windowMinutes: 1440,
    base: 30,
    title: `${nameOf(first)} had a day unlike its month`,
    explanation: `Its operations of ${from.slice(0, 10)} part from those of the month by ${bits.toFixed(2)} bits.`,
    nextStep: 'Ask the owner of this caller what ran on that day.',
    facts: { bits: Math.round(bits * 100) / 100, operations: sum },
    marks: ['mix'],
  };
}
