import { DAY_MS } from '../../time.ts';
import type { ControlPlaneAct } from '../audit-call.ts';
import type { Detector, Draft } from '../detector.ts';
import { byCaller, nameOf, succeeded } from '../grouping.ts';
import { keyGivenToServer, madeKeys } from '../made-keys.ts';
import { graveActions, guidOf } from '../roles.ts';
import { lookUp, type Scene } from '../scene.ts';

/** What holds the HSM's doors shut: role definitions, settings, its network, locks, and connections to key managers outside. */
export const guardRailChange: Detector = {
  id: 'guard-rail-change',
  version: 1,
  sees: 'Changed role definitions, settings, network rules, locks and external key connections, and SQL moved to a key just made.',
  method: 'Rule, and the difference between what the HSM answers now and what it answered before.',
  severity: { least: 'Low', most: 'Critical' },
  falsePositives: [
    'A deployment that changes nothing: without a difference it is Low.',
    'An approved change of a setting: announce it with its approval.',
    'A new server of SQL whose key a person made: let onboarding make it.',
  ],
  runbook: [
    'Read the difference, and ask who approved it.',
    'Put the last approved state back, with one person.',
    'Look for what was done since the change: roles granted, keys made, backups taken.',
  ],
  response: 'containByApproval',
  compromise: 'controls',
  techniques: ['T1578.005', 'T1562.007', 'T1098.003'],
  evaluate: (scene) => [
    ...definitions(scene),
    ...settings(scene),
    ...connections(scene),
    ...controlPlane(scene),
    ...movedServers(scene),
  ],
};

const NEXT = 'Ask who approved the change; without an approval, put the approved state back.';

function definitions(scene: Scene): Draft[] {
  const calls = scene.calls.filter(
    (call) => (call.class === 'rbac.definition.put' || call.class === 'rbac.definition.delete') && succeeded(call),
  );
  const gained = gainedActions(scene);
  const drafts = byCaller(calls).map(({ calls, explained }): Draft => {
    const unread = scene.facts.lookedUp.definitions === undefined;
    return {
      calls,
      explained,
      subject: 'definitions',
      windowMinutes: 15,
      base: gained.length > 0 ? 80 : unread ? 60 : 40,
      title: `${nameOf(calls[0])} changed a role definition${gained.length > 0 ? `: it now allows ${short(gained[0])}` : ''}`,
      explanation:
        gained.length > 0
          ? `Gained: ${gained.slice(0, 5).map(short).join(', ')}.`
          : unread
            ? 'The definitions could not be read, so what it gained is not known.'
            : 'It gained nothing grave.',
      nextStep: NEXT,
      facts: { gained: gained.length },
    };
  });
  if (drafts.length > 0 || gained.length === 0) return drafts;
  // The log may lag behind the world, or be cut: the difference stands by itself.
  return [
    silent(scene, 'definitions', 80, `A role definition now allows ${short(gained[0])}, and no call shows by whom`),
  ];
}

function gainedActions({ facts: { lookedUp } }: Scene): string[] {
  if (lookedUp.definitions === undefined || lookedUp.definitionsBefore === undefined) return [];
  const before = new Map(lookedUp.definitionsBefore.map((role) => [guidOf(role.id), new Set(role.dataActions)]));
  return lookedUp.definitions.flatMap((role) =>
    graveActions(role.dataActions).filter((action) => !before.get(guidOf(role.id))?.has(action)),
  );
}

