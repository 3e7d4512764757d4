import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HsmInventory, ManifestKey } from '../../../shared/backup/manifest.ts';
import { compareWithManifest } from '../../../shared/restore/compare-with-manifest.ts';
import { decideKeyRestore, type KeyPresence, type KeyRestoreInput } from '../../../shared/restore/key-restore.ts';
import { previewRestore } from '../../../shared/restore/preview.ts';
import { aManifest, aManifestKey, aRecord, aVersion, daysAgo } from '../backup/builders.ts';

const manifest = aManifest();
const inventory = (changes: Partial<HsmInventory> = {}): HsmInventory => ({
  keys: manifest.keys,
  roleDefinitions: manifest.roleDefinitions,
  roleAssignments: manifest.roleAssignments,
  ...changes,
});
const withKey = (changes: Partial<ManifestKey>) =>
  inventory({ keys: [aManifestKey('payments-kek', changes), aManifestKey('storage-cmk')] });
const assignment = { id: 'as-2', principalId: 'p-2', roleDefinitionId: 'r-1', scope: '/' };
const told = (found: HsmInventory, of = manifest) =>
  compareWithManifest(of, found).differences.map(({ kind, severity, subject, attribute }) =>
    [kind, severity, subject, ...(attribute === undefined ? [] : [attribute])].join(' '),
  );

describe('compareWithManifest', () => {
  it('finds an HSM that holds what the manifest says the same', () => {
    expect(compareWithManifest(manifest, inventory())).toEqual({
      kind: 'same',
      differences: [],
      compared: { keys: 2, versions: 2, roleAssignments: 1 },
      critical: 0,
      warnings: 0,
      notes: 0,
    });
  });

  const a = 'a'.repeat(32);
  it.each<[string, HsmInventory, string]>([
    ['a missing key', inventory({ keys: [aManifestKey('storage-cmk')] }), 'KeyMissing critical keys/payments-kek'],
    ['a key too many', inventory({ keys: [...manifest.keys, aManifestKey('x')] }), 'KeyExtra warning keys/x'],
    ['a missing version', withKey({ versions: [] }), `VersionMissing critical keys/payments-kek/${a}`],
    [
      'a version too many',
      withKey({ versions: [aVersion('a'), aVersion('b')] }),
      `VersionExtra warning keys/payments-kek/${'b'.repeat(32)}`,
    ],
    [
      'other material',
      withKey({ versions: [aVersion('a', { publicFingerprint: 'f' })] }),
      `MaterialDiffers critical keys/payments-kek/${a} publicFingerprint`,
    ],
    [
      'a disabled version',
      withKey({ versions: [aVersion('a', { enabled: false })] }),
      `AttributeDiffers critical keys/payments-kek/${a} enabled`,
    ],
    ['other operations', withKey({ keyOps: ['sign'] }), 'AttributeDiffers critical keys/payments-kek keyOps'],
    ['a changed tag', withKey({ tags: { owner: 'Nobody' } }), 'TagDiffers warning keys/payments-kek owner'],
    [
      'a rotation policy, which no page promises',
      withKey({ rotationPolicy: {} }),
      'RotationPolicyDiffers note keys/payments-kek expiryTime',
    ],
    ['a missing assignment', inventory({ roleAssignments: [] }), 'AssignmentMissing critical roleAssignments /keys'],
    [
      'an assignment too many',
      inventory({ roleAssignments: [...manifest.roleAssignments, assignment] }),
      'AssignmentExtra critical roleAssignments /',
    ],
  ])('names %s with its severity', (_title, found, expected) => {
    expect(told(found)).toEqual([expected]);
  });

  it('takes an assignment with a new id for the same', () => {
    expect(
      told(inventory({ roleAssignments: manifest.roleAssignments.map((each) => ({ ...each, id: 'new' })) })),
    ).toEqual([]);
  });

  it('forgives a version that the manifest is not sure of, there or not', () => {
    const unsure = aManifest({
      keys: [aManifestKey('k', { versions: [aVersion('a'), aVersion('b', { uncertain: true })] })],
    });
    const only = (...versions: ManifestKey['versions']) => inventory({ keys: [aManifestKey('k', { versions })] });
    expect(told(only(aVersion('a')), unsure)).toEqual([]);
    expect(told(only(aVersion('a'), aVersion('b')), unsure)).toEqual([]);
  });

  it('does not take material that the manifest never knew for other material', () => {
    const { publicFingerprint: _, ...unread } = aVersion('a');
    const before = aManifest({ keys: [aManifestKey('k', { versions: [unread] })] });
    expect(told(inventory({ keys: [aManifestKey('k', { versions: [aVersion('a')] })] }), before)).toEqual([]);
  });

  it('looks at one key alone after a selective restore', () => {
    const found = inventory({ keys: [aManifestKey('payments-kek')], roleAssignments: [] });
    expect(compareWithManifest(manifest, found, { key: 'PAYMENTS-KEK' })).toMatchObject({
      kind: 'same',
      compared: { keys: 1 },
    });
  });

  it('compares tags named like methods for what they are', () => {
    const tags = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>;
    const odd = aManifest({ keys: [aManifestKey('k', { tags })] });
    expect(told(inventory({ keys: [aManifestKey('k', { tags })] }), odd)).toEqual([]);
    expect(told(inventory({ keys: [aManifestKey('k', { tags: {} })] }), odd)).toHaveLength(2);
  });

  it('finds every single key that is missing', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(names, fc.nat(), (all, at) => {
        const of = aManifest({ keys: all.map((name) => aManifestKey(name)) });
        const gone = all[at % all.length];
        const found = inventory({ keys: of.keys.filter(({ name }) => name !== gone) });
        expect(told(found, of)).toEqual([`KeyMissing critical keys/${gone}`]);
      }),
    );
  });
});

