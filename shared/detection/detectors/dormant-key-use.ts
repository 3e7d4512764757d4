import { type Detector, type Draft, parameter } from '../detector.ts';
import { groupBy } from '../group-by.ts';
import { byCaller, nameOf, succeeded } from '../grouping.ts';
import type { JudgedCall } from '../judged-calls.ts';
import { isCanary, lookUp, type Scene } from '../scene.ts';

const ID = 'dormant-key-use';
const DAY_MS = 86_400_000;

/** A key that nobody used for a month protects old data, which is what a thief is after. */
export const dormantKeyUse: Detector = {
  id: ID,
  version: 1,
  sees: 'The first crypto operation on a key after a month without any.',
  method: 'Rule over our own table of last uses: Managed HSM keeps none.',
  severity: { least: 'Low', most: 'High' },
  falsePositives: [
    'A yearly job, or an old backup that is read: announce it.',
    'A restore drill proves old keys: the journal announces it.',
  ],
  runbook: [
    'Ask the owner of the key what was opened, and for whom.',
    'List which data the key protects.',
    'If nobody explains it, take the role of the caller away.',
  ],
  response: 'containByApproval',
  compromise: 'misuse',
  techniques: ['T1078.004'],
  evaluate(scene) {
    const calls = scene.calls.filter(
      (call) =>
        (call.class === 'crypto.protect' || call.class === 'crypto.unprotect') &&
        call.key !== undefined &&
        succeeded(call) &&
        !isCanary(scene, call),
    );
    return [...groupBy(calls, ({ key }) => key as string)].flatMap(([key, calls]) => {
      const quiet = quietDays(scene, key, calls);
      return quiet === undefined ? [] : byCaller(calls).map((group) => draft(scene, key, group, quiet));
    });
  },
};

interface Quiet {
  days: number;
  /** The history is shorter than the time that makes a key dormant. */
  short: boolean;
}

function quietDays(scene: Scene, key: string, calls: readonly JudgedCall[]): Quiet | undefined {
  const { keys, memory, age, rule } = scene;
  const limit = parameter(scene, ID, 'days');
  const first = calls.reduce((least, { firstMs }) => Math.min(least, firstMs), Number.POSITIVE_INFINITY);
  const known = lookUp(memory.keys, key);
  const created = keys.get(key)?.createdOn ?? known?.created?.at;
  if (created !== undefined && first - Date.parse(created) < limit * DAY_MS) return undefined;
  if (known?.lastUse !== undefined) {
    const days = (first - Date.parse(known.lastUse)) / DAY_MS;
    return days >= limit ? { days, short: false } : undefined;
  }
  // Never used as far as we know, which is as far as the history goes; of a key that nobody knows, nothing can be said.
  if (created === undefined && known === undefined) return undefined;
  if (age < rule.learning.noveltyDays) return undefined;
  return { days: age, short: age < rule.learning.volumeDays };
}

function draft(
  scene: Scene,
  key: string,
  { calls, explained }: { calls: JudgedCall[]; explained: boolean },
  { days, short }: Quiet,
): Draft {
  const opened = calls.some(({ class: of }) => of === 'crypto.unprotect');
  const announced = scene.rule.announced.some(
    (change) =>
      change.key?.toLowerCase() === key &&
      calls.every(({ first, last }) => first >= change.from && last <= change.until),
  );
  return {
    calls,
    explained: explained || announced,
    subject: key,
    windowMinutes: 1440,
    base: short ? 15 : 55 + (opened ? 15 : 0),
    title: `${nameOf(calls[0])} used ${key} after ${Math.floor(days)} days without use`,
    explanation: `${opened ? 'It opened what the key protects.' : 'It protected or signed with it.'}${
      short ? ' The history is short, so that may mean little.' : ''
    }`,
    nextStep: 'Ask the owner of the key what was opened.',
    facts: { days: Math.floor(days) },
  };
}
