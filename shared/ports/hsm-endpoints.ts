/** A private endpoint as Azure Resource Manager shows it. */
export interface HsmEndpoint {
  resourceId: string;
  tags: Record<string, string>;
  /** `Succeeded`, `Updating`, `Deleting`, `Failed`. */
  provisioningState: string;
  /** What the HSM says to it: `Approved`, `Pending`, `Rejected`, `Disconnected`; `Unknown` where nothing is said. */
  connection: string;
}

export interface NewHsmEndpoint {
  resourceId: string;
  /** Of the network, which need not be that of the HSM. */
  region: string;
  subnetId: string;
  /** Resource id of the HSM that is reached through it. */
  hsmId: string;
  tags: Record<string, string>;
}

/**
 * Private endpoints of Managed HSMs. Long work is started here and followed by reading. Throws AppError: ERR_TRANSIENT,
 * ERR_THROTTLED, ERR_DENIED, ERR_CONFLICT, ERR_REFUSED_BY_SERVICE.
 */
export interface HsmEndpoints {
  /** Whether the subnet is there and may be read. */
  hasSubnet(subnetId: string): Promise<boolean>;
  /** Undefined when there is none. */
  read(resourceId: string): Promise<HsmEndpoint | undefined>;
  /** Starts the creation; the same request again is harmless. */
  create(endpoint: NewHsmEndpoint): Promise<void>;
  /** Resource ids of the private DNS zones that hold its name. */
  readZones(resourceId: string): Promise<string[]>;
  /** Lets a private DNS zone hold its name, for as long as the endpoint exists. */
  nameIn(resourceId: string, zoneId: string): Promise<void>;
  /** Starts the deletion, its names included. Nothing happens when there is none. */
  remove(resourceId: string): Promise<void>;
}
