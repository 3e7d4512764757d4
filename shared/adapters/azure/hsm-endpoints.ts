import { hasCode } from '../../errors.ts';
import type { HsmEndpoint, HsmEndpoints } from '../../ports/hsm-endpoints.ts';
import { type ArmOptions, createArm } from './arm.ts';

/** Source: Azure/bicep-types-az, microsoft.network/2025-05-01. */
const API_VERSION = '2025-05-01';
/** https://learn.microsoft.com/azure/private-link/rbac-permissions; the template grants these actions by roles of its own. */
const ROLE = 'Network Contributor';
const ZONE_GROUP = '/privateDnsZoneGroups/default';
/** Sub-resource of an HSM. https://learn.microsoft.com/azure/key-vault/managed-hsm/private-link */
const GROUP_ID = 'managedhsm';

interface WireEndpoint {
  id?: string;
  tags?: Record<string, string>;
  properties?: {
    provisioningState?: string;
    privateLinkServiceConnections?: { properties?: { privateLinkServiceConnectionState?: { status?: string } } }[];
  };
}

interface WireZoneGroup {
  properties?: { privateDnsZoneConfigs?: { properties?: { privateDnsZoneId?: string } }[] };
}

/** Private endpoints through Azure Resource Manager, acting as one identity. */
export function createHsmEndpoints(options: ArmOptions): HsmEndpoints {
  const { send, sendIfThere } = createArm(options, ROLE);
  return {
    async hasSubnet(subnetId) {
      try {
        return (await sendIfThere(`read ${subnetId}`, 'GET', subnetId, API_VERSION)) !== undefined;
      } catch (error) {
        if (hasCode(error, 'ERR_DENIED')) return false;
        throw error;
      }
    },
    async read(resourceId) {
      const found = await sendIfThere(`read ${resourceId}`, 'GET', resourceId, API_VERSION);
      return found === undefined ? undefined : toEndpoint(found as WireEndpoint);
    },
    async create({ resourceId, region, subnetId, hsmId, tags }) {
      const connection = { privateLinkServiceId: hsmId, groupIds: [GROUP_ID] };
      await send(`create ${resourceId}`, 'PUT', resourceId, API_VERSION, {
        location: region,
        tags,
        properties: {
          subnet: { id: subnetId },
          privateLinkServiceConnections: [{ name: GROUP_ID, properties: connection }],
        },
      });
    },
    async readZones(resourceId) {
      const path = `${resourceId}${ZONE_GROUP}`;
      const found = await sendIfThere(`read ${path}`, 'GET', path, API_VERSION);
      const { properties } = (found ?? {}) as WireZoneGroup;
      return (properties?.privateDnsZoneConfigs ?? []).flatMap((config) => config.properties?.privateDnsZoneId ?? []);
    },
    async nameIn(resourceId, zoneId) {
      const name = zoneId.split('/').at(-1)?.replaceAll('.', '-');
      await send(`name ${resourceId} in ${zoneId}`, 'PUT', `${resourceId}${ZONE_GROUP}`, API_VERSION, {
        properties: { privateDnsZoneConfigs: [{ name, properties: { privateDnsZoneId: zoneId } }] },
      });
    },
    async remove(resourceId) {
      await sendIfThere(`delete ${resourceId}`, 'DELETE', resourceId, API_VERSION);
    },
  };
}

function toEndpoint({ id = '', tags = {}, properties = {} }: WireEndpoint): HsmEndpoint {
  const [connection] = properties.privateLinkServiceConnections ?? [];
  return {
    ...{ resourceId: id, tags },
    provisioningState: properties.provisioningState ?? 'Unknown',
    connection: connection?.properties?.privateLinkServiceConnectionState?.status ?? 'Unknown',
  };
}
