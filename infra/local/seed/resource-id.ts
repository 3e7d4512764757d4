/** The resource group in which the estate's resources would be. */
export const RESOURCE_GROUP = '/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-keys';

export const hsmResourceId = (name: string): string =>
  `${RESOURCE_GROUP}/providers/Microsoft.KeyVault/managedHSMs/${name}`;
