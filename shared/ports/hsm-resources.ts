/** A Managed HSM as Azure Resource Manager shows it. */
export interface HsmResource {
  resourceId: string;
  name: string;
  region: string;
  tags: Record<string, string>;
  uri?: string;
  /** `Succeeded`, `Provisioning`, `Updating`, `Deleting`, `Failed`, `Activated`, `SecurityDomainRestore`, `Restoring`. */
  provisioningState: string;
  statusMessage?: string;
  activation: 'Active' | 'NotActivated' | 'Failed' | 'Unknown';
  purgeProtection: boolean;
  softDeleteRetentionDays: number;
  /** Resource ids of the attached user-assigned identities. */
  identities: string[];
  tenantId?: string;
  /** Object ids of the initial administrators. */
  administrators?: string[];
  network: {
    publicAccess: boolean;
    defaultAction: 'Allow' | 'Deny';
    /** Public addresses and ranges that the firewall lets through, `203.0.113.0/24`. */
    allowedRanges: string[];
    privateEndpoints: { id: string; status: string }[];
  };
  regions: { name: string; primary: boolean }[];
}

export interface NewHsm {
  resourceId: string;
  region: string;
  tenantId: string;
  /** Object ids. */
  administrators: string[];
  /** 7 to 90. */
  softDeleteRetentionDays: number;
  purgeProtection: boolean;
  identities: string[];
  tags: Record<string, string>;
  publicAccess: boolean;
}

export interface DeletedHsm {
  name: string;
  region: string;
  /** The HSM that it was. */
  resourceId: string;
  deletedOn: string;
  purgedOn: string;
  purgeProtection: boolean;
}

/**
 * Managed HSMs as resources. Long work is started here and followed by reading `provisioningState`. Throws AppError:
 * ERR_TRANSIENT, ERR_THROTTLED, ERR_DENIED, ERR_NOT_FOUND, ERR_CONFLICT, ERR_REFUSED_BY_SERVICE.
 */
export interface HsmResources {
  /** Undefined when there is none. */
  read(resourceId: string): Promise<HsmResource | undefined>;
  /** Starts the creation; the same request again is harmless. The HSM must be activated afterwards. */
  create(hsm: NewHsm): Promise<void>;
  /** Attaches exactly these user-assigned identities. */
  attachIdentities(resourceId: string, identities: string[]): Promise<void>;
  /** Starts the deletion, which leaves a soft-deleted HSM. Nothing happens when there is none. */
  remove(resourceId: string): Promise<void>;
  listDeleted(subscriptionId: string): Promise<DeletedHsm[]>;
  /** Starts the purge of a soft-deleted HSM, which ends its cost and cannot be undone. Nothing happens when there is none. */
  purge(subscriptionId: string, region: string, name: string): Promise<void>;
}
