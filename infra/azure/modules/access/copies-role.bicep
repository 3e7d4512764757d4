// What the backup duty needs in the vault account and no built-in role below Owner gives: setting the lock of a copy, and
// deleting each version of one whose lock has run out. A lock of mode Locked stands against this role too.
// https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory
param installation string

var blobs = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs'

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, installation, 'locked-copies')
  properties: {
    roleName: 'Key lifecycle: locked copies (${installation}, ${uniqueString(resourceGroup().id)})'
    description: 'Writes copies of backups, locks them, and deletes versions whose lock has run out.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: ['Microsoft.Storage/storageAccounts/blobServices/containers/read']
        notActions: []
        dataActions: [
          '${blobs}/read'
          '${blobs}/write'
          '${blobs}/add/action'
          '${blobs}/delete'
          '${blobs}/deleteBlobVersion/action'
          '${blobs}/immutableStorage/runAsSuperUser/action'
        ]
        notDataActions: []
      }
    ]
  }
}

output id string = role.name
