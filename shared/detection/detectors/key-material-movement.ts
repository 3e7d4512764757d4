import type { CallClass } from '../audit-call.ts';
import { type Detector, type Draft, parameter } from '../detector.ts';
import { byCaller, distinct, keysOf, nameOf, namesOf, succeeded } from '../grouping.ts';
import { pairId } from '../habits.ts';
import type { JudgedCall } from '../judged-calls.ts';
import { callerOf, recentOf } from '../recent.ts';
import { lookUp, type Scene } from '../scene.ts';

const ID = 'key-material-movement';
const HOUR_MS = 3_600_000;

/** Key material that leaves the HSM, or comes in from outside: sealed blobs, attested releases, imports. */
export const keyMaterialMovement: Detector = {
  id: ID,
  version: 1,
  sees: 'Key backups, releases, imports and restored blobs that no plan announced.',
  method:
    'Rule: the kind of movement, the number of keys within an hour, and whether this caller ever released this key before.',
  severity: { least: 'Low', most: 'Critical' },
  falsePositives: [
    'Rotations back a key up first: the journal announces it.',
    'Confidential computing releases its key at each boot: the pair of key and caller is learnt.',
    'A planned import: announce it.',
  ],
  runbook: [
    'Ask the caller by another channel why the key was moved.',
    'A blob restores only into an HSM with the same security domain; find out whether that was downloaded.',
    'After a release, take the release role of the caller away, not the key.',
    'If the material is lost, make a new key under a new name and re-point its consumers: a new version is not enough.',
  ],
  response: 'containByApproval',
  compromise: 'keyMaterial',
  techniques: ['T1552.004', 'T1555.006'],
  evaluate(scene) {
    return MOVES.flatMap((move) => {
      const calls = scene.calls.filter(
        (call) => call.class === move && (succeeded(call) || (move === 'key.release' && call.outcome === 'denied')),
      );
      return byCaller(calls).map(({ calls, explained, who }) => judge(scene, move, who, calls, explained));
    });
  },
};

const MOVES: readonly CallClass[] = ['key.backup', 'key.release', 'key.import', 'key.restoreblob'];

const WORDS: Partial<Record<CallClass, string>> = {
  'key.backup': 'took a backup of',
  'key.release': 'had released',
  'key.import': 'imported',
  'key.restoreblob': 'restored a backup of',
};

function judge(scene: Scene, move: CallClass, who: string, calls: JudgedCall[], explained: boolean): Draft {
  const keys = keysOf(calls);
  const earlier = explained ? [] : keysMovedBefore(scene, move, who, calls);
  const all = distinct([...keys, ...earlier]).sort();
  const sweep = all.length >= parameter(scene, ID, 'sweepKeys');
  const { base, why } = weigh(scene, move, who, calls, all, sweep);
  return {
    calls,
    explained,
    keys: all,
    subject: `${move} ${sweep ? 'sweep' : (keys[0] ?? '*')}`,
    windowMinutes: 60,
    base,
    title: `${nameOf(calls[0])} ${calls.some(succeeded) ? WORDS[move] : 'was refused the release of'} ${namesOf(all)}`,
    explanation: explained ? 'The journal announced it.' : `No plan announced it. ${why}`,
    nextStep: 'Confirm with the caller by another channel; if it was not planned, treat the keys as copied.',
    facts: { keysInAnHour: all.length },
    marks: [move],
  };
}

function weigh(scene: Scene, move: CallClass, who: string, calls: JudgedCall[], all: string[], sweep: boolean) {
  if (move === 'key.release') {
    if (!calls.some(succeeded)) return { base: 45, why: 'The HSM refused the release.' };
    const fresh = keysOf(calls).filter(
      (key) => !lookUp(scene.memory.pairs, pairId(key, who))?.classes.includes('key.release'),
    );
    return fresh.length > 0
      ? { base: 75, why: `This caller never released ${namesOf(fresh)} before.` }
      : { base: 10, why: 'This caller has released it before.' };
  }
  if (sweep) return { base: 70, why: `${all.length} keys within an hour are a sweep.` };
  if (move === 'key.import' && keysOf(calls).some((key) => existedBefore(scene, key, calls))) {
    return { base: 60, why: 'A key of this name existed, so its material was replaced.' };
  }
  return { base: 40, why: 'A single movement is rarely an attack, and always worth a question.' };
}

const existedBefore = ({ keys, memory }: Scene, key: string, calls: readonly JudgedCall[]): boolean => {
  const since = keys.get(key)?.createdOn ?? lookUp(memory.keys, key)?.first;
  // The inventory may already show what this very call made.
  return since !== undefined && calls.some((call) => Date.parse(since) < call.firstMs - HOUR_MS);
};

const keysMovedBefore = (scene: Scene, move: CallClass, who: string, calls: readonly JudgedCall[]): string[] =>
  recentOf(scene, ID, HOUR_MS, calls)
    .filter(
      (finding) => callerOf(finding) === who && finding.marks.includes(move) && finding.severity !== 'Informational',
    )
    .flatMap(({ keys }) => keys);
