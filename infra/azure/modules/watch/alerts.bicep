// The second, independent pair of eyes: alerts of Azure Monitor on what is certain, which work while the app is down. They
// hint; the app looks for itself. Each rule is queries/calls.kql and a file of its own, shared with nobody else.
param name string
param location string
param tags object
param workspaceId string
@description('Who is mailed by Azure Monitor itself.')
param mailTo string[]
@description('The alert door of the app; empty url: mail alone. Action groups reach public addresses only.')
param webhook { url: string, objectId: string, identifierUri: string }
@description('Resource ids of the HSMs, in lower case.')
param hsmIds string[]

var calls = loadTextContent('../../queries/calls.kql')
var silence = replace(loadTextContent('../../queries/silence.kql'), 'dynamic([])', 'dynamic(${string(hsmIds)})')

// main.bicep names each of them in MHSM_ALERT_RULES.
var rules = [
  { name: 'security-domain', severity: 0, title: 'Security domain downloaded or uploaded', query: loadTextContent('../../queries/security-domain.kql') }
  { name: 'restore', severity: 0, title: 'Restore started', query: loadTextContent('../../queries/restore.kql') }
  { name: 'purge', severity: 0, title: 'Key purged, or purge attempted', query: loadTextContent('../../queries/purge.kql') }
  { name: 'role-at-hsm', severity: 1, title: 'Role granted at the scope of the HSM', query: loadTextContent('../../queries/role-at-hsm.kql') }
  { name: 'key-export', severity: 1, title: 'Key backed up or released', query: loadTextContent('../../queries/key-export.kql') }
  { name: 'guard-rail', severity: 2, title: 'Role defined, or a setting addressed', query: loadTextContent('../../queries/guard-rail.kql') }
  { name: 'silence', severity: 1, title: 'No audit row for an hour', query: silence }
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

resource rule 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [for one in rules: {
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
    // Rows may be hours late, so the queries count by arrival, over a quarter of an hour; the same row is mailed once.
    windowSize: 'PT6H'
    autoMitigate: false
    muteActionsDuration: one.name == 'silence' ? 'PT4H' : 'PT15M'
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: '${calls}${one.query}'
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
