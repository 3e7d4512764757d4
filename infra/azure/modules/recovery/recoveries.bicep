// Lets the restoring identity make and remove HSMs, and the private endpoints that lead to them, in the group of one HSM, for recoveries and for drills on a temporary one.
// The lock of each HSM that must stay stands against it. Optional, because it is the widest right that the app can have.
param installation string
param principalId string

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, installation, 'recoveries')
  properties: {
    roleName: 'Key lifecycle: recoveries (${installation}, ${uniqueString(resourceGroup().id)})'
    description: 'Makes and removes Managed HSMs of this group, and the private endpoints that lead to them.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: [
          'Microsoft.KeyVault/managedHSMs/read'
          'Microsoft.KeyVault/managedHSMs/write'
          'Microsoft.KeyVault/managedHSMs/delete'
          'Microsoft.KeyVault/managedHSMs/PrivateEndpointConnectionsApproval/action'
          'Microsoft.KeyVault/locations/managedHsmOperationResults/read'
          'Microsoft.Network/privateEndpoints/read'
          'Microsoft.Network/privateEndpoints/write'
          'Microsoft.Network/privateEndpoints/delete'
          'Microsoft.Network/privateEndpoints/privateDnsZoneGroups/read'
          'Microsoft.Network/privateEndpoints/privateDnsZoneGroups/write'
        ]
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, principalId, installation, 'recoveries')
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: role.id
  }
}