const short = (action: string | undefined): string =>
  (action ?? '').replace(/^microsoft\.keyvault\/managedhsm\//i, '').slice(0, 80);

function settings(scene: Scene): Draft[] {
  const { settings: now, settingsBefore: before } = scene.facts.lookedUp;
  const changed = Object.entries(now ?? {}).filter(
    ([name, value]) => before !== undefined && (lookUp(before, name) ?? '') !== value,
  );
  const opened = changed.some(([name, value]) => /throughARM/i.test(name) && value.toLowerCase() === 'true');
  const what = changed
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ')
    .slice(0, 150);
  const calls = scene.calls.filter(
    (call) =>
      succeeded(call) &&
      (call.class === 'settings.update' || (call.class === 'settings.read' && changed.length > 0 && !call.ours)),
  );
  const updates = calls.filter(({ class: of }) => of === 'settings.update');
  const base = opened ? 75 : changed.length > 0 ? 40 : now === undefined ? 50 : 20;
  // A read shares its status with a write, so readers are named only where nobody is logged as a writer.
  const drafts = byCaller(updates.length > 0 ? updates : calls).map(
    ({ calls, explained }): Draft => ({
      calls,
      explained,
      subject: 'settings',
      windowMinutes: 15,
      base,
      title: `${nameOf(calls[0])} changed the settings of the HSM${what === '' ? '' : `: ${what}`}`,
      explanation: opened
        ? 'Whoever has a role in Azure Resource Manager can now manage keys, past the local roles.'
        : changed.length > 0
          ? 'The setting differs from the last look.'
          : 'No difference from the last look was found.',
      nextStep: NEXT,
      facts: { changed: changed.length },
    }),
  );
  if (drafts.length > 0 || changed.length === 0) return drafts;
  return [silent(scene, 'settings', base, `A setting of the HSM changed, and no call shows by whom: ${what}`)];
}

function connections(scene: Scene): Draft[] {
  const calls = scene.calls.filter(
    (call) => call.class === 'ekm' && succeeded(call) && !/get|list|read|proxyoperation/i.test(call.operation),
  );
  return byCaller(calls).map(({ calls, explained }) => ({
    calls,
    explained,
    subject: 'ekm',
    windowMinutes: 15,
    base: 60,
    title: `${nameOf(calls[0])} changed a connection to an external key manager`,
    explanation: 'Keys outside the HSM are reached through this connection.',
    nextStep: NEXT,
  }));
}

function controlPlane(scene: Scene): Draft[] {
  return scene.facts.controlPlane
    .filter(({ succeeded }) => succeeded)
    .flatMap((act): Draft[] => {
      const operation = act.operation.toLowerCase();
      if (operation.endsWith('/locks/delete')) {
        return [
          ofAct(act, 'lock', 60, 'removed a lock of the HSM', 'Without the lock the HSM can be deleted in one call.'),
        ];
      }
      if (operation !== 'microsoft.keyvault/managedhsms/write') return [];
      const { network } = scene.facts.lookedUp;
      const opened = network?.publicAccess === true && scene.rule.network.privateOnly;
      const base = opened ? 80 : 20;
      const why = opened
        ? 'Public access is on, and the rule says that it must be off.'
        : 'No difference that weakens the HSM was found; deployments do this.';
      return [ofAct(act, 'resource', base, 'changed the resource of the HSM', why)];
    });
}

/** A key that no plan announced, and data that is encrypted with it the same day: one half of a ransom (`kill-chain.ts`). */
function movedServers(scene: Scene): Draft[] {
  return scene.facts.controlPlane.flatMap((act): Draft[] => {
    const key = keyGivenToServer(act);
    if (key === undefined) return [];
    const by = madeKeys(scene, new Date(Date.parse(act.at) - DAY_MS).toISOString()).get(key);
    if (by === undefined) return [];
    const why = `${by} made the key ${key} within the day before, and no plan announced it.`;
    const draft = ofAct(act, `server ${key}`, 40, `gave a server of SQL the key ${key}`, why);
    const nextStep = 'Ask the owner of the server, and keep the key that it had before from being deleted.';
    return [{ ...draft, keys: [key], marks: ['repointed'], nextStep }];
  });
}

const ofAct = (act: ControlPlaneAct, subject: string, base: number, verb: string, explanation: string): Draft => ({
  calls: [],
  who: act.caller.toLowerCase().slice(0, 200),
  caller: callerOfAct(act),
  from: act.at,
  explained: false,
  subject,
  windowMinutes: 15,
  base,
  title: `${act.caller.slice(0, 80)} ${verb}`,
  explanation,
  nextStep: NEXT,
  facts: { operation: act.operation },
});

/** The activity log names people by UPN and services by object id. */
export const callerOfAct = ({ caller }: ControlPlaneAct) =>
  caller.includes('@')
    ? { oid: '', upn: caller.toLowerCase().slice(0, 200) }
    : { oid: caller.toLowerCase().slice(0, 200) };

const silent = (scene: Scene, subject: string, base: number, title: string): Draft => ({
  calls: [],
  who: '*',
  from: scene.facts.now,
  explained: false,
  subject,
  windowMinutes: 60,
  base,
  plain: true,
  title,
  explanation: 'The difference was found by comparing with the last look, not in the log.',
  nextStep: NEXT,
});
