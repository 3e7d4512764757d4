import type { ManifestRoleAssignment, ManifestRoleDefinition } from '../../shared/backup/manifest.ts';
import { BUILT_IN_ROTATION, type PolicyDocument } from '../../shared/policy/document.ts';
import { drillHsmBy } from '../../shared/policy/drill-hsm.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import { matchesGlob } from '../../shared/policy/glob.ts';
import { ANSWERS } from '../../shared/policy/response-rule.ts';
import type { DutyWish } from './setup-plan.ts';

/** Something that the policy has on for an HSM, and what it takes there. */
export interface Feature {
  feature: string;
  /** Where the policy says so: `classes.tier0.rotation.drift`, or `built in`. */
  from: string;
  /** Whose identity does it. */
  duty: string;
  /** The duty whose role holds the actions, where that is a second role of the identity. */
  role: string;
  /** Without the prefix and `/action`. */
  actions: string[];
  scope: '/' | '/keys';
  /** Another way out than granting. */
  otherwise: string;
}

/** A feature that is on and not permitted. */
export interface Unpermitted {
  feature: Feature;
  /** Undefined where nobody was named for the duty. */
  principalId?: string;
  lacks: string[];
}

const PREFIX = 'Microsoft.KeyVault/managedHsm/';

/** What the policy has on for this HSM. Without a document the built-in rule holds, as it does in the app. */
export function featuresOn(policy: PolicyDocument | undefined, hsm: string): Feature[] {
  const document = policy ?? { version: 1, owners: { fallback: [] } };
  const { rule, origin } = effectiveHsmRule(document, hsm, '');
  const rotates = rotationSays(document, hsm, 'mode', 'rotate');
  const repairs = rotationSays(document, hsm, 'drift', 'repair');
  const containing = [rule.response.mode, ...Object.values(rule.response.classes)].find(
    (answer) => ANSWERS.indexOf(answer) >= ANSWERS.indexOf('contain'),
  );
  const drillHsm = drillHsmBy(document, hsm);
  const on = (wanted: unknown, feature: Omit<Feature, 'from'>, from: string | undefined): Feature[] =>
    wanted ? [{ ...feature, from: from ?? 'built in' }] : [];
  return [
    ...on(true, { ...OF.sweeps }, 'always'),
    ...on(rotates, OF.rotation, rotates),
    ...on(rotates && repairs, OF.repairs, repairs),
    ...on(rotates, OF.retirement, 'when a person asks for it'),
    ...on(rule.backup.mode === 'on', OF.backups, origin['backup.mode']),
    ...on(drillHsm !== undefined, OF.drills, drillHsm),
    ...on(containing, OF.containment, origin['response.mode']),
  ];
}

const OF = {
  sweeps: feature('sweeps and looks', 'observe', ['keys/read'], '/', 'there is none: nothing works without'),
  rotation: feature('rotation', 'rotate', ['keys/read', 'keys/rotate'], '/keys', 'set rotation.mode to remind'),
  repairs: {
    ...feature('repair of rotation policies', 'rotate', ['keys/write'], '/keys', 'set rotation.drift to tell'),
    role: 'maintain-policy',
  },
  retirement: {
    ...feature('retirement of old versions', 'rotate', ['keys/write'], '/keys', 'ask for none'),
    role: 'maintain-policy',
  },
  backups: feature('backups', 'backup', ['backup/start', 'backup/status'], '/', 'set backup.mode to off'),
  drills: feature('restores by drills', 'restore', ['restore/start', 'restore/status'], '/', 'set drills.mode to off'),
  containment: feature(
    'containment',
    'respond',
    ['roleAssignments/read', 'roleAssignments/delete'],
    '/',
    'set response.mode to notify',
  ),
};

function feature(name: string, duty: string, actions: string[], scope: Feature['scope'], otherwise: string) {
  return { feature: name, duty, role: duty, actions, scope, otherwise };
}

/** Where a rule of keys of this HSM sets a field of `rotation` to the value; undefined where none does. */
function rotationSays(policy: PolicyDocument, hsm: string, field: 'mode' | 'drift', value: string): string | undefined {
  const layers = [
    ...Object.entries(policy.classes ?? {}).map(([name, rule]) => [`classes.${name}`, rule] as const),
    ...(policy.keys ?? [])
      .map((entry, at) => [`keys[${at}] ${entry.match}`, entry] as const)
      .filter(([, entry]) => entry.hsm === undefined || matchesGlob(entry.hsm, hsm)),
  ];
  const inDefaults = policy.defaults?.rotation?.[field];
  if ((inDefaults ?? BUILT_IN_ROTATION[field]) === value) return inDefaults === undefined ? 'built in' : 'defaults';
  return layers.find(([, rule]) => rule.rotation?.[field] === value)?.[0];
}

/** What is on and lacks something, by what the HSM says that each identity holds. A grant at one key is none for all keys. */
export function findUnpermitted(
  features: Feature[],
  wishes: DutyWish[],
  found: { definitions: ManifestRoleDefinition[]; assignments: ManifestRoleAssignment[] },
): Unpermitted[] {
  return features.flatMap((one): Unpermitted[] => {
    const wish = wishes.find(({ role }) => role.duty === one.duty);
    if (!wish) return [{ feature: one, lacks: one.actions }];
    // A team that grants key by key has said so, and knows which keys it left out.
    const narrow = one.scope === '/keys' && wish.scopes.every((scope) => scope.startsWith('/keys/'));
    const held = heldBy(wish.principalId, narrow ? wish.scopes : scopesAbove(one.scope), found);
    const lacks = one.actions.filter((action) => !held.has(`${PREFIX}${action}/action`.toLowerCase()));
    return lacks.length === 0 ? [] : [{ feature: one, principalId: wish.principalId, lacks }];
  });
}

const scopesAbove = (scope: Feature['scope']): string[] => (scope === '/' ? ['/'] : ['/', '/keys']);

function heldBy(
  principalId: string,
  scopes: string[],
  { definitions, assignments }: Parameters<typeof findUnpermitted>[2],
): Set<string> {
  const own = assignments.filter(
    (one) => one.principalId.toLowerCase() === principalId.toLowerCase() && scopes.includes(one.scope),
  );
  const actions = own.flatMap((one) => definitions.find(({ id }) => id === one.roleDefinitionId)?.dataActions ?? []);
  return new Set(actions.map((action) => action.toLowerCase()));
}
