// The Functions app: Flex Consumption, out through its own subnet, in through a private endpoint, no key anywhere.
param name string
param location string
param tags object
param appSubnetId string
@description('{ id, clientId, principalId } of the identity that the host itself runs as.')
param host object
@description('Resource ids of all identities.')
param identityIds array
@description('Storage account of the host.')
param hostAccount string
@description('Container of the deployed package.')
param packages string
param insightsName string
@description('The settings of the app, MHSM_ and all, as { name: value }.')
param settings object
param workspaceId string
@description('Client id of the app registration of the operator API.')
param apiClientId string
@description('Who issues its tokens, of version 2.')
param issuer string
@allowed(['22', '24'])
param nodeVersion string = '22'
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40
@allowed([512, 2048, 4096])
param memoryMB int = 2048
@description('Instances that are always ready for orchestrations; 0: from cold.')
param alwaysReady int
param zoneRedundant bool

resource storage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: hostAccount
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: '${name}-plan'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true, zoneRedundant: zoneRedundant }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: toObject(identityIds, id => id, id => {}) }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Disabled'
    // Flex Consumption sends everything that goes out through this subnet.
    virtualNetworkSubnetId: appSubnetId
    keyVaultReferenceIdentity: host.id
    clientAffinityEnabled: false
    // Should somebody open the public network again, the default there is still to refuse.
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      remoteDebuggingEnabled: false
      ipSecurityRestrictionsDefaultAction: 'Deny'
      scmIpSecurityRestrictionsDefaultAction: 'Deny'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${packages}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: host.id }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: memoryMB
        maximumInstanceCount: maximumInstances
        alwaysReady: alwaysReady > 0 ? [{ name: 'durable', instanceCount: alwaysReady }] : []
        triggers: { http: { perInstanceConcurrency: 16 } }
      }
      runtime: { name: 'node', version: nodeVersion }
    }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(
    {
      AzureWebJobsStorage__blobServiceUri: storage.properties.primaryEndpoints.blob
      AzureWebJobsStorage__queueServiceUri: storage.properties.primaryEndpoints.queue
      AzureWebJobsStorage__tableServiceUri: storage.properties.primaryEndpoints.table
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: host.clientId
      APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${host.clientId};Authorization=AAD'
    },
    settings
  )
}

// Publishing by user name and password is off; packages come through the identity.
resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

// The platform turns away calls without a token; the code verifies every token again.
resource auth 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true, runtimeVersion: '~1' }
    globalValidation: { requireAuthentication: true, unauthenticatedClientAction: 'Return401' }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: apiClientId
          openIdIssuer: issuer
        }
        validation: { allowedAudiences: ['api://${apiClientId}', apiClientId] }
      }
    }
    login: { tokenStore: { enabled: false } }
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: app
  name: 'key-lifecycle'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

output id string = app.id
output name string = app.name
output host string = app.properties.defaultHostName
