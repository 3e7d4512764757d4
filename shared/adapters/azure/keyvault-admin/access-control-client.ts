import { randomUUID } from 'node:crypto';
import { getPagedAsyncIterator, type PagedAsyncIterableIterator } from '@azure/core-paging';
import { RestError } from '@azure/core-rest-pipeline';
import type { TokenCredential } from '@azure/identity';
import type {
  AccessControlClientOptions,
  KeyVaultPermission,
  KeyVaultRoleAssignment,
  KeyVaultRoleDefinition,
  KeyVaultRoleScope,
  OperationOptions,
  SetRoleDefinitionOptions,
} from './models.ts';
import { createTransport, type Transport } from './transport.ts';

interface WireDefinition {
  id?: string;
  name?: string;
  type?: string;
  properties?: {
    roleName?: string;
    description?: string;
    type?: string;
    permissions?: KeyVaultPermission[];
    assignableScopes?: KeyVaultRoleScope[];
  };
}

interface WireAssignment {
  id?: string;
  name?: string;
  type?: string;
  properties?: { scope?: string; roleDefinitionId?: string; principalId?: string };
}

/** Local role definitions and assignments of a Managed HSM. */
export class KeyVaultAccessControlClient {
  readonly vaultUrl: string;
  readonly #transport: Transport;

  constructor(vaultUrl: string, credential: TokenCredential, options: AccessControlClientOptions = {}) {
    this.vaultUrl = vaultUrl;
    this.#transport = createTransport(vaultUrl, credential, options);
  }

  /** `name` is a new GUID; `roleDefinitionId` the id of a definition, not its name. */
  async createRoleAssignment(
    roleScope: KeyVaultRoleScope,
    name: string,
    roleDefinitionId: string,
    principalId: string,
    options?: OperationOptions,
  ): Promise<KeyVaultRoleAssignment> {
    const { parsedBody } = await this.#transport.send({
      method: 'PUT',
      path: assignmentPath(roleScope, name),
      body: { properties: { roleDefinitionId, principalId } },
      options,
    });
    return toAssignment(parsedBody as WireAssignment);
  }

  /** An assignment that is not there counts as deleted, as in the official client. */
  async deleteRoleAssignment(roleScope: KeyVaultRoleScope, name: string, options?: OperationOptions): Promise<void> {
    await this.#remove(assignmentPath(roleScope, name), options);
  }

  async getRoleAssignment(
    roleScope: KeyVaultRoleScope,
    name: string,
    options?: OperationOptions,
  ): Promise<KeyVaultRoleAssignment> {
    const path = assignmentPath(roleScope, name);
    const { parsedBody } = await this.#transport.send({ method: 'GET', path, options });
    return toAssignment(parsedBody as WireAssignment);
  }

  /** Assignments at this scope. Listing `/` or `/keys` leaves out those of single keys. */
  listRoleAssignments(
    roleScope: KeyVaultRoleScope,
    options?: OperationOptions,
  ): PagedAsyncIterableIterator<KeyVaultRoleAssignment> {
    return this.#list(assignmentPath(roleScope), toAssignment, options);
  }

  async getRoleDefinition(
    roleScope: KeyVaultRoleScope,
    name: string,
    options?: OperationOptions,
  ): Promise<KeyVaultRoleDefinition> {
    const path = definitionPath(roleScope, name);
    const { parsedBody } = await this.#transport.send({ method: 'GET', path, options });
    return toDefinition(parsedBody as WireDefinition);
  }

  listRoleDefinitions(
    roleScope: KeyVaultRoleScope,
    options?: OperationOptions,
  ): PagedAsyncIterableIterator<KeyVaultRoleDefinition> {
    return this.#list(definitionPath(roleScope), toDefinition, options);
  }

  /** Creates or replaces a custom role; the service takes them at the scope `/` only. */
  async setRoleDefinition(
    roleScope: KeyVaultRoleScope,
    options: SetRoleDefinitionOptions = {},
  ): Promise<KeyVaultRoleDefinition> {
    const { roleDefinitionName, roleName, description, permissions, assignableScopes, ...callOptions } = options;
    const properties = { roleName, description, permissions, assignableScopes, type: 'CustomRole' };
    const { parsedBody } = await this.#transport.send({
      method: 'PUT',
      path: definitionPath(roleScope, roleDefinitionName ?? randomUUID()),
      body: { properties },
      options: callOptions,
    });
    return toDefinition(parsedBody as WireDefinition);
  }

  async deleteRoleDefinition(roleScope: KeyVaultRoleScope, name: string, options?: OperationOptions): Promise<void> {
    await this.#remove(definitionPath(roleScope, name), options);
  }

  async #remove(path: string, options: OperationOptions | undefined): Promise<void> {
    await this.#transport.send({ method: 'DELETE', path, options }).catch((error: unknown) => {
      if (!(error instanceof RestError) || error.statusCode !== 404) throw error;
    });
  }

  #list<TWire, T>(path: string, read: (wire: TWire) => T, options: OperationOptions | undefined) {
    return getPagedAsyncIterator<T, T[], unknown, string>({
      firstPageLink: path,
      getPage: async (link) => {
        const { parsedBody } = await this.#transport.send({ method: 'GET', path: link, options });
        const { value, nextLink } = parsedBody as { value?: TWire[]; nextLink?: string | null };
        return { page: (value ?? []).map(read), ...(nextLink ? { nextPageLink: nextLink } : {}) };
      },
    });
  }
}

const scopePath = (scope: KeyVaultRoleScope): string =>
  scope
    .split('/')
    .filter(Boolean)
    .map((segment) => `/${encodeURIComponent(segment)}`)
    .join('');

const namePath = (name: string | undefined): string => (name === undefined ? '' : `/${encodeURIComponent(name)}`);

const definitionPath = (scope: KeyVaultRoleScope, name?: string): string =>
  `${scopePath(scope)}/providers/Microsoft.Authorization/roleDefinitions${namePath(name)}`;

const assignmentPath = (scope: KeyVaultRoleScope, name?: string): string =>
  `${scopePath(scope)}/providers/Microsoft.Authorization/roleAssignments${namePath(name)}`;

const toDefinition = ({ id = '', name = '', type = '', properties = {} }: WireDefinition): KeyVaultRoleDefinition => ({
  id,
  name,
  kind: type,
  roleName: properties.roleName ?? '',
  description: properties.description ?? '',
  roleType: properties.type ?? '',
  permissions: properties.permissions ?? [],
  assignableScopes: properties.assignableScopes ?? [],
});

const toAssignment = ({ id = '', name = '', type = '', properties = {} }: WireAssignment): KeyVaultRoleAssignment => ({
  id,
  name,
  kind: type,
  properties: {
    ...(properties.scope === undefined ? {} : { scope: properties.scope }),
    roleDefinitionId: properties.roleDefinitionId ?? '',
    principalId: properties.principalId ?? '',
  },
});
