// Time-based immutability of one container.
// https://learn.microsoft.com/azure/storage/blobs/immutable-time-based-retention-policy-overview
// Only while it is unlocked: https://learn.microsoft.com/rest/api/storagerp/blob-containers/create-or-update-immutability-policy
param account string
param container string
@minValue(1)
@maxValue(146000)
param days int
@description('Append blobs may still grow, because the journal does.')
param appends bool

resource storage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: account
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' existing = {
  parent: storage
  name: 'default'
}

resource target 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' existing = {
  parent: blobs
  name: container
}

resource policy 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2026-04-01' = {
  parent: target
  name: 'default'
  properties: { immutabilityPeriodSinceCreationInDays: days, allowProtectedAppendWrites: appends }
}
