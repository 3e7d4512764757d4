// Where the HSMs and the app write their logs. Queries may come through a private link scope; ingestion and query from
// other networks are closed where one is used.
param name string
param location string
param tags object
@minValue(30)
@maxValue(730)
@description('Days for which rows are kept. Baselines look back 28 days, incidents further.')
param retentionDays int = 180
@description('Reached through a private link scope alone. Needs the DNS zones of Azure Monitor in the network.')
param privateOnly bool = false
@description('Principal id of the identity that reads the audit logs.')
param readerId string
@description('Principal id of the identity that writes telemetry of the app.')
param writerId string

var logReader = '73c42c96-874c-492b-b04d-ab87d138a893'
var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' = {
  name: '${name}-logs'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: { disableLocalAuth: true, enableLogAccessUsingOnlyResourcePermissions: true }
    publicNetworkAccessForIngestion: privateOnly ? 'Disabled' : 'Enabled'
    publicNetworkAccessForQuery: privateOnly ? 'Disabled' : 'Enabled'
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: '${name}-insights'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
    publicNetworkAccessForIngestion: privateOnly ? 'Disabled' : 'Enabled'
    publicNetworkAccessForQuery: privateOnly ? 'Disabled' : 'Enabled'
  }
}

// Who asked what of the logs themselves, beside what they hold.
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: workspace
  name: 'key-lifecycle'
  properties: {
    workspaceId: workspace.id
    logs: [{ category: 'Audit', enabled: true }]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = {
  scope: workspace
  name: 'keep'
  properties: { level: 'CanNotDelete', notes: 'Audit logs of the HSMs: evidence, and all that detection knows.' }
}

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workspace
  name: guid(workspace.id, readerId, logReader)
  properties: {
    principalId: readerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', logReader)
  }
}

resource writes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, writerId, metricsPublisher)
  properties: {
    principalId: writerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
  }
}

resource scope 'Microsoft.Insights/privateLinkScopes@2021-09-01' = if (privateOnly) {
  name: '${name}-monitor'
  location: 'global'
  tags: tags
  properties: { accessModeSettings: { ingestionAccessMode: 'PrivateOnly', queryAccessMode: 'PrivateOnly' } }
}

resource scopedWorkspace 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-09-01' = if (privateOnly) {
  parent: scope
  name: 'workspace'
  properties: { linkedResourceId: workspace.id }
}

resource scopedInsights 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-09-01' = if (privateOnly) {
  parent: scope
  name: 'insights'
  properties: { linkedResourceId: insights.id }
}

output workspaceId string = workspace.id
output workspaceKey string = workspace.properties.customerId
output insightsName string = insights.name
output scopeId string = privateOnly ? scope.id : ''
