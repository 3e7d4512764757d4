// Deleted HSMs are a matter of the subscription: finding them, and purging a temporary one that has no purge protection.
targetScope = 'subscription'

param installation string
param principalId string

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, installation, 'deleted-hsms')
  properties: {
    roleName: 'Key lifecycle: deleted HSMs (${installation}, ${uniqueString(subscription().id)})'
    description: 'Finds deleted Managed HSMs and purges those without purge protection.'
    type: 'CustomRole'
    assignableScopes: [subscription().id]
    permissions: [
      {
        actions: [
          'Microsoft.KeyVault/deletedManagedHsms/read'
          'Microsoft.KeyVault/locations/deletedManagedHsms/read'
          'Microsoft.KeyVault/locations/deletedManagedHsms/purge/action'
        ]
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, principalId, installation, 'deleted-hsms')
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: role.id
  }
}
