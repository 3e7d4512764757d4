// Lets the restoring identity put private endpoints into one subnet: the way to an HSM that it makes. Deployed to the group of
// the network. https://learn.microsoft.com/azure/private-link/rbac-permissions
param installation string
param network string
param subnet string
param principalId string

resource virtualNetwork 'Microsoft.Network/virtualNetworks@2025-09-01' existing = {
  name: network
}

resource target 'Microsoft.Network/virtualNetworks/subnets@2025-09-01' existing = {
  parent: virtualNetwork
  name: subnet
}

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, installation, 'joins-subnet')
  properties: {
    roleName: 'Key lifecycle: joins the subnet (${installation}, ${uniqueString(resourceGroup().id)})'
    description: 'Puts private endpoints into a subnet that it is assigned at.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: [
          'Microsoft.Network/virtualNetworks/subnets/read'
          'Microsoft.Network/virtualNetworks/subnets/join/action'
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
  name: guid(target.id, principalId, installation, 'joins-subnet')
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: role.id
  }
}
