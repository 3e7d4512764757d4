import { type Detector, type Draft, parameter } from '../detector.ts';
import { groupBy } from '../group-by.ts';
import { countOf, distinct, keysOf, nameOf, namesOf } from '../grouping.ts';
import type { JudgedCall } from '../judged-calls.ts';
import { callerOf, recentOf } from '../recent.ts';
import { lookUp, type Scene } from '../scene.ts';
import { logNegativeBinomialTail } from '../statistics.ts';
import { binOf } from '../time-bins.ts';

const ID = 'denied-burst';
const HOUR_MS = 3_600_000;

/** Who tries doors is refused often, or at many keys, or at a door that matters. */
export const deniedBurst: Detector = {
  id: ID,
  version: 2,
  sees: 'Many refusals of one caller, refusals at many keys by one or by several strangers, a refused grant, and a success where the caller was refused before.',
  method:
    'Negative-binomial tail of ten-minute counts against the caller; distinct keys; rule for grants and definitions.',
  severity: { least: 'Low', most: 'High' },
  falsePositives: [
    'A client that lost its role retries one call on one key: Low, and its owner is told.',
    'We took a role away or disabled a version: refusals of the next hour at that key are Low.',
    'A grant takes up to six minutes to reach the second region.',
  ],
  runbook: [
    'Ask the owner of the caller what changed.',
    'Look for what the caller may do, and whether it succeeded afterwards.',
    'Block the address only with an approval, and never one that a service of Azure uses.',
  ],
  response: 'containByApproval',
  compromise: 'misuse',
  techniques: ['T1580', 'T1526'],
  evaluate(scene) {
    const found = bursts(scene);
    return [...found, ...strangersTogether(scene, found), ...successAfter(scene, found)];
  },
};

/** Doors whose refusal is told by itself; security domain, backup, restore and purge have detectors of their own. */
const GRAVE = /^(rbac\.(assign|definition)\.(put|delete)|settings\.update)/;

function bursts(scene: Scene): Draft[] {
  const calls = scene.calls.filter(({ outcome }) => outcome === 'denied' || outcome === 'missing');
  return [...groupBy(calls, ({ who }) => who).values()].flatMap((calls) => {
    const bins = [...groupBy(calls, ({ firstMs }) => String(binOf(firstMs))).values()];
    const worst = bins.flatMap((bin) => judge(scene, bin) ?? []).sort((a, b) => b.base - a.base)[0];
    return worst === undefined ? [] : [worst];
  });
}

function judge(scene: Scene, calls: JudgedCall[]): Draft | undefined {
  const first = calls[0] as JudgedCall;
  const known = lookUp(scene.memory.callers, first.who);
  const bin = binOf(first.firstMs);
  // A bin may span two windows, so what the window before saw of it counts too.
  const open = known?.refusing?.bin === bin ? known.refusing : undefined;
  const count = countOf(calls) + (open?.count ?? 0);
  const before = [known?.refused, known?.refusing].find((each) => each?.bin === bin - 1);
  const keys = distinct([...keysOf(calls), ...(open?.keys ?? []), ...(before?.keys ?? [])]).sort();
  const actions = distinct([...calls.map(({ action }) => action), ...(open?.actions ?? [])]);
  const grave = calls.filter((call) => call.outcome === 'denied' && GRAVE.test(call.class));
  const denied = calls.filter(({ outcome }) => outcome === 'denied');
  const { burst, logTail, usual } = isBurst(scene, first, count);
  const sweep = keys.length >= parameter(scene, ID, 'keys') && denied.length > 0;
  if (!burst && !sweep && grave.length === 0) return undefined;

  const expected = followsOurAct(scene, keys, first);
  const broken = keys.length === 1 && actions.length === 1 && grave.length === 0;
  const base = expected || broken ? 15 : grave.length > 0 ? 60 : sweep ? 55 : 45;
  const why = expected
    ? 'An act of ours took the access away within the last hour.'
    : broken
      ? 'One operation on one key: more likely a broken client than a search.'
      : grave.length > 0
        ? 'It tried to change who may do what.'
        : sweep
          ? 'It tried key after key.'
          : 'So many are not usual for this caller.';
  return {
    calls,
    keys,
    explained: false,
    subject: grave.length > 0 ? 'grants' : sweep ? 'sweep' : 'burst',
    windowMinutes: 60,
    base,
    title: `${nameOf(first)} was refused ${count === 1 ? 'once' : `${count} times`} in ten minutes, at ${namesOf(keys)}`,
    explanation: `${why} Usual are ${usual.toFixed(2)} in ten minutes.`,
    nextStep: 'Ask the owner of this caller; look whether it succeeded afterwards.',
    facts: { count, keys: keys.length, usual: Math.round(usual * 100) / 100, logTail: Math.round(logTail * 10) / 10 },
    marks: sweep || burst ? ['burst'] : [],
  };
}

