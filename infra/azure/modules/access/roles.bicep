// Azure roles on storage, each row one need of one duty: { account, container?, queue?, principalId, role, duty, need }.
// A module, because Bicep loops only over what is known at the start, and principal ids are not.
param assignments array

module onAccount 'role.bicep' = [for (one, at) in assignments: if (empty(one.?container) && empty(one.?queue)) {
  name: 'role-account-${at}'
  params: { account: one.account, principalId: one.principalId, role: one.role }
}]

module onContainer 'role-container.bicep' = [for (one, at) in assignments: if (!empty(one.?container)) {
  name: 'role-container-${at}'
  params: { account: one.account, container: one.container, principalId: one.principalId, role: one.role }
}]

module onQueue 'role-queue.bicep' = [for (one, at) in assignments: if (!empty(one.?queue)) {
  name: 'role-queue-${at}'
  params: { account: one.account, queue: one.queue, principalId: one.principalId, role: one.role }
}]
