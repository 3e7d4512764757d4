import { type Detector, type Draft, parameter } from '../detector.ts';
import { byCaller, distinct, keysOf, nameOf, namesOf, succeeded } from '../grouping.ts';
import type { JudgedCall } from '../judged-calls.ts';
import { callerOf, recentOf } from '../recent.ts';
import { lookUp, type Scene } from '../scene.ts';
import { callerOfAct } from './guard-rail-change.ts';

const ID = 'destruction';
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Keys or the HSM deleted, purged or disabled: data under them is out of reach, or gone. */
export const destruction: Detector = {
  id: ID,
  version: 1,
  sees: 'Deletes, purges (refused ones too), disabled versions, and the deletion of the HSM itself.',
  method: 'Rule: the kind, how many keys within an hour, and whether the keys were in use.',
  severity: { least: 'Medium', most: 'Critical' },
  falsePositives: [
    'Decommissioning: announce the keys.',
    'A test HSM: set `production` to false, which halves the score.',
  ],
  runbook: [
    'Recover the deleted keys: it is reversible while they are soft-deleted.',
    'Take the role of the caller away before it purges.',
    'Stop automation that purges.',
    'List the services that used the keys, and tell their owners.',
  ],
  response: 'containByApproval',
  compromise: 'destruction',
  techniques: ['T1485', 'T1490'],
  evaluate: (scene) => [...ofKeys(scene), ...ofTheHsm(scene)],
};

function ofKeys(scene: Scene): Draft[] {
  const calls = scene.calls.filter(
    (call) =>
      (call.class === 'key.delete' && succeeded(call)) ||
      // A purge that the HSM refused was meant all the same.
      (call.class === 'key.purge' && call.outcome !== 'missing' && call.outcome !== 'challenged') ||
      (call.class === 'key.update' && succeeded(call) && isDisabledNow(scene, call)),
  );
  return byCaller(calls).map(({ calls, explained, who }) => {
    const keys = keysOf(calls);
    const earlier = explained ? [] : keysHitBefore(scene, who, calls);
    const all = distinct([...keys, ...earlier]).sort();
    const { base, why } = weigh(scene, calls, all);
    const purged = calls.some(({ class: of }) => of === 'key.purge');
    return {
      calls,
      explained,
      keys: all,
      windowMinutes: 60,
      base: scene.rule.production ? base : Math.round(base / 2),
      title: `${nameOf(calls[0])} ${purged ? 'purged or tried to purge' : isDelete(calls) ? 'deleted' : 'disabled'} ${namesOf(all)}`,
      explanation: explained ? 'The journal announced it.' : `No plan announced it. ${why}`,
      nextStep: 'Recover what is soft-deleted, and take the role of this caller away.',
      facts: { keysInAnHour: all.length, purges: calls.filter(({ class: of }) => of === 'key.purge').length },
      marks: [...(purged ? ['purge'] : []), ...(isDelete(calls) ? ['delete'] : [])],
    };
  });
}

function weigh(scene: Scene, calls: readonly JudgedCall[], all: readonly string[]): { base: number; why: string } {
  if (all.length >= parameter(scene, ID, 'burstKeys')) {
    return { base: 90, why: `${all.length} keys within an hour are no housekeeping.` };
  }
  if (calls.some(({ class: of }) => of === 'key.purge')) {
    return { base: 75, why: 'A purge cannot be undone, and only haste or malice needs it before the retention ends.' };
  }
  const spanMs = parameter(scene, ID, 'usedDays') * DAY_MS;
  const used = all.filter((key) => {
    const lastUse = lookUp(scene.memory.keys, key)?.lastUse;
    return lastUse !== undefined && scene.nowMs - Date.parse(lastUse) < spanMs;
  });
  if (used.length > 0) return { base: 65, why: `In use until lately: ${used.slice(0, 5).join(', ')}.` };
  return { base: 45, why: 'No use of it was seen lately.' };
}

const isDelete = (calls: readonly JudgedCall[]): boolean => calls.some(({ class: of }) => of === 'key.delete');

/** The body of an update is not logged: what the HSM says of the version now is all there is. */
function isDisabledNow({ keys }: Scene, { key, version }: JudgedCall): boolean {
  const versions = keys.get(key ?? '')?.versions ?? [];
  const changed = version === undefined ? versions.at(-1) : versions.find((each) => each.version === version);
  return changed?.enabled === false;
}

const keysHitBefore = (scene: Scene, who: string, calls: readonly JudgedCall[]): string[] =>
  recentOf(scene, ID, HOUR_MS, calls)
    .filter((finding) => callerOf(finding) === who && finding.severity !== 'Informational')
    .flatMap(({ keys }) => keys);

function ofTheHsm({ facts }: Scene): Draft[] {
  return facts.controlPlane
    .filter(({ operation }) => /managedhsms\/(delete|purge)/i.test(operation))
    .map((act) => ({
      calls: [],
      who: act.caller.toLowerCase().slice(0, 200),
      caller: callerOfAct(act),
      from: act.at,
      explained: false,
      subject: 'hsm',
      windowMinutes: 15,
      base: act.succeeded ? 95 : 70,
      title: `${act.caller.slice(0, 80)} ${act.succeeded ? 'deleted' : 'tried to delete'} the HSM`,
      explanation: 'A deleted HSM can be recovered until it is purged, unless purge protection forbids the purge.',
      nextStep: 'Recover the HSM, and take the role of this caller away in Azure Resource Manager.',
      facts: { operation: act.operation },
      marks: ['delete'],
    }));
}
