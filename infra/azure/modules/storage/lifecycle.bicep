// What nobody needs any more goes by itself: backups that were copied, pages of finished sweeps, and what a document of the
// state was before, because some are written every few minutes and the account keeps every version.
param landing string
param state string
@description('Days after which a backup leaves the landing container; its locked copy stays.')
param landingDays int = 14
@description('Days after which the pages of a sweep go.')
param surveyDays int = 7
@description('Days after which a version that was written over or removed goes.')
param versionDays int = 30

resource landingAccount 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: landing
}

resource stateAccount 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: state
}

resource landingRules 'Microsoft.Storage/storageAccounts/managementPolicies@2026-04-01' = {
  parent: landingAccount
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'landed-backups'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['hsm-backups/'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: landingDays } } }
          }
        }
      ]
    }
  }
}

resource stateRules 'Microsoft.Storage/storageAccounts/managementPolicies@2026-04-01' = {
  parent: stateAccount
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'finished-sweeps'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['state/surveys/'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: surveyDays } } }
          }
        }
        {
          name: 'superseded-state'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['state/'] }
            actions: { version: { delete: { daysAfterCreationGreaterThan: versionDays } } }
          }
        }
      ]
    }
  }
}
