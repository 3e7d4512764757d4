// One identity for each duty, so that what one of them may do is all that its theft gives.
param name string
param location string
param tags object

// The order is that of the outputs below.
var duties = ['observe', 'rotate', 'backup', 'restore', 'respond', 'reinstate', 'host', 'record']

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = [for duty in duties: {
  name: '${name}-${duty}'
  location: location
  tags: union(tags, { duty: duty })
}]

output observe object = {
  id: identity[0].id
  clientId: identity[0].properties.clientId
  principalId: identity[0].properties.principalId
}
output rotate object = {
  id: identity[1].id
  clientId: identity[1].properties.clientId
  principalId: identity[1].properties.principalId
}
output backup object = {
  id: identity[2].id
  clientId: identity[2].properties.clientId
  principalId: identity[2].properties.principalId
}
output restore object = {
  id: identity[3].id
  clientId: identity[3].properties.clientId
  principalId: identity[3].properties.principalId
}
output respond object = {
  id: identity[4].id
  clientId: identity[4].properties.clientId
  principalId: identity[4].properties.principalId
}
@description('May grant anything on an HSM once it has its role: optional, and attached to the app only when asked for.')
output reinstate object = {
  id: identity[5].id
  clientId: identity[5].properties.clientId
  principalId: identity[5].properties.principalId
}
@description('Runs the host itself: its storage, its packages, its telemetry. It has no role on any HSM.')
output host object = {
  id: identity[6].id
  clientId: identity[6].properties.clientId
  principalId: identity[6].properties.principalId
}
@description('Writes the journal, and nothing else: what is decided is stored by observe.')
output record object = {
  id: identity[7].id
  clientId: identity[7].properties.clientId
  principalId: identity[7].properties.principalId
}
