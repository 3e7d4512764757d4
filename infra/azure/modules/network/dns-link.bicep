// Lets the network resolve one private DNS zone.
param zone string
param networkId string
param tags object

resource privateZone 'Microsoft.Network/privateDnsZones@2024-06-01' existing = {
  name: zone
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: privateZone
  name: uniqueString(networkId)
  location: 'global'
  tags: tags
  properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
}
