// A new Managed HSM, closed and protected. It has to be activated by its quorum holders before anything else works
// (README, "Activate an HSM"); ARM cannot do that, and must not.
param name string
param location string
param tags object
@description('Object ids of the first administrators: groups with two living members at least, and no single person.')
@minLength(1)
param administrators array
@minValue(7)
@maxValue(90)
param softDeleteDays int = 90
@description('Resource id of the identity with which the HSM writes its backups.')
param backupIdentityId string
@allowed(['Standard_B1', 'Custom_B6', 'Custom_B32', 'Custom_C10', 'Custom_C42'])
param sku string = 'Standard_B1'

// https://learn.microsoft.com/azure/templates/microsoft.keyvault/managedhsms
resource hsm 'Microsoft.KeyVault/managedHSMs@2026-02-01' = {
  name: name
  location: location
  tags: tags
  sku: { family: startsWith(sku, 'Custom_C') ? 'C' : 'B', name: sku }
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${backupIdentityId}': {} } }
  properties: {
    tenantId: tenant().tenantId
    initialAdminObjectIds: administrators
    createMode: 'default'
    enableSoftDelete: true
    softDeleteRetentionInDays: softDeleteDays
    enablePurgeProtection: true
    publicNetworkAccess: 'Disabled'
    networkAcls: { bypass: 'None', defaultAction: 'Deny', ipRules: [], virtualNetworkRules: [] }
  }
}

output id string = hsm.id
