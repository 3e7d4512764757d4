/**
 * Operations as a log names them: names of keys are those documented for vaults, of a Managed HSM few are public, so the
 * rest is our reading. https://learn.microsoft.com/azure/key-vault/general/logging
 */
export const OPERATIONS = {
  wrapkey: ['KeyWrap', 200],
  unwrapkey: ['KeyUnwrap', 200],
  encrypt: ['KeyEncrypt', 200],
  decrypt: ['KeyDecrypt', 200],
  sign: ['KeySign', 200],
} as const;

export type Verb = keyof typeof OPERATIONS;

const GUID_ROLES = '/providers/microsoft.authorization';

/** Operation, path and status of a call that succeeds. */
export type Shape = [operation: string, path: string, status: number];

export const shapes = {
  crypto: (verb: Verb, key: string, version: string): Shape => {
    const [operation, status] = OPERATIONS[verb];
    return [operation, `/keys/${key}/${version}/${verb}`, status];
  },
  getKey: (key: string): Shape => ['KeyGet', `/keys/${key}`, 200],
  listKeys: (): Shape => ['KeyList', '/keys', 200],
  listVersions: (key: string): Shape => ['KeyListVersions', `/keys/${key}/versions`, 200],
  createKey: (key: string): Shape => ['KeyCreate', `/keys/${key}/create`, 200],
  rotateKey: (key: string): Shape => ['KeyRotate', `/keys/${key}/rotate`, 200],
  deleteKey: (key: string): Shape => ['KeyDelete', `/keys/${key}`, 200],
  purgeKey: (key: string): Shape => ['KeyPurge', `/deletedkeys/${key}`, 204],
  backupKey: (key: string): Shape => ['KeyBackup', `/keys/${key}/backup`, 200],
  releaseKey: (key: string, version: string): Shape => ['KeyRelease', `/keys/${key}/${version}/release`, 200],
  backup: (): Shape => ['BackupCreate', '/backup', 202],
  backupPoll: (job: string): Shape => ['BackupStatusGet', `/backup/${job}/pending`, 200],
  restore: (): Shape => ['RestoreCreate', '/restore', 202],
  downloadDomain: (): Shape => ['SecurityDomainBackup', '/securitydomain/download', 202],
  downloadDomainPoll: (): Shape => ['SecurityDomainBackupStatusGet', '/securitydomain/download/pending', 200],
  transferKey: (): Shape => ['SecurityDomainTransferKeyGet', '/securitydomain/upload', 200],
  uploadDomain: (): Shape => ['SecurityDomainRestore', '/securitydomain/upload', 202],
  putAssignment: (scope: string, id: string): Shape => ['RoleAssignmentPut', assignment(scope, id), 201],
  deleteAssignment: (scope: string, id: string): Shape => ['RoleAssignmentDelete', assignment(scope, id), 200],
  listAssignments: (): Shape => ['RoleAssignmentList', `${GUID_ROLES}/roleassignments`, 200],
  putDefinition: (id: string): Shape => ['RoleDefinitionPut', `${GUID_ROLES}/roledefinitions/${id}`, 201],
  updateSetting: (name: string): Shape => ['SettingUpdate', `/settings/${name.toLowerCase()}`, 200],
  listSettings: (): Shape => ['SettingList', '/settings', 200],
  challenge: (): Shape => ['Authentication', '/keys', 401],
};

const assignment = (scope: string, id: string) =>
  `${scope === '/' ? '' : scope}${GUID_ROLES}/roleassignments/${id}`.toLowerCase();

/** Built-in local roles: https://learn.microsoft.com/azure/key-vault/managed-hsm/built-in-roles */
export const ROLES = {
  administrator: 'a290e904-7015-4bba-90c8-60543313cdb4',
  cryptoOfficer: '515eb02d-2335-4d2d-92f2-b1cbdf9c3778',
  cryptoUser: '21dbd100-6940-42c2-9190-5d6cb909625b',
  policyAdministrator: '4bd23610-cdcf-4971-bdee-bdc562cc28e4',
  cryptoAuditor: '2c18b078-7c48-4d3a-af88-5a3a1b3f82b3',
  serviceEncryptionUser: '33413926-3206-4cdd-b39a-83574fe37a17',
} as const;
