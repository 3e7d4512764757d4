// One private DNS zone for each kind of endpoint, linked to the network. Where a central team owns the zones, their ids are
// given instead and none is made here.
@description('Zone names by kind of endpoint.')
param zones array
@description('Resource id of the network.')
param networkId string
param tags object

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [for name in zones: {
  name: name
  location: 'global'
  tags: tags
}]

module link 'dns-link.bicep' = [for name in zones: {
  name: 'link-${replace(name, '.', '-')}'
  params: { zone: name, networkId: networkId, tags: tags }
  dependsOn: [zone]
}]