function isBurst(scene: Scene, { who, firstMs }: JudgedCall, count: number) {
  const known = lookUp(scene.memory.callers, who);
  const days = known === undefined ? 0 : (firstMs - Date.parse(known.first)) / 86_400_000;
  const cold = scene.age < scene.rule.learning.noveltyDays;
  // Weights fade by a twentieth a day, so the bins that stand behind them fade alike: at most twenty days' worth.
  const bins = Math.max(1, 144 * 20 * (1 - 0.95 ** Math.max(0, days)));
  const sum = known?.refusals.sum ?? 0;
  const mean = Math.max(0.05, sum / bins);
  const variance = Math.max(mean, (known?.refusals.squares ?? 0) / bins - (sum / bins) ** 2);
  const size = variance > mean * 1.01 ? Math.max(0.05, mean ** 2 / (variance - mean)) : 1e7;
  const logTail = logNegativeBinomialTail(count, mean, size) / Math.LN10;
  const burst = cold
    ? count >= parameter(scene, ID, 'coldLeast')
    : count >= parameter(scene, ID, 'least') && logTail <= -parameter(scene, ID, 'logTail');
  return { burst, logTail: Math.max(-300, logTail), usual: mean };
}

/** One search split over several identities: those that were never let in count as one, by the keys they tried. */
function strangersTogether(scene: Scene, found: readonly Draft[]): Draft[] {
  const told = new Set(found.flatMap(({ base, calls }) => (base > 21 ? calls.map(({ who }) => who) : [])));
  const calls = scene.calls.filter(
    (call) => call.outcome === 'denied' && isStranger(scene, call) && !told.has(call.who),
  );
  const last = calls.at(-1);
  if (last === undefined) return [];
  const bin = binOf(last.firstMs);
  const earlier = Object.entries(scene.memory.callers).flatMap(([who, { actions, refused, refusing }]) =>
    told.has(who) || Object.keys(actions).length > 0
      ? []
      : [refused, refusing].flatMap((each) =>
          each !== undefined && each.keys.length > 0 && bin - each.bin <= 1 ? [{ who, keys: each.keys }] : [],
        ),
  );
  const callers = distinct([...calls.map(({ who }) => who), ...earlier.map(({ who }) => who)]);
  const keys = distinct([...keysOf(calls), ...earlier.flatMap(({ keys }) => keys)]).sort();
  // Each may try a key or two by mistake, so several together must have tried more than one alone.
  if (callers.length < 2 || keys.length < 2 * parameter(scene, ID, 'keys')) return [];
  return [
    {
      calls,
      keys,
      explained: false,
      subject: 'strangers',
      windowMinutes: 60,
      base: 55,
      title: `${callers.length} callers that were never let in were refused at ${namesOf(keys)} within minutes`,
      explanation: 'Each tried a few keys, and together they tried key after key.',
      nextStep: 'Ask who made these identities; look whether one of them succeeded afterwards.',
      facts: { callers: callers.length, keys: keys.length },
      marks: ['burst'],
    },
  ];
}

const isStranger = ({ memory }: Scene, { who, ours }: JudgedCall): boolean =>
  !ours && Object.keys(lookUp(memory.callers, who)?.actions ?? {}).length === 0;

/** Our own removal of a role or of a version, announced in the journal, makes its users stumble for an hour. */
const followsOurAct = ({ facts }: Scene, keys: readonly string[], { firstMs }: JudgedCall): boolean =>
  facts.intents.some(({ count, target, from, to }) => {
    const takesAway = (count['rbac.assign.delete'] ?? 0) > 0 || (count['key.update'] ?? 0) > 0;
    const key = /^keys\/([^/]+)/.exec(target.toLowerCase())?.[1];
    return (
      takesAway &&
      firstMs >= Date.parse(from) &&
      firstMs <= Date.parse(to) + HOUR_MS &&
      (key === undefined || keys.every((each) => each === key))
    );
  });

/** C4: refused at a key, and within the hour let in by it. */
function successAfter(scene: Scene, found: readonly Draft[]): Draft[] {
  const before = recentOf(scene, ID, HOUR_MS).filter(({ marks, score }) => marks.includes('burst') && score > 21);
  const now = found.filter(({ base, marks }) => base > 21 && marks?.includes('burst'));
  const refusedAt = new Map<string, Set<string>>();
  const note = (who: string | undefined, keys: readonly string[]) => {
    if (who === undefined) return;
    refusedAt.set(who, new Set([...(refusedAt.get(who) ?? []), ...keys]));
  };
  for (const finding of before) note(callerOf(finding), finding.keys);
  for (const draft of now) note(draft.calls[0]?.who, draft.keys ?? []);
  if (refusedAt.size === 0) return [];
  const admitted = scene.calls.filter(
    (call) =>
      call.outcome === 'ok' && call.unexplained > 0 && call.key !== undefined && refusedAt.get(call.who)?.has(call.key),
  );
  return [...groupBy(admitted, ({ who }) => who).values()].map((calls) => ({
    calls,
    explained: false,
    subject: 'success',
    windowMinutes: 60,
    base: 70,
    title: `${nameOf(calls[0])} succeeded at ${namesOf(keysOf(calls))} after a burst of refusals`,
    explanation: 'The caller was refused at this key within the last hour, among others, and then let in.',
    nextStep: 'Find out who gave it access, and take it away unless somebody planned it.',
    marks: ['C4'],
  }));
}
