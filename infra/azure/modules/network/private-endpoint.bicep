// A private endpoint with its DNS records.
param name string
param location string
param tags object
@description('What is reached through it.')
param targetId string
@description('Sub-resource, such as blob or managedhsm.')
param groupId string
param subnetId string
@description('Resource ids of the private DNS zones.')
param zoneIds array

resource endpoint 'Microsoft.Network/privateEndpoints@2025-09-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      { name: groupId, properties: { privateLinkServiceId: targetId, groupIds: [groupId] } }
    ]
  }
}

resource record 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-09-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      for zoneId in zoneIds: { name: replace(last(split(zoneId, '/')), '.', '-'), properties: { privateDnsZoneId: zoneId } }
    ]
  }
}
