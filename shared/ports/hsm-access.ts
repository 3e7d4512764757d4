import type { ManifestRoleAssignment, ManifestRoleDefinition } from '../backup/manifest.ts';

/** `/`, `/keys` or `/keys/{name}`. */
export type RoleScope = string;

/**
 * Local roles of a Managed HSM. Roles are named by the GUID of their definition. Throws AppError: ERR_TRANSIENT,
 * ERR_THROTTLED, ERR_DENIED, ERR_NOT_FOUND, ERR_HSM_BUSY while a restore runs, ERR_REFUSED_BY_SERVICE.
 */
export interface HsmAccess {
  roleDefinitions(hsm: string): Promise<ManifestRoleDefinition[]>;
  /** Assignments made at this scope. */
  roleAssignments(hsm: string, scope: RoleScope): Promise<ManifestRoleAssignment[]>;
  /**
   * Every assignment: at `/`, at `/keys` and at each of the keys, which the service shows nowhere else. One request for each
   * key; each assignment once, ordered by scope and id.
   */
  inventory(hsm: string, keyNames: Iterable<string>): Promise<ManifestRoleAssignment[]>;
  /** `id` is a GUID of the caller's choice; repeating the same assignment is harmless. ERR_CONFLICT when it is another's. */
  assign(hsm: string, assignment: ManifestRoleAssignment): Promise<void>;
  /** An assignment that is not there counts as removed. */
  unassign(hsm: string, scope: RoleScope, id: string): Promise<void>;
}
