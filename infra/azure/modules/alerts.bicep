// The second, independent pair of eyes: alerts of Azure Monitor on what is certain, which work while the app is down. They
// hint; the app looks for itself. One file of query for each rule, shared with nobody but this.
param name string
param location string
param tags object
param workspaceId string
@description('Who is mailed by Azure Monitor itself.')
param mailTo array
@description('{ url, objectId, identifierUri } of the alert door of the app; empty url: mail alone. Action groups reach public addresses only.')
param webhook object

// main.bicep names each of them in MHSM_ALERT_RULES.
var rules = [
  { name: 'security-domain', severity: 0, title: 'Security domain downloaded or uploaded', query: loadTextContent('../queries/security-domain.kql') }
  { name: 'restore', severity: 0, title: 'Restore started', query: loadTextContent('../queries/restore.kql') }
  { name: 'purge', severity: 0, title: 'Key purged, or purge attempted', query: loadTextContent('../queries/purge.kql') }
  { name: 'role-at-hsm', severity: 1, title: 'Role granted at the scope of the HSM', query: loadTextContent('../queries/role-at-hsm.kql') }
  { name: 'key-export', severity: 1, title: 'Key backed up or released', query: loadTextContent('../queries/key-export.kql') }
  { name: 'silence', severity: 1, title: 'No audit row for an hour', query: loadTextContent('../queries/silence.kql') }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${name}-people'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'key-cycle'
    enabled: true
    emailReceivers: [for address in mailTo: { name: address, emailAddress: address, useCommonAlertSchema: true }]
    webhookReceivers: empty(webhook.url)
      ? []
      : [
          {
            name: 'app'
            serviceUri: webhook.url
            useAadAuth: true
            objectId: webhook.objectId
            identifierUri: webhook.identifierUri
            tenantId: tenant().tenantId
            useCommonAlertSchema: true
          }
        ]
  }
}

resource rule 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for one in rules: {
  name: '${name}-${one.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Managed HSM: ${one.title}'
    severity: one.severity
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: one.name == 'silence' ? 'PT1H' : 'PT15M'
    autoMitigate: false
    muteActionsDuration: 'PT15M'
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: one.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: [people.id] }
  }
}]

output actionGroupId string = people.id
