// Lets the restoring identity make and remove HSMs in the group of one HSM, for recoveries and for drills on a temporary one.
// The lock of each HSM that must stay stands against it. Optional, because it is the widest right that the app can have.
param installation string
param principalId string

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, installation, 'recoveries')
  properties: {
    roleName: 'Key lifecycle: recoveries (${installation}, ${resourceGroup().name})'
    description: 'Makes and removes Managed HSMs of this group.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: [
          'Microsoft.KeyVault/managedHSMs/read'
          'Microsoft.KeyVault/managedHSMs/write'
          'Microsoft.KeyVault/managedHSMs/delete'
          'Microsoft.KeyVault/locations/managedHsmOperationResults/read'
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
