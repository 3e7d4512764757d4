// What one HSM tells the workspace, who may read it as an Azure resource, what keeps it, and its baseline alerts. Deployed to
// the group of the HSM, because alerts on a resource belong to its subscription.
param name string
param hsm string
param tags object
param workspaceId string
param actionGroupId string
@description('Principal id of the observing identity.')
param observerId string
@description('Refuses the removal of the HSM, which takes every key with it.')
param keep bool

var reader = 'acdd72a7-3385-48ef-bd42-f606fba81ae7'

resource target 'Microsoft.KeyVault/managedHSMs@2026-02-01' existing = {
  name: hsm
}

// Dedicated: rows go to AZKVAuditLogs. https://learn.microsoft.com/azure/azure-monitor/essentials/resource-logs
resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: target
  name: 'key-lifecycle'
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [{ category: 'AuditEvent', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource observes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: target
  name: guid(target.id, observerId, reader)
  properties: {
    principalId: observerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', reader)
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (keep) {
  scope: target
  name: 'keep'
  properties: { level: 'CanNotDelete', notes: 'Keys of many teams live here. Removing the lock is alerted.' }
}

// Baseline alerts for Managed HSM. https://azure.github.io/azure-monitor-baseline-alerts/services/KeyVault/managedHSMs
resource available 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: '${name}-${hsm}-availability'
  location: 'global'
  tags: tags
  properties: {
    description: 'Fewer than nine of ten calls were answered.'
    severity: 1
    enabled: true
    scopes: [target.id]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'availability'
          metricNamespace: 'Microsoft.KeyVault/managedHSMs'
          metricName: 'Availability'
          operator: 'LessThan'
          threshold: 90
          timeAggregation: 'Average'
        }
      ]
    }
    actions: [{ actionGroupId: actionGroupId }]
  }
}

resource slow 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: '${name}-${hsm}-latency'
  location: 'global'
  tags: tags
  properties: {
    description: 'Calls take longer than a second.'
    severity: 3
    enabled: true
    scopes: [target.id]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'latency'
          metricNamespace: 'Microsoft.KeyVault/managedHSMs'
          metricName: 'ServiceApiLatency'
          operator: 'GreaterThan'
          threshold: 1000
          timeAggregation: 'Average'
        }
      ]
    }
    actions: [{ actionGroupId: actionGroupId }]
  }
}

resource removed 'Microsoft.Insights/activityLogAlerts@2026-01-01' = {
  name: '${name}-${hsm}-removed'
  location: 'global'
  tags: tags
  properties: {
    description: 'An HSM, its lock or its diagnostic setting was removed.'
    enabled: true
    scopes: [resourceGroup().id]
    condition: {
      allOf: [
        { field: 'category', equals: 'Administrative' }
        {
          anyOf: [
            { field: 'operationName', equals: 'Microsoft.KeyVault/managedHSMs/delete' }
            { field: 'operationName', equals: 'Microsoft.Authorization/locks/delete' }
            { field: 'operationName', equals: 'Microsoft.Insights/diagnosticSettings/delete' }
          ]
        }
      ]
    }
    actions: { actionGroups: [{ actionGroupId: actionGroupId }] }
  }
}
