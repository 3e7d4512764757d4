// The activity log of a subscription with HSMs, sent to the workspace: who changed an HSM as a resource, its locks and its
// diagnostic settings. Detection reads it there; without it, it sees what is done in an HSM, and not what is done to one.
// https://learn.microsoft.com/azure/azure-monitor/essentials/activity-log
targetScope = 'subscription'

param installation string
param workspaceId string

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'key-lifecycle-${installation}'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'Administrative', enabled: true }
      { category: 'Policy', enabled: true }
    ]
  }
}
