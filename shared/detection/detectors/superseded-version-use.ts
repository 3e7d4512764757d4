import type { KnownKey } from '../detection-facts.ts';
import { type Detector, type Draft, parameter } from '../detector.ts';
import { groupBy } from '../group-by.ts';
import { byCaller, nameOf, succeeded } from '../grouping.ts';
import { pairId } from '../habits.ts';
import type { JudgedCall } from '../judged-calls.ts';
import { lookUp, type Scene } from '../scene.ts';

const ID = 'superseded-version-use';
const HOUR_MS = 3_600_000;

/** New data under an old version: a pinned consumer, or somebody who took the old version for a reason. */
export const supersededVersionUse: Detector = {
  id: ID,
  version: 1,
  sees: 'Wrapping, encrypting or signing with a version that is not the newest, after the time that its consumer needs to follow.',
  method: 'Rule over the versions of the inventory; no time at all after a rotation that answered a compromise.',
  severity: { least: 'Low', most: 'High' },
  falsePositives: [
    'A consumer that names a version: a debt of its configuration, told once a week.',
    'Old data is opened with old versions: that is never told here.',
  ],
  runbook: [
    'Ask the owner of the consumer to name the key without a version.',
    'After a compromise, treat the caller as the attacker until its owner explains the call.',
  ],
  response: 'notify',
  compromise: 'misuse',
  techniques: ['T1078.004'],
  evaluate(scene) {
    const calls = scene.calls.filter((call) => call.version !== undefined && call.key !== undefined);
    const groups = groupBy(calls, ({ key }) => key as string);
    return [...groups].flatMap(([name, calls]) => {
      const key = scene.keys.get(name);
      return key === undefined ? [] : [...superseded(scene, key, calls), ...disabled(key, calls)];
    });
  },
};

function superseded(scene: Scene, key: KnownKey, calls: readonly JudgedCall[]): Draft[] {
  const enabled = key.versions.filter(({ enabled }) => enabled);
  const newest = enabled.at(-1);
  if (newest === undefined) return [];
  const since = Date.parse(newest.createdOn);
  const compromised = key.compromisedOn === undefined ? undefined : Date.parse(key.compromisedOn);
  const old = calls.filter(({ class: of, version, who, firstMs, outcome }) => {
    if (of !== 'crypto.protect' || outcome !== 'ok' || version === newest.version) return false;
    const known = key.versions.find((each) => each.version === version);
    if (known === undefined) return false;
    const lost = compromised !== undefined && Date.parse(known.createdOn) < compromised && firstMs > compromised;
    return lost || firstMs > since + graceHours(scene, who) * HOUR_MS;
  });
  return byCaller(old).map(({ calls, explained, who }) => {
    const lost = compromised !== undefined && calls.some(({ firstMs }) => firstMs > compromised);
    const stranger = lookUp(scene.memory.pairs, pairId(key.name.toLowerCase(), who)) === undefined;
    return {
      calls,
      explained,
      subject: key.name.toLowerCase(),
      windowMinutes: 1440,
      base: lost || stranger ? 65 : 25,
      ...(lost ? { response: 'containByApproval' as const } : {}),
      title: `${nameOf(calls[0])} protects new data with an old version of ${key.name}`,
      explanation: lost
        ? 'The old version was replaced because of a compromise, and nothing new may be made with it.'
        : stranger
          ? 'This caller never used the key before, and begins with an old version.'
          : `The newest version is of ${newest.createdOn}; the consumer did not follow.`,
      nextStep: lost
        ? 'Take the role of the caller away until its owner explains the call.'
        : 'Tell the owner to name the key without a version.',
      facts: { afterCompromise: lost },
    };
  });
}

function graceHours(scene: Scene, who: string): number {
  const kind = scene.identities.get(who)?.kind;
  if (kind === 'storage') return parameter(scene, ID, 'storageGraceHours');
  return parameter(scene, ID, kind === 'sql' ? 'sqlGraceHours' : 'graceHours');
}

function disabled(key: KnownKey, calls: readonly JudgedCall[]): Draft[] {
  const off = new Set(key.versions.filter(({ enabled }) => !enabled).map(({ version }) => version));
  const tried = calls.filter(
    (call) => call.class.startsWith('crypto.') && !succeeded(call) && off.has(call.version as string),
  );
  return byCaller(tried).map(({ calls, explained }) => ({
    calls,
    explained,
    subject: `${key.name.toLowerCase()} disabled`,
    windowMinutes: 1440,
    base: 20,
    title: `${nameOf(calls[0])} tried a disabled version of ${key.name}`,
    explanation: 'The HSM refused it. Either data still needs the version, or somebody tries what was retired.',
    nextStep: 'Ask the owner of the caller which data still needs the version.',
  }));
}
