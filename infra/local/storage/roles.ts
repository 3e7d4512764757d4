import type { Principal } from '../estate.ts';

/** Data roles that the estate knows, and none. */
export const DATA_ROLES = ['Storage Blob Data Contributor', 'Storage Blob Data Reader', 'none'] as const;
export type DataRole = (typeof DATA_ROLES)[number];

/**
 * Who may do what in one account. Everybody is Contributor until told otherwise: the estate plays a missing role where a
 * story needs one, and leaves the least privilege of each identity to the deployment.
 */
export interface DataRoles {
  set(objectId: string, role: DataRole): void;
  permits(principal: Principal, method: string): boolean;
  save(): [string, DataRole][];
  load(saved: readonly [string, DataRole][]): void;
}

export function createDataRoles(): DataRoles {
  let roles = new Map<string, DataRole>();
  return {
    set: (objectId, role) => void roles.set(objectId, role),
    permits({ oid }, method) {
      const role = roles.get(oid) ?? 'Storage Blob Data Contributor';
      return role === 'Storage Blob Data Contributor' || (role !== 'none' && (method === 'GET' || method === 'HEAD'));
    },
    save: () => [...roles],
    load(saved) {
      roles = new Map(saved);
    },
  };
}
