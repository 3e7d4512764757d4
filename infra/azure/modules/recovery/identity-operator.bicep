// Lets the restoring identity attach the backup identity to an HSM that it makes: without it the HSM could not write a backup.
param identity string
param principalId string

var identityOperator = 'f1a07417-d97a-45cb-824c-7a7467783830'

resource target 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identity
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: target
  name: guid(target.id, principalId, identityOperator)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', identityOperator)
  }
}
