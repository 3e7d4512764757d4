// The private endpoints: { name, target, group, zoneIds } each, `zoneIds` the private DNS zones that its records go to.
// A module, because Bicep loops only over what is known at the start, and the targets' ids are not.
param location string
param tags object
param prefix string
param subnetId string
param endpoints { name: string, target: string, group: string, zoneIds: string[] }[]

module endpoint 'private-endpoint.bicep' = [for one in endpoints: {
  name: 'endpoint-${one.name}'
  params: {
    name: '${prefix}-${one.name}'
    location: location
    tags: tags
    targetId: one.target
    groupId: one.group
    subnetId: subnetId
    zoneIds: one.zoneIds
  }
}]
