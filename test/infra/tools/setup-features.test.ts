import { expect, test } from 'vitest';
import { featuresOn } from '../../../infra/tools/setup-features.ts';
import type { PolicyDocument } from '../../../shared/policy/document.ts';

const on = (policy: Partial<PolicyDocument>, hsm = 'contoso') =>
  featuresOn({ version: 1, owners: { fallback: [] }, ...policy }, hsm).map(({ feature, from }) => [feature, from]);

test('without a document the built-in rule holds: rotation, its repairs, backups and containment', () => {
  expect(featuresOn(undefined, 'contoso').map(({ feature, duty, role }) => [feature, duty, role])).toEqual([
    ['sweeps and looks', 'observe', 'observe'],
    ['rotation', 'rotate', 'rotate'],
    ['repair of rotation policies', 'rotate', 'maintain-policy'],
    ['retirement of old versions', 'rotate', 'maintain-policy'],
    ['backups', 'backup', 'backup'],
    ['containment', 'respond', 'respond'],
  ]);
});

const REPAIRS = 'repair of rotation policies';
test.each([
  ['the defaults', { defaults: { rotation: { drift: 'repair' } } }, 'defaults'],
  [
    'a class, where the defaults only tell',
    { defaults: { rotation: { drift: 'tell' } }, classes: { tier0: { rotation: { drift: 'repair' } } } },
    'classes.tier0',
  ],
  [
    'an entry for keys of this HSM',
    { defaults: { rotation: { drift: 'tell' } }, keys: [{ match: 'a*', hsm: 'con*', rotation: { drift: 'repair' } }] },
    'keys[0] a*',
  ],
] as const)('repairs are on by %s', (_where, policy, from) => {
  expect(on(policy as Partial<PolicyDocument>)).toContainEqual([REPAIRS, from]);
});

test('an entry for keys of another HSM says nothing of this one', () => {
  const keys = [{ match: 'a*', hsm: 'fabrikam', rotation: { drift: 'repair' as const } }];
  expect(on({ defaults: { rotation: { drift: 'tell' } }, keys }).map(([name]) => name)).not.toContain(REPAIRS);
});

test('nothing that rotates needs no role of rotation', () => {
  const names = on({ defaults: { rotation: { mode: 'remind' } } }).map(([name]) => name);
  expect(names).toEqual(['sweeps and looks', 'backups', 'containment']);
});

test('a standing drill HSM is restored to, and not its source', () => {
  const drills = { mode: 'on' as const, target: { kind: 'standing' as const, hsm: 'drill' } };
  expect(on({ drills }, 'drill').map(([name]) => name)).toContain('restores by drills');
  expect(on({ drills }, 'contoso').map(([name]) => name)).not.toContain('restores by drills');
});

test('an HSM whose entry only notifies needs nobody who responds', () => {
  const hsms = [{ match: 'contoso', response: { mode: 'notify' as const } }];
  expect(on({ hsms }).map(([name]) => name)).not.toContain('containment');
  expect(on({ hsms }, 'fabrikam').map(([name]) => name)).toContain('containment');
});
