/** Built-in local roles, by the GUID of their definition. https://learn.microsoft.com/azure/key-vault/managed-hsm/built-in-roles */
export const BUILT_IN_ROLES: Readonly<
  Record<string, { name: string; weight: 'rules' | 'reaches' | 'uses' | 'reads' }>
> = {
  'a290e904-7015-4bba-90c8-60543313cdb4': { name: 'Administrator', weight: 'rules' },
  '515eb02d-2335-4d2d-92f2-b1cbdf9c3778': { name: 'Crypto Officer', weight: 'rules' },
  '4bd23610-cdcf-4971-bdee-bdc562cc28e4': { name: 'Policy Administrator', weight: 'rules' },
  '21dbd100-6940-42c2-9190-5d6cb909625b': { name: 'Crypto User', weight: 'reaches' },
  '7b127d3c-77bd-4e3e-bbe0-dbb8971fa7f8': { name: 'Backup User', weight: 'reaches' },
  '6efe6056-5259-49d2-8b3d-d3d73544b20b': { name: 'Restore User', weight: 'reaches' },
  '21dbd100-6940-42c2-9190-5d6cb909625c': { name: 'Crypto Service Release User', weight: 'reaches' },
  '33413926-3206-4cdd-b39a-83574fe37a17': { name: 'Crypto Service Encryption User', weight: 'uses' },
  '2c18b078-7c48-4d3a-af88-5a3a1b3f82b3': { name: 'Crypto Auditor', weight: 'reads' },
  'abdd7ec4-a273-4265-bf38-e001014e2d8e': { name: 'EKM Administrator', weight: 'reaches' },
};

/** Data actions that take keys out, take them away, or give roles. */
const GRAVE =
  /(securitydomain|backup\/start|restore\/start|keys\/backup|keys\/restore|release|deletedkeys\/delete|purge|export|role(assignments|definitions)\/write)/i;

export const graveActions = (dataActions: readonly string[]): string[] =>
  dataActions.filter((action) => GRAVE.test(action) || action.endsWith('*'));

/** Last segment of a role definition or assignment id, lower case. */
export const guidOf = (id: string): string => id.toLowerCase().split('/').filter(Boolean).at(-1) ?? '';

export const isHsmWide = (scope: string): boolean => /^\/?(keys\/?)?$/i.test(scope);
