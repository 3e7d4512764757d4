import { createHash } from 'node:crypto';
import type { ManifestRoleAssignment, ManifestRoleDefinition } from '../../shared/backup/manifest.ts';

/** A local role as infra/azure/hsm-roles.json writes it. */
export interface DutyRole {
  /** GUID of the definition. */
  name: string;
  duty: string;
  roleName: string;
  description: string;
  permissions: { actions: string[]; notActions: string[]; dataActions: string[]; notDataActions: string[] }[];
}

/** One duty on one HSM: its role, who serves it, and where. */
export interface DutyWish {
  role: DutyRole;
  principalId: string;
  scopes: string[];
}

export type SetupStep =
  | { kind: 'define'; role: DutyRole; why: string }
  | { kind: 'assign'; duty: string; assignment: ManifestRoleAssignment };

/** What setup does not change by itself, because a person has to judge it. */
export interface Excess {
  duty: string;
  assignment: ManifestRoleAssignment;
  roleName: string;
  /** Data actions that the duty does not have. */
  beyond: string[];
}

/**
 * Where no duty is told a narrower scope. Backups, restores and role management exist at the scope of the HSM alone; keys
 * are rotated at `/keys`, or key by key where a team wants to grant each.
 */
const DEFAULT_SCOPE: Record<string, string> = { rotate: '/keys', 'maintain-policy': '/keys' };

export const scopesOf = (duty: string, given: string[] | undefined): string[] =>
  given && given.length > 0 ? given : [DEFAULT_SCOPE[duty] ?? '/'];

export const dataActionsOf = ({ permissions }: DutyRole): string[] =>
  permissions.flatMap(({ dataActions }) => dataActions).toSorted();

/** What is missing on one HSM, definitions first. Nothing when everything is as wished. */
export function planSetup(
  wishes: DutyWish[],
  found: { hsm: string; definitions: ManifestRoleDefinition[]; assignments: ManifestRoleAssignment[] },
): SetupStep[] {
  const define = wishes.flatMap(({ role }): SetupStep[] => {
    const known = found.definitions.find(({ id }) => id === role.name.toLowerCase());
    if (!known) return [{ kind: 'define', role, why: 'it is not there' }];
    if (!sameSet(known.dataActions, dataActionsOf(role)))
      return [{ kind: 'define', role, why: 'its data actions differ' }];
    return known.name === role.roleName ? [] : [{ kind: 'define', role, why: 'its name differs' }];
  });
  const assign = wishes.flatMap(({ role, principalId, scopes }) =>
    scopes
      .filter((scope) => !found.assignments.some((one) => isOf(one, role, principalId) && one.scope === scope))
      .map((scope): SetupStep => {
        const id = assignmentId(found.hsm, scope, role.name, principalId);
        return { kind: 'assign', duty: role.duty, assignment: { id, scope, roleDefinitionId: role.name, principalId } };
      }),
  );
  return [...define, ...assign];
}

/** Every role of these identities that is not their duty's own at a scope that was asked for. */
export function findExcess(
  wishes: DutyWish[],
  found: { definitions: ManifestRoleDefinition[]; assignments: ManifestRoleAssignment[] },
): Excess[] {
  return found.assignments.flatMap((assignment) => {
    const own = wishes.filter(({ principalId }) => principalId.toLowerCase() === assignment.principalId.toLowerCase());
    if (own.length === 0) return [];
    if (
      own.some(
        ({ role, principalId, scopes }) => isOf(assignment, role, principalId) && scopes.includes(assignment.scope),
      )
    )
      return [];
    const definition = found.definitions.find(({ id }) => id === assignment.roleDefinitionId);
    const allowed = new Set(own.flatMap(({ role }) => dataActionsOf(role)));
    return [
      {
        duty: own.map(({ role }) => role.duty).join(' and '),
        assignment,
        roleName: definition?.name ?? assignment.roleDefinitionId,
        beyond: (definition?.dataActions ?? []).filter((action) => !allowed.has(action)),
      },
    ];
  });
}

const isOf = (one: ManifestRoleAssignment, role: DutyRole, principalId: string): boolean =>
  one.roleDefinitionId === role.name.toLowerCase() && one.principalId.toLowerCase() === principalId.toLowerCase();

/** The same for the same wish, so that a run that was cut off meets its own assignment. */
function assignmentId(...parts: string[]): string {
  const hex = createHash('sha256').update(parts.join('\n').toLowerCase()).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const sameSet = (a: string[], b: string[]): boolean =>
  a.length === b.length && new Set([...a, ...b].map((text) => text.toLowerCase())).size === a.length;
