// Lets the host read one secret, for a Key Vault reference in the settings. Deployed to the group of the vault, which keeps
// its Azure RBAC permission model and must be reachable from the app's network.
param vault string
param entry string
param principalId string

var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

resource keyVault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vault
}

resource target 'Microsoft.KeyVault/vaults/secrets@2026-02-01' existing = {
  parent: keyVault
  name: entry
}

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: target
  name: guid(target.id, principalId, secretsUser)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}
