import type { ManifestRoleAssignment, ManifestRoleDefinition } from '../../backup/manifest.ts';
import { AppError } from '../../errors.ts';
import type { HsmAccess, RoleScope } from '../../ports/hsm-access.ts';
import { inLanes } from '../lanes.ts';
import type { Identity } from './credentials.ts';
import { clientOptions, type HsmAddress, REPEATING } from './hsm-client.ts';
import { connectHsms, loadAdminClient } from './hsm-connections.ts';
import type {
  KeyVaultAccessControlClient,
  KeyVaultRoleAssignment,
  KeyVaultRoleDefinition,
} from './keyvault-admin/index.ts';

/** An inventory asks once for each key; more at a time would only meet the service's pace. */
const LANES = 4;

/** Where the ids of role definitions lie. Source: recording of role assignments, 2025-07-01. */
const DEFINITION_PREFIX = 'Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/';

/** Local roles of the given HSMs, acting as one identity. */
export function createHsmAccess(options: { hsms: HsmAddress[]; identity: Identity; requestMs?: number }): HsmAccess {
  const { open, failed, ask } = connectHsms(options, async (uri, credential) => {
    const { KeyVaultAccessControlClient } = await loadAdminClient();
    return new KeyVaultAccessControlClient(uri, credential, clientOptions(REPEATING, options.requestMs));
  });

  const roleAssignments = (hsm: string, scope: RoleScope) =>
    ask(hsm, `list the role assignments of ${hsm} at ${scope}`, async (client) => {
      const found: ManifestRoleAssignment[] = [];
      for await (const one of client.listRoleAssignments(scope)) found.push(toAssignment(one));
      return found;
    });

  return {
    roleAssignments,

    roleDefinitions: (hsm) =>
      ask(hsm, `list the role definitions of ${hsm}`, async (client) => {
        const found: ManifestRoleDefinition[] = [];
        for await (const one of client.listRoleDefinitions('/')) found.push(toDefinition(one));
        return found;
      }),

    async inventory(hsm, keyNames) {
      const scopes = ['/', '/keys', ...[...keyNames].map((name) => `/keys/${name}`)];
      const found = new Map<string, ManifestRoleAssignment>();
      await inLanes(LANES, scopes, async (scope) => {
        for (const one of await roleAssignments(hsm, scope)) found.set(`${one.scope} ${one.id}`, one);
      });
      return [...found.values()].toSorted((a, b) => compare(a.scope, b.scope) || compare(a.id, b.id));
    },

    async assign(hsm, assignment) {
      const { id, scope, roleDefinitionId, principalId } = assignment;
      const act = `assign the role ${roleDefinitionId} to ${principalId} at ${scope} of ${hsm}`;
      const client = await open(hsm);
      try {
        await client.createRoleAssignment(scope, id, `${DEFINITION_PREFIX}${roleDefinitionId}`, principalId);
      } catch (error) {
        // When that cannot be read either, the first failure is what counts.
        const known = await existing(client, assignment).catch(() => undefined);
        if (known === undefined) throw failed(error, act, hsm);
        // A repeat after a lost reply meets its own success.
        if (known.principalId === principalId && known.roleDefinitionId === roleDefinitionId) return;
        throw occupied(act, error);
      }
    },

    unassign: (hsm, scope, id) =>
      ask(hsm, `remove the role assignment ${id} at ${scope} of ${hsm}`, (client) =>
        client.deleteRoleAssignment(scope, id),
      ),
  };
}

const existing = async (client: KeyVaultAccessControlClient, { scope, id }: ManifestRoleAssignment) =>
  toAssignment(await client.getRoleAssignment(scope, id));

const toDefinition = ({ name, roleName, roleType, permissions }: KeyVaultRoleDefinition): ManifestRoleDefinition => ({
  id: name.toLowerCase(),
  name: roleName,
  custom: roleType === 'CustomRole',
  dataActions: [...new Set(permissions.flatMap(({ dataActions = [] }) => dataActions))].toSorted(compare),
});

const toAssignment = ({ name, properties }: KeyVaultRoleAssignment): ManifestRoleAssignment => ({
  id: name,
  principalId: properties.principalId,
  roleDefinitionId: (properties.roleDefinitionId.split('/').at(-1) ?? '').toLowerCase(),
  scope: properties.scope ?? '/',
});

const occupied = (act: string, cause: unknown) =>
  new AppError('ERR_CONFLICT', `Could not ${act}: an assignment of that name says something else.`, {
    nextStep: 'Use another name (a new GUID) for the assignment.',
    cause,
  });

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
