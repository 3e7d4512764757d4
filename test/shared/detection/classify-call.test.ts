import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CALL_CLASSES } from '../../../shared/detection/audit-call.ts';
import { classifyCall, classOfName } from '../../../shared/detection/classify-call.ts';

const V = '0123456789abcdef0123456789abcdef';
const GUID = '6a1b2c3d-0000-4000-8000-000000000001';

describe('classifyCall', () => {
  test.each([
    ['/securitydomain/download', 'SecurityDomainBackup', 202, 'sd.download'],
    ['/securitydomain/download/pending', 'SecurityDomainBackupStatusGet', 200, 'sd.download.poll'],
    ['/securitydomain/upload', '', 200, 'sd.transferkey'],
    ['/securitydomain/upload', '', 202, 'sd.upload'],
    ['/securitydomain/upload', '', 204, 'sd.upload'],
    ['/securitydomain/upload', '', 403, 'sd.upload'],
    ['/securitydomain/upload/pending', '', 200, 'sd.upload.poll'],
    ['/backup', 'BackupCreate', 202, 'backup.start'],
    ['/prebackup', '', 202, 'backup.poll'],
    ['/backup/job-1/pending', '', 200, 'backup.poll'],
    ['/restore', '', 202, 'restore.full'],
    ['/restore/job-1/pending', '', 200, 'restore.poll'],
    ['/keys/pay/restore', '', 202, 'restore.key'],
    [`/providers/microsoft.authorization/roleassignments/${GUID}`, '', 201, 'rbac.assign.put'],
    [`/keys/pay/providers/microsoft.authorization/roleassignments/${GUID}`, '', 201, 'rbac.assign.put'],
    [`/keys/providers/microsoft.authorization/roleassignments/${GUID}`, '', 201, 'rbac.assign.put'],
    [`/providers/microsoft.authorization/roleassignments/${GUID}`, 'RoleAssignmentDelete', 200, 'rbac.assign.delete'],
    [`/providers/microsoft.authorization/roleassignments/${GUID}`, 'RoleAssignmentGet', 200, 'rbac.assign.read'],
    [`/providers/microsoft.authorization/roleassignments/${GUID}`, 'SomethingNew', 200, 'unclassified'],
    ['/providers/microsoft.authorization/roleassignments', '', 200, 'rbac.assign.read'],
    [`/providers/microsoft.authorization/roledefinitions/${GUID}`, '', 201, 'rbac.definition.put'],
    ['/settings/AllowKeyManagementOperationsThroughARM', 'SettingUpdate', 200, 'settings.update'],
    ['/settings/AllowKeyManagementOperationsThroughARM', '', 200, 'settings.update'],
    ['/settings', '', 200, 'settings.read'],
    ['/keys/pay/create', 'KeyCreate', 200, 'key.create'],
    ['/keys/pay', 'KeyImport', 200, 'key.import'],
    ['/keys/pay', 'KeyDelete', 200, 'key.delete'],
    ['/keys/pay', 'KeyGet', 200, 'read.key'],
    ['/keys/pay', 'Unheard', 200, 'unclassified'],
    ['/keys/pay/rotate', 'KeyRotate', 200, 'key.rotate'],
    [`/keys/pay/${V}`, 'KeyUpdate', 200, 'key.update'],
    [`/keys/pay/${V}`, 'KeyGet', 200, 'read.key'],
    ['/keys/pay/backup', 'KeyBackup', 200, 'key.backup'],
    ['/keys/restore', 'KeyRestore', 200, 'key.restoreblob'],
    ['/keys/restore', 'KeyGet', 200, 'read.key'],
    [`/keys/pay/${V}/release`, 'KeyRelease', 200, 'key.release'],
    ['/keys/pay/rotationpolicy', 'KeyRotationPolicySet', 200, 'key.policy.set'],
    ['/keys/pay/rotationpolicy', 'KeyRotationPolicyGet', 200, 'read.key'],
    ['/deletedkeys', 'KeyListDeleted', 200, 'read.list'],
    ['/deletedkeys/pay', 'KeyGetDeleted', 200, 'read.key'],
    ['/deletedkeys/pay', '', 204, 'key.purge'],
    ['/deletedkeys/pay', 'KeyPurge', 403, 'key.purge'],
    ['/deletedkeys/pay/recover', 'KeyRecover', 200, 'key.recover'],
    [`/keys/pay/${V}/wrapkey`, 'KeyWrap', 200, 'crypto.protect'],
    [`/keys/pay/${V}/decrypt`, 'KeyDecrypt', 200, 'crypto.unprotect'],
    [`/keys/pay/${V}/verify`, 'KeyVerify', 200, 'crypto.verify'],
    ['/keys', 'KeyList', 200, 'read.list'],
    ['/keys/pay/versions', 'KeyListVersions', 200, 'read.list'],
    ['/rng', '', 200, 'random'],
    ['/ekm/connection', 'EkmConnectionPut', 200, 'ekm'],
    ['/keys', 'Authentication', 401, 'authentication'],
    ['', 'KeySign', 200, 'crypto.protect'],
    ['', 'NeverHeardOf', 200, 'unclassified'],
    ['/something/new', 'SomethingNew', 202, 'unclassified'],
  ] as const)('reads %s with %s and %i as %s', (path, operation, status, expected) => {
    expect(classifyCall({ path, operation, status, oid: 'x' }).class).toBe(expected);
  });

  test('reads a crypto call without a version the same, whether its empty segment was collapsed or not', () => {
    const expected = { class: 'crypto.protect', key: 'pay', verb: 'wrapkey', path: '/keys/pay/wrapkey', outcome: 'ok' };
    for (const path of [
      '/keys/pay//wrapkey',
      '/keys/pay/wrapkey',
      '//KEYS///Pay//WrapKey/',
      'https://h.example//keys/pay//wrapkey?api-version=7.5',
    ]) {
      expect(classifyCall({ path, operation: 'KeyWrap', status: 200 })).toEqual(expected);
    }
  });

  test('undoes escapes once, so that an escaped name is the same key', () => {
    expect(classifyCall({ path: '/keys/%70ay/backup', operation: '', status: 200 }).key).toBe('pay');
    expect(classifyCall({ path: '/keys/%zz/backup', operation: '', status: 200 }).class).toBe('unclassified');
  });

  test('believes the path where the name contradicts it', () => {
    expect(classifyCall({ path: '/keys/pay/backup', operation: 'KeyGet', status: 200 }).class).toBe('key.backup');
    expect(classOfName('KeyGet')).toBe('read.key');
    expect(classOfName('constructor')).toBeUndefined();
  });

  test.each([
    [200, 'KeyGet', 'a', 'ok'],
    [401, 'Authentication', 'a', 'challenged'],
    [401, 'KeyGet', '', 'challenged'],
    [401, 'KeyGet', 'a', 'denied'],
    [403, 'KeyGet', 'a', 'denied'],
    [404, 'KeyGet', 'a', 'missing'],
    [409, 'KeyPurge', 'a', 'failed'],
    [429, 'KeySign', 'a', 'failed'],
    [0, 'KeySign', 'a', 'failed'],
  ] as const)('takes status %i of %s by "%s" for %s', (status, operation, oid, outcome) => {
    expect(classifyCall({ path: '/keys/pay', operation, status, oid }).outcome).toBe(outcome);
  });

  test('survives whatever is written into a row, and keeps it short', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 400 }),
      fc.constantFrom(
        '/keys/__proto__/constructor',
        '/keys/../../backup',
        '%',
        '/keys/a/b/c/d/e',
        `/${'x'.repeat(100_000)}`,
        '<script>',
        "'; drop",
        '/keys/\u0000',
      ),
    );
    fc.assert(
      fc.property(text, text, fc.integer({ min: 0, max: 599 }), (path, operation, status) => {
        const call = classifyCall({ path, operation, status });
        expect(CALL_CLASSES).toContain(call.class);
        expect(call.path.length).toBeLessThanOrEqual(320);
        if (call.key !== undefined) expect(call.key).toMatch(/^[a-z0-9-]{1,127}$/);
      }),
    );
  });
});
