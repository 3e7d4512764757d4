// Containers of one account.
//   worm: for so many days, what is written can be appended to, and neither changed nor removed; 0: not.
//   versions: for so many days at least, every version is kept as it is, and the app may lock each for longer; 0: not.
// A policy starts unlocked and is locked by a person, once (README, "Lock the records").
param account string
@description('{ name, worm, versions } each.')
param containers array

resource storage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: account
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' existing = {
  parent: storage
  name: 'default'
}

// Immutability of versions can be asked for at creation only, and needs versioning of the account.
resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = [for one in containers: {
  parent: blobs
  name: one.name
  properties: union(
    { publicAccess: 'None' },
    one.versions > 0 ? { immutableStorageWithVersioning: { enabled: true } } : {}
  )
}]

module worm 'worm.bicep' = [for one in containers: if (one.worm > 0 || one.versions > 0) {
  name: 'worm-${account}-${one.name}'
  params: { account: account, container: one.name, days: max(one.worm, one.versions), appends: one.worm > 0 }
  dependsOn: [container]
}]
