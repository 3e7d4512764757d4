// One Azure role for one identity on one storage queue.
param account string
param queue string
param principalId string
@description('GUID of the role definition.')
param role string

resource storage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: account
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2026-04-01' existing = {
  parent: storage
  name: 'default'
}

resource target 'Microsoft.Storage/storageAccounts/queueServices/queues@2026-04-01' existing = {
  parent: queues
  name: queue
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: target
  name: guid(target.id, principalId, role)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}
