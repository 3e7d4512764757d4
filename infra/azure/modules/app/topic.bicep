// The topic of our events. Event Grid cannot push into a closed network, so it delivers to a storage queue that the app
// reads from inside; what cannot be delivered is kept as a blob.
// https://learn.microsoft.com/azure/event-grid/consume-private-endpoints
param name string
param location string
param tags object
@description('Storage account of the queue.')
param account string
param queue string
param deadLetters string
@description('Principal id of the identity that publishes.')
param publisherId string
param workspaceId string

var queueSender = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
var blobContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var eventSender = 'd5a91429-5739-47e2-a06b-3470a27159e7'

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
    publicNetworkAccess: 'Disabled'
    minimumTlsVersionAllowed: '1.2'
    dataResidencyBoundary: 'WithinRegion'
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: topic
  name: 'key-lifecycle'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

resource publishes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: topic
  name: guid(topic.id, publisherId, eventSender)
  properties: {
    principalId: publisherId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventSender)
  }
}

module sends '../access/role-queue.bicep' = {
  name: '${name}-sends'
  params: { account: account, queue: queue, principalId: topic.identity.principalId, role: queueSender }
}

module keeps '../access/role-container.bicep' = {
  name: '${name}-keeps'
  params: { account: account, container: deadLetters, principalId: topic.identity.principalId, role: blobContributor }
}

resource storage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: account
}

// Its creation checks that the topic may deliver, so the roles come first.
resource delivery 'Microsoft.EventGrid/topics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'to-queue'
  properties: {
    deliveryWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      destination: {
        endpointType: 'StorageQueue'
        properties: { resourceId: storage.id, queueName: queue, queueMessageTimeToLiveInSeconds: 604800 }
      }
    }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: { resourceId: storage.id, blobContainerName: deadLetters }
      }
    }
    filter: {
      includedEventTypes: ['ManagedHsmLifecycle.KeyNearExpiry', 'ManagedHsmLifecycle.KeyExpired']
      enableAdvancedFilteringOnArrays: true
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    eventDeliverySchema: 'CloudEventSchemaV1_0'
  }
  dependsOn: [sends, keeps]
}

output id string = topic.id
output endpoint string = topic.properties.endpoint
