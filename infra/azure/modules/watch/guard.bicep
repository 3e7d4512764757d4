// Who watches the watcher: whoever may change this group can silence it, or take its identities for themselves. Both are told
// to people by the activity log, which nobody in the subscription can write or stop. A deployment fires these as well.
param name string
param tags object
param actionGroupId string

var silencing = [
  'Microsoft.Web/sites/delete'
  'Microsoft.Web/sites/stop/action'
  'Microsoft.Web/sites/config/write'
  'Microsoft.Authorization/locks/delete'
  'Microsoft.Insights/diagnosticSettings/delete'
  'Microsoft.Insights/scheduledQueryRules/delete'
  'Microsoft.Insights/activityLogAlerts/delete'
  'Microsoft.Insights/actionGroups/delete'
  'Microsoft.OperationalInsights/workspaces/delete'
  'Microsoft.Network/privateEndpoints/delete'
  'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies/delete'
]

// Attached to another machine, trusted from another directory, or given more: the three ways to act as a duty.
var borrowing = [
  'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'
  'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write'
  'Microsoft.ManagedIdentity/userAssignedIdentities/delete'
  'Microsoft.Authorization/roleAssignments/write'
]

var watched = [
  { name: 'silenced', description: 'What watches the HSMs was removed, stopped or changed.', operations: silencing }
  { name: 'borrowed', description: 'An identity of a duty was attached, trusted, removed, or given a role.', operations: borrowing }
]

resource alert 'Microsoft.Insights/activityLogAlerts@2026-01-01' = [for one in watched: {
  name: '${name}-${one.name}'
  location: 'global'
  tags: tags
  properties: {
    description: one.description
    enabled: true
    scopes: [resourceGroup().id]
    condition: {
      allOf: [
        { field: 'category', equals: 'Administrative' }
        { anyOf: map(one.operations, operation => { field: 'operationName', equals: operation }) }
      ]
    }
    actions: { actionGroups: [{ actionGroupId: actionGroupId }] }
  }
}]
