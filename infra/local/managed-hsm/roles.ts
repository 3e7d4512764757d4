import type { RoleDefinitionBody } from './bodies.ts';
import builtIn from './built-in-roles.json' with { type: 'json' };
import { badParameter, fromReading, HsmError } from './errors.ts';
import { MAX_CUSTOM_ROLES } from './limits.ts';
import type { Readings } from './readings.ts';

export interface Permission {
  actions: string[];
  dataActions: string[];
  notActions: string[];
  notDataActions: string[];
}

/** As on the wire. */
export interface RoleDefinition {
  id: string;
  name: string;
  properties: {
    assignableScopes: string[];
    description: string;
    permissions: Permission[];
    roleName: string;
    type: string;
  };
  type: string;
}

export const DATA_ACTION_PREFIX = 'Microsoft.KeyVault/managedHsm/';
export const ADMINISTRATOR = 'a290e904-7015-4bba-90c8-60543313cdb4';
const CRYPTO_AUDITOR = '2c18b078-7c48-4d3a-af88-5a3a1b3f82b3';
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const isGuid = (text: string): boolean => GUID.test(text);

/** Recorded: definition ids have no leading slash. */
export const roleDefinitionId = (name: string): string =>
  `Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/${name}`;

/** Built-in and custom role definitions. Custom ones come after the built-in ones, as in the recorded list. */
export interface RoleDefinitions {
  list(): RoleDefinition[];
  get(name: string): RoleDefinition;
  find(name: string): RoleDefinition | undefined;
  put(name: string, body: () => RoleDefinitionBody): RoleDefinition;
  remove(name: string): RoleDefinition;
  custom(): RoleDefinition[];
  replaceCustom(definitions: readonly RoleDefinition[]): void;
}

export function createRoleDefinitions(readings: Readings): RoleDefinitions {
  const builtInRoles = new Map(builtInDefinitions(readings).map((role) => [role.name, role]));
  let customRoles = new Map<string, RoleDefinition>();
  const find = (name: string) => builtInRoles.get(name.toLowerCase()) ?? customRoles.get(name.toLowerCase());
  const get = (name: string) => {
    const role = find(name);
    // Source of this and the following texts: Azure/azure-sdk-assets, keyvaultaccesscontrolclient recordings.
    if (!role) throw new HsmError(404, 'RoleDefinitionNotFound', 'Requested role definition not found');
    return role;
  };
  const checkWritable = (name: string) => {
    if (!isGuid(name)) throw badParameter('Role definition name must be a GUID');
    if (builtInRoles.has(name.toLowerCase())) {
      throw badParameter('Cannot re-use the name/GUID matching that of a built-in role. Please use a unique role ID.');
    }
    return name.toLowerCase();
  };
  return {
    list: () => [...builtInRoles.values(), ...customRoles.values()],
    find,
    get,
    put(name, body) {
      const key = checkWritable(name);
      if (!customRoles.has(key) && customRoles.size >= MAX_CUSTOM_ROLES) throw fromReading(readings.roleLimit);
      const role = customRole(name, body());
      customRoles.set(key, role);
      return role;
    },
    remove(name) {
      const key = checkWritable(name);
      const role = get(key);
      customRoles.delete(key);
      return role;
    },
    custom: () => [...customRoles.values()],
    replaceCustom: (definitions) => {
      customRoles = new Map(definitions.map((role) => [role.name.toLowerCase(), structuredClone(role)]));
    },
  };
}

function builtInDefinitions(readings: Readings): RoleDefinition[] {
  const definitions = structuredClone(builtIn.value) as RoleDefinition[];
  if (readings.cryptoAuditor === 'recorded') return definitions;
  for (const permission of definitions.find(({ name }) => name === CRYPTO_AUDITOR)?.properties.permissions ?? []) {
    permission.dataActions = permission.dataActions.map((action) =>
      action.replace('keys/deletedKeys/read/action', 'keys/deletedKeys/delete'),
    );
  }
  return definitions;
}

/** Recorded: absent lists become empty, an absent description the empty string, and the scope is always `/`. */
function customRole(name: string, { properties }: RoleDefinitionBody): RoleDefinition {
  const scopes = properties.assignableScopes;
  if (scopes && (scopes.length !== 1 || scopes[0] !== '/')) throw badParameter("assignableScopes must be ['/'].");
  return {
    id: roleDefinitionId(name),
    name,
    properties: {
      assignableScopes: ['/'],
      description: properties.description ?? '',
      permissions: (properties.permissions ?? []).map((given) => ({
        actions: given.actions ?? [],
        dataActions: dataActions(given.dataActions),
        notActions: given.notActions ?? [],
        notDataActions: dataActions(given.notDataActions),
      })),
      roleName: properties.roleName ?? '',
      type: 'CustomRole',
    },
    type: 'Microsoft.Authorization/roleDefinitions',
  };
}

/** Not checked against the description's enumeration, which lacks actions that the built-in roles have. */
function dataActions(given: string[] | undefined): string[] {
  for (const action of given ?? []) {
    if (!action.toLowerCase().startsWith(DATA_ACTION_PREFIX.toLowerCase())) {
      throw badParameter(`'${action}' is not a data action of Managed HSM.`);
    }
  }
  return given ?? [];
}
