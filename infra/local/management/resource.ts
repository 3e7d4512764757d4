import type { EstateHsm } from '../estate-hsm.ts';
import type { DeletedHsm } from '../hsm-fleet.ts';
import { IDENTITIES, type IdentityName, TENANT_ID } from '../identity/registrations.ts';
import { RESOURCE_GROUP } from '../seed/resource-id.ts';

const TYPE = 'Microsoft.KeyVault/managedHSMs';

const identityId = (name: string) =>
  `${RESOURCE_GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;

/** The identity of the estate that an ARM id names by its last segment. */
export const identityNamed = (id: string): IdentityName | undefined =>
  (Object.keys(IDENTITIES) as IdentityName[]).find((key) => IDENTITIES[key].name === id.split('/').at(-1));

/** Microsoft.KeyVault/managedHSMs@2026-02-01, the members that a client reads. Source: Azure/bicep-types-az. */
export function hsmResource(hsm: EstateHsm, provisioning: boolean): Record<string, unknown> {
  const { definition, backups } = hsm;
  const attached = [...backups.identities] as IdentityName[];
  return {
    id: definition.resourceId,
    name: definition.name,
    type: TYPE,
    location: definition.region,
    sku: { family: 'B', name: 'Standard_B1' },
    tags: definition.tags ?? {},
    ...(attached.length > 0
      ? {
          identity: {
            type: 'UserAssigned',
            userAssignedIdentities: Object.fromEntries(
              attached.map((key) => {
                const { name, clientId, objectId } = IDENTITIES[key];
                return [identityId(name), { clientId, principalId: objectId }];
              }),
            ),
          },
        }
      : { identity: { type: 'None' } }),
    properties: {
      tenantId: TENANT_ID,
      hsmUri: `${hsm.uri}/`,
      initialAdminObjectIds: definition.administrators,
      createMode: 'default',
      enableSoftDelete: true,
      softDeleteRetentionInDays: definition.retentionDays,
      enablePurgeProtection: definition.purgeProtection,
      publicNetworkAccess: definition.closed === false ? 'Enabled' : 'Disabled',
      networkAcls: { bypass: 'None', defaultAction: 'Deny', ipRules: [], virtualNetworkRules: [] },
      privateEndpointConnections: (definition.endpoints ?? []).map(({ resourceId }) => ({
        id: `${definition.resourceId}/privateEndpointConnections/${resourceId.split('/').at(-1)}`,
        properties: {
          privateEndpoint: { id: resourceId },
          privateLinkServiceConnectionState: { status: 'Approved' },
        },
      })),
      provisioningState: provisioningState(hsm, provisioning),
      statusMessage: provisioning ? 'The Managed HSM is being provisioned.' : 'The Managed HSM is provisioned.',
      securityDomainProperties: hsm.activated
        ? { activationStatus: 'Active', activationStatusMessage: 'Your HSM has been activated and can be used.' }
        : {
            activationStatus: 'NotActivated',
            activationStatusMessage:
              'Your HSM has been provisioned, but cannot be used for cryptographic operations until it is activated.',
          },
    },
  };
}

function provisioningState(hsm: EstateHsm, provisioning: boolean): string {
  if (provisioning) return 'Provisioning';
  if (hsm.domainService.inRecovery) return 'SecurityDomainRestore';
  return hsm.busy === 'restore' ? 'Restoring' : 'Succeeded';
}

export const deletedResourceId = ({ definition }: EstateHsm): string => {
  const [, , subscription] = definition.resourceId.split('/');
  const { region, name } = definition;
  return `/subscriptions/${subscription}/providers/Microsoft.KeyVault/locations/${region}/deletedManagedHSMs/${name}`;
};

export function deletedHsmResource({ hsm, deletionDate, scheduledPurgeDate }: DeletedHsm): Record<string, unknown> {
  return {
    id: deletedResourceId(hsm),
    name: hsm.name,
    type: 'Microsoft.KeyVault/deletedManagedHSMs',
    properties: {
      mhsmId: hsm.definition.resourceId,
      location: hsm.definition.region,
      deletionDate: deletionDate.toISOString(),
      scheduledPurgeDate: scheduledPurgeDate.toISOString(),
      purgeProtectionEnabled: hsm.definition.purgeProtection,
      tags: hsm.definition.tags ?? {},
    },
  };
}
