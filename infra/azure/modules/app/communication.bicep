// Mail by Azure Communication Services over SMTP. Its sign-in is a client secret of an app registration, which no template can
// make: it lies in your Key Vault (mailReference). The sender's domain is one of Microsoft's.
// https://learn.microsoft.com/azure/communication-services/quickstarts/email/send-email-smtp/smtp-authentication
param name string
param token string
param tags object
@description('Where mail is kept at rest, as Europe or United States is written.')
param dataLocation string
@description('Client id of the app registration that signs in.')
@minLength(36)
@maxLength(36)
param applicationId string
@description('Object id of its service principal.')
@minLength(36)
@maxLength(36)
param principalId string

// The least built-in role that may send: there is none for sending alone.
var emailOwner = '09976791-48a7-449e-bb21-39d1a415f350'

resource email 'Microsoft.Communication/emailServices@2026-03-18' = {
  name: '${name}-mail-${token}'
  location: 'global'
  tags: tags
  properties: { dataLocation: dataLocation }
}

resource domain 'Microsoft.Communication/emailServices/domains@2026-03-18' = {
  parent: email
  name: 'AzureManagedDomain'
  location: 'global'
  tags: tags
  properties: { domainManagement: 'AzureManaged', userEngagementTracking: 'Disabled' }
}

resource service 'Microsoft.Communication/communicationServices@2026-03-18' = {
  name: '${name}-post-${token}'
  location: 'global'
  tags: tags
  properties: { dataLocation: dataLocation, linkedDomains: [domain.id], disableLocalAuth: true }
}

resource user 'Microsoft.Communication/communicationServices/smtpUsernames@2026-03-18' = {
  parent: service
  name: 'key-lifecycle'
  properties: { username: 'key-lifecycle-${token}', entraApplicationId: applicationId, tenantId: tenant().tenantId }
}

resource sends 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: service
  name: guid(service.id, principalId, emailOwner)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', emailOwner)
  }
}

output sender string = 'DoNotReply@${domain.properties.mailFromSenderDomain}'
output user string = user.properties.username
