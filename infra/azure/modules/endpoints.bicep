// The private endpoints: { name, target, group, zones } each, `zones` the private DNS zones that its records go to.
// A module, because Bicep loops only over what is known at the start, and the targets' ids are not.
param location string
param tags object
param prefix string
param subnetId string
@description('Resource id of the group of the private DNS zones, with /providers/Microsoft.Network/privateDnsZones.')
param zonePrefix string
param endpoints array

module endpoint 'private-endpoint.bicep' = [for one in endpoints: {
  name: 'endpoint-${one.name}'
  params: {
    name: '${prefix}-${one.name}'
    location: location
    tags: tags
    targetId: one.target
    groupId: one.group
    subnetId: subnetId
    zoneIds: map(one.zones, zone => '${zonePrefix}/${zone}')
  }
}]
