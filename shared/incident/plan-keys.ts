import type { ResponseAnswer } from '../policy/response-rule.ts';
import { guardRotate, TIGHT_VERSIONS } from './guards.ts';
import { roundOf } from './incident.ts';
import type { KeySituation, PlanFacts } from './plan.ts';
import type { PlannedStep } from './step.ts';

/**
 * What protects the keys now. A new version helps where a key was used; where its material is out a copy stays good whatever
 * version follows, so there a new key is offered instead.
 * https://learn.microsoft.com/azure/key-vault/general/backup
 */
export function keySteps(facts: PlanFacts, answer: ResponseAnswer): PlannedStep[] {
  const { incident, keys } = facts;
  if (incident.class === 'misuse') return keys.map((key) => rotateStep(facts, key, answer));
  if (incident.class === 'keyMaterial') return keys.flatMap((key) => [newKeyStep(facts, key), disableStep(facts, key)]);
  return [];
}

const prefixed = ({ incident }: PlanFacts, id: string): string =>
  roundOf(incident) > 1 ? `r${roundOf(incident)}-${id}` : id;

function rotateStep(facts: PlanFacts, key: KeySituation, answer: ResponseAnswer): PlannedStep {
  const { name, version, versionsUsed = 0 } = key;
  const { response = 'notify' } = facts.incident;
  const proposed = response !== 'notify' && response !== 'record';
  const tight = versionsUsed > TIGHT_VERSIONS;
  // A version is spent for ever, so nobody who only names keys, or is refused at them, makes the app spend any.
  const used = facts.incident.keysUsed?.includes(name) ?? true;
  const wanted = answer === 'rotate' && proposed && used;
  const alone = wanted && !tight;
  const refusal = guardRotate(name, versionsUsed);
  return {
    id: prefixed(facts, `rotate-${name}`),
    kind: 'rotate',
    doneBy: 'app',
    title: `Make a new version of ${name}`,
    why: used
      ? 'Whatever the intruder made or opened was made with the present version; nothing new should be.'
      : 'No finding says that the intruder used this key: it was named, read or refused. A new version is seldom needed, and cannot be taken back.',
    mode: alone ? 'auto' : 'approval',
    ...(wanted ? {} : { offered: true as const }),
    state: refusal ? 'refused' : version === undefined ? 'skipped' : 'planned',
    compensation: 'None is needed: the version before stays enabled and still opens what it made.',
    shown: [
      ...usedBy(key),
      ...(tight ? [`${versionsUsed} of 100 versions are used.`] : []),
      'Consumers that are pinned to a version stay behind until they are pointed at the new one.',
    ],
    commands: [],
    key: name,
    ...(version === undefined ? { detail: 'The key could not be read, or is gone.' } : { expectedVersion: version }),
    decisions: [],
    ...(refusal ? { reason: refusal.reason, detail: refusal.explanation, nextStep: refusal.nextStep } : {}),
  };
}

function newKeyStep(facts: PlanFacts, key: KeySituation): PlannedStep {
  const { name } = key;
  return {
    id: prefixed(facts, `newKey-${name}`),
    kind: 'newKey',
    doneBy: 'people',
    title: `Replace ${name} by a new key, and point its consumers at that`,
    why: 'Its material may be held outside the HSM. A new version changes nothing about that: a copy of the key opens what it opened, for ever.',
    mode: 'auto',
    state: 'planned',
    compensation: 'The old key stays as it is, so consumers can be pointed back.',
    shown: [
      ...usedBy(key),
      'Each consumer wraps its data keys anew with the new key, and needs a role on it first; a role may need six minutes to be seen in another region.',
      'Do not disable or delete the old key before: what depends on it stops, and the copy keeps working.',
    ],
    commands: isPlain(name)
      ? [`az keyvault key create --hsm-name ${facts.incident.hsm} --name ${name}-replacement --kty RSA-HSM --size 3072`]
      : [],
    key: name,
    decisions: [],
  };
}

/**
 * People disable the key, and the app has no part in it: `retireKeyVersion` retires an old version after the newest version of
 * the same key took over, and refuses the newest (`VersionIsNewest`). Here the material is out, so what takes over is another
 * key, and it is the newest version of this one that has to go.
 */
function disableStep(facts: PlanFacts, { name, version }: KeySituation): PlannedStep {
  return {
    id: prefixed(facts, `disableOld-${name}`),
    kind: 'disableOld',
    doneBy: 'people',
    title: `Disable the old key ${name}, last of all`,
    why: 'Once every consumer uses the new key, nothing should use the old one. With purge protection it stays, disabled.',
    mode: 'twoApprovals',
    offered: true,
    state: 'planned',
    compensation: 'Enable it again.',
    shown: [
      'Refused while the log shows any use in the last 7 days; storage needs 24 hours after it was pointed elsewhere.',
    ],
    commands: isPlain(name)
      ? [`az keyvault key set-attributes --hsm-name ${facts.incident.hsm} --name ${name} --enabled false`]
      : [],
    key: name,
    ...(version === undefined ? {} : { expectedVersion: version }),
    decisions: [],
  };
}

/** Names in log rows are whatever a caller sent; only a name that can be one stands in a command. */
export const isPlain = (name: string): boolean => /^[0-9A-Za-z-]{1,127}$/.test(name);

/** Who is cut off or has to be pointed elsewhere. */
function usedBy({ name, use }: KeySituation): string[] {
  if (use === undefined) return [`Who uses ${name} is not known: the log could not be asked.`];
  if (use.length === 0) return [`Nobody used ${name} in the last 30 days.`];
  return use
    .toSorted((a, b) => Date.parse(b.last) - Date.parse(a.last))
    .slice(0, 12)
    .map(
      ({ caller, name: shown = caller, version, count, last }) =>
        `${shown} used version ${version || 'unknown'} ${count} times, last on ${last}.`,
    );
}
