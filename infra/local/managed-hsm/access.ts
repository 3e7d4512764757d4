import { randomUUID } from 'node:crypto';
import type { RoleAssignmentBody } from './bodies.ts';
import { accessDenied, badParameter, fromReading, HsmError } from './errors.ts';
import { MAX_ASSIGNMENTS_AT_HSM, MAX_ASSIGNMENTS_AT_KEY } from './limits.ts';
import type { Readings } from './readings.ts';
import { DATA_ACTION_PREFIX, isGuid, type Permission, type RoleDefinitions, roleDefinitionId } from './roles.ts';

/** As on the wire. `scope` is `/`, `/keys` or `/keys/{name}`. */
export interface RoleAssignment {
  id: string;
  name: string;
  properties: { principalId: string; roleDefinitionId: string; scope: string };
  type: string;
}

/** Local RBAC: who may do what, where. */
export interface Access {
  /** Throws 403 AccessDenied unless an assignment at or above `scope` grants `dataAction` (without its prefix). */
  demand(principalId: string, dataAction: string, scope: string): void;
  list(scope: string, filter: string | null): RoleAssignment[];
  get(scope: string, name: string): RoleAssignment;
  put(scope: string, name: string, body: () => RoleAssignmentBody): RoleAssignment;
  remove(scope: string, name: string): RoleAssignment;
  /** Adds without asking who may, for the first administrators and for seeds. */
  grant(principalId: string, role: string, scope: string): RoleAssignment;
  all(): RoleAssignment[];
  replaceAll(assignments: readonly RoleAssignment[]): void;
}

export function createAccess(roles: RoleDefinitions, readings: Readings): Access {
  let assignments = new Map<string, RoleAssignment>();
  const at = (scope: string) => [...assignments.values()].filter(({ properties }) => properties.scope === scope);
  const find = (scope: string, name: string) => {
    const found = assignments.get(name.toLowerCase());
    if (found?.properties.scope === scope) return found;
    throw new HsmError(404, 'RoleAssignmentNotFound', 'Requested role assignment not found');
  };
  const add = (name: string, principalId: string, definition: string, scope: string): RoleAssignment => {
    const full = scope.startsWith('/keys/')
      ? at(scope).length >= MAX_ASSIGNMENTS_AT_KEY
      : atHsm() >= MAX_ASSIGNMENTS_AT_HSM;
    if (full) throw fromReading(readings.roleLimit);
    const assignment = {
      id: `${scope === '/' ? '' : scope}/providers/Microsoft.Authorization/roleAssignments/${name}`,
      name,
      properties: { principalId, roleDefinitionId: definition, scope },
      type: 'Microsoft.Authorization/roleAssignments',
    };
    assignments.set(name.toLowerCase(), assignment);
    return assignment;
  };
  /** `/keys` counts as HSM scope: it covers every key. */
  const atHsm = () => at('/').length + at('/keys').length;

  return {
    demand(principalId, dataAction, scope) {
      const action = `${DATA_ACTION_PREFIX}${dataAction}`;
      const granted = [...assignments.values()].some(
        ({ properties }) =>
          properties.principalId.toLowerCase() === principalId.toLowerCase() &&
          covers(properties.scope, scope) &&
          // A definition that was deleted leaves assignments without effect (managed-hsm/role-management).
          roles
            .find(nameOf(properties.roleDefinitionId))
            ?.properties.permissions.some((given) => permits(given, action)),
      );
      if (!granted) throw accessDenied(action, scope);
    },

    list(scope, filter) {
      const filtered = assignmentFilter(filter);
      return [...assignments.values()].filter(({ properties }) => {
        if (filtered.kind === 'atScope') return covers(properties.scope, scope);
        if (filtered.kind === 'principal' && properties.principalId.toLowerCase() !== filtered.principalId)
          return false;
        return isShownAt(scope, properties.scope) || (filtered.kind === 'principal' && covers(properties.scope, scope));
      });
    },

    get: find,

    put(scope, name, body) {
      if (!isGuid(name)) throw badParameter('Role assignment name must be a GUID');
      const { principalId, roleDefinitionId: definition } = body().properties;
      const role = roles.get(nameOf(definition));
      const existing = assignments.get(name.toLowerCase());
      if (existing) {
        const same =
          existing.properties.scope === scope &&
          existing.properties.principalId === principalId &&
          nameOf(existing.properties.roleDefinitionId) === role.name;
        if (same && readings.repeatedAssignment === 'accept') return existing;
        throw new HsmError(409, 'RoleAssignmentExists', 'The role assignment already exists.');
      }
      return add(name, principalId, roleDefinitionId(role.name), scope);
    },

    remove(scope, name) {
      const assignment = find(scope, name);
      assignments.delete(name.toLowerCase());
      return assignment;
    },

    grant: (principalId, role, scope) =>
      add(randomUUID(), principalId, roleDefinitionId(roles.get(nameOf(role)).name), parseScope(scope)),
    all: () => [...assignments.values()],
    replaceAll: (next) => {
      assignments = new Map(next.map((assignment) => [assignment.name.toLowerCase(), structuredClone(assignment)]));
    },
  };
}

export function parseScope(scope: string): string {
  if (scope === '/' || scope === '/keys' || /^\/keys\/[0-9a-zA-Z-]{1,127}$/.test(scope)) return scope;
  throw badParameter(`Scope '${scope}' must be /, /keys or /keys/{name}.`);
}

const nameOf = (definitionId: string): string => definitionId.split('/').at(-1)?.toLowerCase() ?? '';

const covers = (granted: string, asked: string): boolean =>
  granted === '/' || granted === asked || asked.startsWith(`${granted}/`);

/** Source: managed-hsm/role-management: a list at `/` or `/keys` leaves out what was assigned at `/keys/{name}`. */
const isShownAt = (listed: string, scope: string): boolean =>
  listed === '/' ? scope === '/' || scope === '/keys' : scope === listed;

function permits({ dataActions, notDataActions }: Permission, action: string): boolean {
  const named = (list: string[]) => list.some((each) => each.toLowerCase() === action.toLowerCase());
  return named(dataActions) && !named(notDataActions);
}

type AssignmentFilter = { kind: 'none' } | { kind: 'atScope' } | { kind: 'principal'; principalId: string };

function assignmentFilter(filter: string | null): AssignmentFilter {
  if (filter === null || filter === '') return { kind: 'none' };
  if (/^atScope\(\)$/i.test(filter)) return { kind: 'atScope' };
  const principalId = /^principalId eq '?([0-9a-fA-F-]+)'?$/.exec(filter)?.[1];
  if (principalId !== undefined) return { kind: 'principal', principalId: principalId.toLowerCase() };
  throw badParameter(`Filter '${filter}' is not supported.`);
}
