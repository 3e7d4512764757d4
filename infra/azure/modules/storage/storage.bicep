// A storage account that takes no key and no anonymous caller, is closed to the public network, and is reached through
// private endpoints alone.
@minLength(3)
@maxLength(24)
param name string
param location string
param tags object
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param sku string
@description('Lets trusted Azure services through the firewall: the HSM where it writes backups, Event Grid where it delivers.')
param trustedServices bool = false
@description('Blob versioning: needed where a document must be traceable, refused where the HSM writes.')
param versioning bool = false
@description('Days for which a deleted blob can be brought back; 0: none.')
param softDeleteDays int = 14
@description('Workspace that is told of each access to a blob; empty: none is.')
param workspaceId string = ''
@description('Tells who read a blob, too, and not only who changed one.')
param reads bool = true
@description('Tells who put messages into its queues and took them.')
param queues bool = false
@description('Refuses the removal of the account, to whoever may remove the group too.')
param keep bool = false

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowedCopyScope: 'AAD'
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    isSftpEnabled: false
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: 'Disabled'
    supportsHttpsTrafficOnly: true
    encryption: { keySource: 'Microsoft.Storage', requireInfrastructureEncryption: true }
    networkAcls: { defaultAction: 'Deny', bypass: trustedServices ? 'AzureServices' : 'None' }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: versioning
    deleteRetentionPolicy: softDeleteDays > 0 ? { enabled: true, days: softDeleteDays } : { enabled: false }
    containerDeleteRetentionPolicy: softDeleteDays > 0 ? { enabled: true, days: softDeleteDays } : { enabled: false }
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(workspaceId)) {
  scope: blobs
  name: 'key-lifecycle'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: reads }
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2026-04-01' existing = {
  parent: account
  name: 'default'
}

resource queueLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (queues && !empty(workspaceId)) {
  scope: queueService
  name: 'key-lifecycle'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: reads }
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (keep) {
  scope: account
  name: 'keep'
  properties: { level: 'CanNotDelete', notes: 'Records, copies of backups, or the memory of work in flight: others rely on them.' }
}

output id string = account.id
output name string = account.name
output blob string = account.properties.primaryEndpoints.blob
output queue string = account.properties.primaryEndpoints.queue
