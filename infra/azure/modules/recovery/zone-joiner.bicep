// Lets the restoring identity have the private DNS zone of HSMs hold the name of one that it makes. It writes no record by
// itself: the platform does, for as long as the endpoint exists. Deployed to the group of the zones.
param installation string
param zone string
param principalId string

resource target 'Microsoft.Network/privateDnsZones@2024-06-01' existing = {
  name: zone
}

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, installation, 'joins-zone')
  properties: {
    roleName: 'Key lifecycle: joins the DNS zone (${installation}, ${uniqueString(resourceGroup().id)})'
    description: 'Lets private endpoints have their names in a zone that it is assigned at.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: [
          'Microsoft.Network/privateDnsZones/read'
          'Microsoft.Network/privateDnsZones/join/action'
        ]
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: target
  name: guid(target.id, principalId, installation, 'joins-zone')
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: role.id
  }
}
