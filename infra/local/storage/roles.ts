import type { Principal } from '../estate.ts';

/** Data roles that the estate knows, and none. */
export const DATA_ROLES = ['Storage Blob Data Contributor', 'Storage Blob Data Reader', 'none'] as const;
export type DataRole = (typeof DATA_ROLES)[number];

/** `{object id}`, or `{object id}/{container}` where the role is of one container, with the role. */
export type GivenRole = readonly [who: string, role: DataRole];

/**
 * Who may do what in one account. Everybody is Contributor until told otherwise, but for what `deployed` says: the estate plays
 * a missing role where a story needs one, and leaves most of the least privilege of each identity to the deployment.
 */
export interface DataRoles {
  set(objectId: string, role: DataRole): void;
  permits(principal: Principal, method: string, container: string): boolean;
  save(): GivenRole[];
  load(saved: readonly GivenRole[]): void;
  /** As deployed. */
  reset(): void;
}

export function createDataRoles(deployed: readonly GivenRole[] = []): DataRoles {
  let roles = new Map<string, DataRole>(deployed);
  return {
    set: (objectId, role) => void roles.set(objectId, role),
    permits({ oid }, method, container) {
      const role = roles.get(`${oid}/${container}`) ?? roles.get(oid) ?? 'Storage Blob Data Contributor';
      return role === 'Storage Blob Data Contributor' || (role !== 'none' && (method === 'GET' || method === 'HEAD'));
    },
    save: () => [...roles],
    load(saved) {
      roles = new Map(saved);
    },
    reset() {
      roles = new Map(deployed);
    },
  };
}
