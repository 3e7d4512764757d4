// Built-in Azure Policies for Managed HSMs, assigned to one group with effects that report and forbid nothing: a second opinion,
// beside what the app says. Those about keys look into the HSM as "Azure Key Vault Managed HSM Key Governance Service", which
// needs the role Managed HSM Crypto Auditor there (README). https://learn.microsoft.com/azure/key-vault/managed-hsm/azure-policy
param installation string

// https://github.com/Azure/azure-policy, built-in-policies/policyDefinitions/Key Vault/ManagedHsm_*.json
var policies = [
  { name: 'purge-protection', title: 'Purge protection is on', id: 'c39ba22d-4428-4149-b981-70acb31fc383', effect: 'Audit' }
  { name: 'private-link', title: 'Reached by private link', id: '59fee2f4-d439-4f1b-9b9a-982e1474bfd8', effect: 'Audit' }
  { name: 'public-network', title: 'Closed to the public network', id: '19ea9d63-adee-4431-a95e-1913c6c1c75f', effect: 'Audit' }
  { name: 'resource-logs', title: 'Tells every call', id: 'a2a5b911-5617-447e-a49e-59dbe0e0434b', effect: 'AuditIfNotExists' }
  { name: 'key-expiry', title: 'Keys have an expiration date', id: '1d478a74-21ba-4b9f-9d8f-8e6fced0eec5', effect: 'Audit' }
]

resource assignment 'Microsoft.Authorization/policyAssignments@2025-03-01' = [for policy in policies: {
  name: take('${policy.name}-${uniqueString(installation)}', 64)
  properties: {
    displayName: 'Managed HSM: ${policy.title} (${installation})'
    policyDefinitionId: tenantResourceId('Microsoft.Authorization/policyDefinitions', policy.id)
    enforcementMode: 'Default'
    parameters: { effect: { value: policy.effect } }
  }
}]
