import type { HttpMethods } from '@azure/core-rest-pipeline';
import type { DeletedHsm, HsmResource, HsmResources, NewHsm } from '../../ports/hsm-resources.ts';
import { type ArmOptions, createArm } from './arm.ts';

/** Source: Azure/bicep-types-az, microsoft.keyvault/2026-02-01. */
const API_VERSION = '2026-02-01';
/** The Azure role that reads, creates, deletes and purges. https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/security */
const ROLE = 'Managed HSM contributor';

interface WireHsm {
  id?: string;
  name?: string;
  location?: string;
  tags?: Record<string, string>;
  identity?: { userAssignedIdentities?: Record<string, unknown> | null } | null;
  properties?: {
    tenantId?: string;
    initialAdminObjectIds?: string[] | null;
    hsmUri?: string;
    provisioningState?: string;
    statusMessage?: string | null;
    enablePurgeProtection?: boolean;
    softDeleteRetentionInDays?: number;
    publicNetworkAccess?: string;
    networkAcls?: { defaultAction?: string; ipRules?: { value?: string }[] };
    privateEndpointConnections?: {
      id?: string;
      properties?: { privateEndpoint?: { id?: string }; privateLinkServiceConnectionState?: { status?: string } };
    }[];
    regions?: { name?: string; isPrimary?: boolean }[];
    securityDomainProperties?: { activationStatus?: string };
  };
}

interface WireDeleted {
  name?: string;
  properties?: {
    mhsmId?: string;
    location?: string;
    deletionDate?: string;
    scheduledPurgeDate?: string;
    purgeProtectionEnabled?: boolean;
  };
}

/** Managed HSMs through Azure Resource Manager. A purge of what is purged already is answered as not found. */
export function createHsmResources(options: ArmOptions): HsmResources {
  const { armUrl } = options;
  const arm = createArm(options, ROLE);
  const send = (act: string, method: HttpMethods, path: string, body?: unknown) =>
    arm.send(act, method, path, API_VERSION, body);
  const sendIfThere = (act: string, method: HttpMethods, path: string) =>
    arm.sendIfThere(act, method, path, API_VERSION);

  return {
    async read(resourceId) {
      const found = await sendIfThere(`read ${resourceId}`, 'GET', resourceId);
      return found === undefined ? undefined : toResource(found as WireHsm);
    },
    async create(hsm) {
      await send(`create ${hsm.resourceId}`, 'PUT', hsm.resourceId, creation(hsm));
    },
    async attachIdentities(resourceId, identities) {
      await send(`attach identities to ${resourceId}`, 'PATCH', resourceId, { identity: assigned(identities) });
    },
    async remove(resourceId) {
      await sendIfThere(`delete ${resourceId}`, 'DELETE', resourceId);
    },
    async listDeleted(subscriptionId) {
      const found: DeletedHsm[] = [];
      let page: string | undefined = `/subscriptions/${subscriptionId}/providers/Microsoft.KeyVault/deletedManagedHSMs`;
      while (page !== undefined) {
        const list = await send(`list the deleted HSMs of ${subscriptionId}`, 'GET', page);
        const { value = [], nextLink } = (list ?? {}) as { value?: WireDeleted[]; nextLink?: string | null };
        found.push(...value.map(toDeleted));
        page = nextLink && sameHost(nextLink, armUrl) ? nextLink : undefined;
      }
      return found;
    },
    async purge(subscriptionId, region, name) {
      const path = `/subscriptions/${subscriptionId}/providers/Microsoft.KeyVault/locations/${region}/deletedManagedHSMs/${name}/purge`;
      await sendIfThere(`purge the deleted HSM ${name} in ${region}`, 'POST', path);
    },
  };
}

/** A link to another host is not followed: our token would go with it. */
const sameHost = (link: string, armUrl: string): boolean =>
  URL.canParse(link) && new URL(link).origin === new URL(armUrl).origin;

const assigned = (identities: string[]) => ({
  type: identities.length === 0 ? 'None' : 'UserAssigned',
  ...(identities.length === 0 ? {} : { userAssignedIdentities: Object.fromEntries(identities.map((id) => [id, {}])) }),
});

const creation = (hsm: NewHsm) => ({
  location: hsm.region,
  tags: hsm.tags,
  sku: { family: 'B', name: 'Standard_B1' },
  identity: assigned(hsm.identities),
  properties: {
    tenantId: hsm.tenantId,
    initialAdminObjectIds: hsm.administrators,
    createMode: 'default',
    enableSoftDelete: true,
    softDeleteRetentionInDays: hsm.softDeleteRetentionDays,
    // Said in either case: what is left out is on by the definition of the API, and off by its documentation.
    // https://github.com/Azure/template-reference-generator, settings/remarks/microsoft.keyvault/samples/managedhsms
    enablePurgeProtection: hsm.purgeProtection,
    publicNetworkAccess: hsm.publicAccess ? 'Enabled' : 'Disabled',
    networkAcls: { bypass: 'None', defaultAction: hsm.publicAccess ? 'Allow' : 'Deny' },
  },
});

const ACTIVATIONS = ['Active', 'NotActivated', 'Failed'] as const;

function toResource({ id = '', name = '', location = '', tags = {}, identity, properties = {} }: WireHsm): HsmResource {
  const { securityDomainProperties, networkAcls, hsmUri, statusMessage } = properties;
  return {
    ...{ resourceId: id, name, region: location, tags },
    ...(hsmUri === undefined ? {} : { uri: hsmUri.replace(/\/+$/, '') }),
    provisioningState: properties.provisioningState ?? 'Unknown',
    ...(statusMessage ? { statusMessage } : {}),
    ...(properties.tenantId === undefined ? {} : { tenantId: properties.tenantId }),
    ...(properties.initialAdminObjectIds ? { administrators: properties.initialAdminObjectIds } : {}),
    activation: ACTIVATIONS.find((each) => each === securityDomainProperties?.activationStatus) ?? 'Unknown',
    purgeProtection: properties.enablePurgeProtection ?? false,
    // 90 when nothing was said at its creation. https://learn.microsoft.com/azure/key-vault/managed-hsm/soft-delete-overview
    softDeleteRetentionDays: properties.softDeleteRetentionInDays ?? 90,
    identities: Object.keys(identity?.userAssignedIdentities ?? {}),
    network: {
      publicAccess: (properties.publicNetworkAccess ?? 'Enabled') !== 'Disabled',
      defaultAction: networkAcls?.defaultAction === 'Deny' ? 'Deny' : 'Allow',
      allowedRanges: (networkAcls?.ipRules ?? []).flatMap(({ value }) => value ?? []),
      privateEndpoints: (properties.privateEndpointConnections ?? []).map((connection) => ({
        id: connection.properties?.privateEndpoint?.id ?? connection.id ?? '',
        status: connection.properties?.privateLinkServiceConnectionState?.status ?? 'Unknown',
      })),
    },
    regions: (properties.regions ?? []).map((region) => ({
      name: region.name ?? '',
      primary: region.isPrimary ?? false,
    })),
  };
}

const toDeleted = ({ name = '', properties = {} }: WireDeleted): DeletedHsm => ({
  name,
  region: properties.location ?? '',
  resourceId: properties.mhsmId ?? '',
  deletedOn: properties.deletionDate ?? '',
  purgedOn: properties.scheduledPurgeDate ?? '',
  purgeProtection: properties.purgeProtectionEnabled ?? false,
});
