import * as z from 'zod';
import type { EndpointDefinition, EstateHsm } from '../estate-hsm.ts';
import type { Fleet } from '../hsm-fleet.ts';
import type { Answer, Request } from '../http.ts';
import { ArmError, parse } from './arm.ts';

const ENDPOINT =
  /^(?<id>\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Network\/privateEndpoints\/[^/]+)(?<zones>\/privateDnsZoneGroups\/[^/]+)?$/i;

/** The one network of the estate. */
const SUBNET = /\/virtualNetworks\/keys\/subnets\/(?<name>[^/]+)$/i;

const endpointBody = z.object({
  location: z.string(),
  tags: z.record(z.string(), z.string()).default({}),
  properties: z.object({
    subnet: z.object({ id: z.string() }),
    privateLinkServiceConnections: z
      .array(
        z.object({
          name: z.string(),
          properties: z.object({ privateLinkServiceId: z.string(), groupIds: z.tuple([z.literal('managedhsm')]) }),
        }),
      )
      .length(1),
  }),
});
const zoneGroupBody = z.object({
  properties: z.object({
    privateDnsZoneConfigs: z
      .array(z.object({ name: z.string(), properties: z.object({ privateDnsZoneId: z.string() }) }))
      .min(1),
  }),
});

/**
 * Private endpoints of HSMs and their DNS zone groups: made at once, and approved, as for an identity that may approve. Undefined
 * for a request that is about something else. Microsoft.Network/privateEndpoints@2025-05-01. Source: Azure/bicep-types-az.
 */
export function answerEndpoint(request: Request, fleet: Fleet): Answer | undefined {
  const subnet = SUBNET.exec(request.path)?.groups?.name;
  if (subnet !== undefined && request.method === 'GET') {
    return { status: 200, body: { id: request.path, name: subnet, properties: { provisioningState: 'Succeeded' } } };
  }
  const { id, zones } = ENDPOINT.exec(request.path)?.groups ?? {};
  if (id === undefined) return undefined;
  const found = ledBy(fleet, id);
  if (request.method === 'PUT' && zones === undefined) return put(request, fleet, id, found?.endpoint);
  if (!found) {
    if (request.method === 'DELETE') return { status: 204 };
    throw new ArmError(404, 'ResourceNotFound', `The resource ${id} was not found.`);
  }
  const { hsm, endpoint } = found;
  switch (`${request.method} ${zones === undefined ? 'endpoint' : 'zones'}`) {
    case 'GET endpoint':
      return { status: 200, body: shown(hsm, endpoint) };
    case 'DELETE endpoint':
      hsm.definition.endpoints = (hsm.definition.endpoints ?? []).filter((one) => one !== endpoint);
      return { status: 202 };
    case 'PUT zones': {
      const { properties } = parse(zoneGroupBody, request);
      endpoint.zones = properties.privateDnsZoneConfigs.map((config) => config.properties.privateDnsZoneId);
      return { status: 201, body: zoneGroup(request.path, endpoint) };
    }
    case 'GET zones':
      if (endpoint.zones.length > 0) return { status: 200, body: zoneGroup(request.path, endpoint) };
      throw new ArmError(404, 'ResourceNotFound', `The resource ${request.path} was not found.`);
    default:
      throw new ArmError(404, 'InvalidResourceType', `The estate does not have ${request.method} ${request.path}.`);
  }
}

function put(request: Request, fleet: Fleet, id: string, existing: EndpointDefinition | undefined): Answer {
  const { location: region, tags, properties } = parse(endpointBody, request);
  const target = properties.privateLinkServiceConnections[0]?.properties.privateLinkServiceId ?? '';
  const hsm = fleet.hsms.find(({ definition }) => same(definition.resourceId, target));
  if (!hsm)
    throw new ArmError(400, 'InvalidResourceReference', `Resource ${target} referenced by ${id} was not found.`);
  const endpoint = existing ?? { resourceId: id, region, subnetId: properties.subnet.id, tags, zones: [] };
  if (!existing) hsm.definition.endpoints = [...(hsm.definition.endpoints ?? []), endpoint];
  return { status: existing ? 200 : 201, body: shown(hsm, endpoint) };
}

/** The endpoint outlives the HSM that it leads to. */
function ledBy({ hsms, deleted }: Fleet, id: string) {
  for (const hsm of [...hsms, ...[...deleted.values()].map((each) => each.hsm)]) {
    const endpoint = hsm.definition.endpoints?.find(({ resourceId }) => same(resourceId, id));
    if (endpoint) return { hsm, endpoint };
  }
  return undefined;
}

const shown = (hsm: EstateHsm, { resourceId, region, subnetId, tags }: EndpointDefinition) => ({
  ...{ id: resourceId, name: resourceId.split('/').at(-1), type: 'Microsoft.Network/privateEndpoints' },
  ...{ location: region, tags },
  properties: {
    provisioningState: 'Succeeded',
    subnet: { id: subnetId },
    privateLinkServiceConnections: [
      {
        name: 'managedhsm',
        properties: {
          ...{ privateLinkServiceId: hsm.definition.resourceId, groupIds: ['managedhsm'] },
          privateLinkServiceConnectionState: { status: 'Approved', description: 'Auto-Approved' },
        },
      },
    ],
  },
});

const zoneGroup = (id: string, { zones }: EndpointDefinition) => ({
  ...{ id, name: id.split('/').at(-1), type: 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups' },
  properties: {
    provisioningState: 'Succeeded',
    privateDnsZoneConfigs: zones.map((zone) => ({
      name: zone.split('/').at(-1)?.replaceAll('.', '-'),
      properties: { privateDnsZoneId: zone },
    })),
  },
});

const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