describe('previewRestore', () => {
  it('says plainly when nothing would change', () => {
    expect(previewRestore(manifest, inventory(), [])).toMatchObject({
      counts: { keysKept: 2, versionsLost: 0 },
      summary: [expect.stringContaining('changes nothing')],
    });
  });

  it('names what is removed, rolled back and re-created', () => {
    const current = inventory({
      keys: [
        aManifestKey('payments-kek', { versions: [aVersion('a', { enabled: false }), aVersion('b'), aVersion('c')] }),
        aManifestKey('young', { versions: [aVersion('d')] }),
      ],
      roleAssignments: [assignment],
    });
    const preview = previewRestore(manifest, current, ['ekm-1']);
    expect(preview).toMatchObject({
      removed: [{ name: 'young', versions: 1 }],
      rolledBack: [
        {
          name: 'payments-kek',
          versionsLost: ['b'.repeat(32), 'c'.repeat(32)],
          changes: [`enabled of version ${'a'.repeat(32)}`],
        },
      ],
      recreated: ['storage-cmk'],
      externalKeys: ['ekm-1'],
      assignmentsRemoved: [assignment],
      assignmentsReturning: manifest.roleAssignments,
      counts: { keysKept: 0, keysRemoved: 1, keysRolledBack: 1, keysRecreated: 1, versionsLost: 3 },
    });
    expect(preview.summary).toEqual([
      'One key made since the backup is removed.',
      '3 key versions are lost, and whatever only they can open.',
      'One key is rolled back.',
      'One key that is not there now comes back.',
      'One role assignment is removed.',
      'One role assignment that is not there now comes back.',
      'One externally held key is not covered, and the restore can leave the HSM degraded.',
    ]);
  });

  it('accounts for every key of either side once', () => {
    const subset = fc.subarray(['a', 'b', 'c', 'd', 'e', 'f']);
    fc.assert(
      fc.property(subset, subset, (then, now) => {
        const { counts } = previewRestore(
          aManifest({ keys: then.map((name) => aManifestKey(name)) }),
          inventory({ keys: now.map((name) => aManifestKey(name)) }),
          [],
        );
        expect(counts.keysKept + counts.keysRolledBack + counts.keysRemoved).toBe(now.length);
        expect(counts.keysKept + counts.keysRolledBack + counts.keysRecreated).toBe(then.length);
      }),
    );
  });
});

describe('decideKeyRestore', () => {
  const decide = (presence: KeyPresence, changes: Partial<KeyRestoreInput> = {}) =>
    decideKeyRestore({
      key: 'Payments-KEK',
      target: { hsm: 'contoso', securityDomain: 'sd-1' },
      backup: aRecord(daysAgo(1)),
      manifest,
      presence,
      instance: 'restore-key-1',
      ...changes,
    });
  const absent: KeyPresence = { kind: 'absent' };

  it('proceeds with all versions of a key whose name is free', () => {
    expect(decide(absent)).toMatchObject({ kind: 'proceed', versions: 1 });
  });

  it.each<[string, KeyPresence, Partial<KeyRestoreInput>, string]>([
    ['KeyStillActive', { kind: 'active', versions: 2 }, {}, 'purge'],
    ['KeySoftDeleted', { kind: 'softDeleted', protected: false }, {}, 'az keyvault key recover'],
    ['PurgeProtected', { kind: 'softDeleted', protected: true, purgeOn: daysAgo(-90) }, {}, 'az keyvault key recover'],
    ['KeyStateUnknown', { kind: 'unknown' }, {}, 'list deleted keys'],
    ['LockHeld', absent, { lock: { operation: 'backup', holder: 'b' } }, 'Wait'],
    ['BackupNotUsable', absent, { backup: aRecord(daysAgo(1), { state: 'landed' }) }, 'verified'],
    ['WrongSecurityDomain', absent, { target: { hsm: 'contoso' } }, 'same security domain'],
    ['KeyNotInBackup', absent, { key: 'ghost' }, 'another'],
    [
      'KeyNotCovered',
      absent,
      { manifest: aManifest({ notCovered: [{ name: 'payments-kek', reason: 'ExternallyHeld' }] }) },
      'external key manager',
    ],
  ])('refuses with %s, and says what to do', (reason, presence, changes, step) => {
    const decision = decide(presence, changes);
    expect(decision).toMatchObject({ kind: 'refused', reason });
    if (decision.kind === 'refused')
      expect(decision.nextStep).toContain(reason === 'KeyNotInBackup' ? 'while the key was there' : step);
  });
});
