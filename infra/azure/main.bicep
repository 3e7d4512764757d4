// Everything that the lifecycle of Managed HSMs needs, in one resource group: private by default, least privilege, no keys.
// Read it from top to bottom: what is given, where it lies, who acts, what is kept, what is watched, and the app itself.
// The roles inside the HSMs are no Azure roles and come after it: npm run setup (README).
targetScope = 'resourceGroup'

// ── Shapes of what is given; a member that is misspelt or left out is refused before anything is made ───────────────────────

@sealed()
type existingHsm = {
  name: string
  uri: string
  resourceId: string
  @description('It lies in two regions, and a change in one may be minutes late in the other.')
  replicated: bool?
}
@sealed()
type wantedHsm = {
  @description('Empty: none is made.')
  name: string
  @description('Object ids of the first administrators: groups with two living members at least, and no single person.')
  administrators: string[]
  @minValue(7)
  @maxValue(90)
  softDeleteDays: int?
  sku: ('Standard_B1' | 'Custom_B6' | 'Custom_B32' | 'Custom_C10' | 'Custom_C42')?
}
@sealed()
type mailServer = {
  host: string
  port: int
  security: 'starttls' | 'tls'
  from: string
  user: string?
}
@sealed()
type mailService = {
  @description('Where mail is kept at rest, as Europe or United States is written.')
  dataLocation: string
  @description('Client id of the app registration that signs in; its secret is in mailReference.')
  @minLength(36)
  @maxLength(36)
  applicationId: string
  @description('Object id of its service principal.')
  @minLength(36)
  @maxLength(36)
  principalId: string
}
@sealed()
type budget = {
  @description('What the group of the installation may cost in a month, in the currency of the subscription.')
  amount: int
  @description('What each group of HSMs may cost in a month. An HSM that a drill left behind shows here first.')
  hsms: int
  @description('First day of the month in which the budget is made, 2026-11-01. It stays for ever: Azure refuses another one later.')
  @minLength(10)
  @maxLength(10)
  from: string
}

// ── What is given ──────────────────────────────────────────────────────────────────────────────────────────────────────────

@description('Names this installation: 2 to 18 lower-case letters, digits and hyphens, a letter first.')
@minLength(2)
@maxLength(18)
param installation string
@description('Region of everything but the vault account. The network lies in it.')
param location string = resourceGroup().location
@description('Region of the locked copies of backups, as westeurope is written: another one, inside the allowed geography.')
param vaultLocation string
@description('HSMs that exist. One without a name is none.')
param hsms existingHsm[] = []
@description('An HSM to be made, in the group of the installation. Once it is there, name it in hsms instead.')
param newHsm wantedHsm = { name: '', administrators: [] }
@description('Domain of the HSMs of this cloud. For China two are documented; the default is that of the Azure CLI.')
param hsmDomain string = environment().name == 'AzureUSGovernment' ? 'managedhsm.usgovcloudapi.net' : (environment().name == 'AzureChinaCloud' ? 'managedhsm.azure.cn' : 'managedhsm.azure.net')
@description('Whom tokens for the Event Grid topic are for, where that is not what the app takes for its cloud. No document names it outside of the public one.')
param topicAudience string = ''
@description('Makes a private endpoint for each HSM in our subnet; false where the network has them already.')
param hsmEndpoints bool = true
@description('Refuses the removal of the HSMs as Azure resources.')
param keepHsms bool = true
@description('Two subnets that exist: { app, endpoints }, by resource id. Empty members: a new network is made.')
param subnets { app: string, endpoints: string } = { app: '', endpoints: '' }
@description('Address space of the new network.')
param addressPrefix string = '10.60.0.0/24'
@description('Resource id of the group that holds the private DNS zones; empty: they are made here.')
param dnsGroupId string = ''
@description('Resource id of the private DNS zone of HSMs, where it lies elsewhere than the other zones. A network is linked to one zone of a name, so where its HSMs have endpoints already, this is the zone that those are in.')
param hsmZoneId string = ''
@description('Workspace and telemetry are reached through a private link scope alone. One scope for each DNS space: see the README.')
param privateMonitoring bool = false
@description('Redundancy of the storage accounts.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_ZRS'
@description('The same of the vault account, whose region may offer less.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param vaultSku string = storageSku
@description('Days for which the journal and the evidence cannot be changed.')
@minValue(1)
@maxValue(146000)
param recordDays int = 365
@description('Days for which each version of a copy is kept at least, before the app locks it for as long as the policy says.')
@minValue(1)
@maxValue(146000)
param copyDays int = 7
@description('The policies of journal and evidence were locked (README, "Lock the records"): they are left as they are from then on, because Azure refuses to write a locked one.')
param recordsLocked bool = false
@description('Sends the activity log of each subscription with HSMs to the workspace; false where it gets there already. Needs the right to do so in those subscriptions.')
param activityLogs bool = true
@description('Days for which log rows are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 180
@description('Restores approved by two people, and drills.')
param restores bool = true
@description('Containment of incidents: roles that an intruder holds are taken away.')
param responds bool = true
@description('Putting roles back after an incident. What it needs may grant anything, so it is left out unless asked for.')
param reinstates bool = false
@description('Lets the restoring identity make and remove HSMs beside those given, for recoveries and drills on a temporary one.')
param recoveries bool = false
@description('Client id of the app registration of the operator API, with access tokens of version 2.')
@minLength(36)
@maxLength(36)
param apiClientId string
@description('The mail server.')
param mail mailServer
@description('Resource id of the Key Vault secret that signs in to the mail server; empty: no sign-in.')
param mailReference string = ''
@description('Who is told when the policy names nobody, and by Azure Monitor itself.')
@minLength(1)
param mailTo string[]
param webhooks { name: string, url: string }[] = []
@description('Resource id of the Key Vault secret with the signing secrets of the webhooks; empty where there are none.')
param webhookReference string = ''
@description('Resource ids, besides the HSMs, from which key events are accepted.')
param eventSources string[] = []
@description('The alert door as action groups reach it, which is at public addresses only, and its app registration. Empty url: mail alone.')
param alertDoor { url: string, objectId: string, identifierUri: string } = { url: '', objectId: '', identifierUri: '' }
@description('Assigns built-in Azure Policies for Managed HSMs to the groups of the HSMs. They report and forbid nothing.')
param assignPolicies bool = false
@description('Mail by Azure Communication Services. Left out: the server of mail.')
param communication mailService?
@description('Mails when the groups cost more than planned. Left out: no budget.')
param monthlyBudget budget?
@description('Instances of the app that are always ready for orchestrations; 0: from cold.')
param alwaysReady int = 1
@description('Spreads the app over the zones of its region, where the region offers that to Flex Consumption.')
param zoneRedundant bool = false
param tags { *: string } = {}

// ── Names ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

var token = uniqueString(resourceGroup().id, installation)
var short = toLower(take(replace(installation, '-', ''), 5))
var allTags = union(tags, { 'azd-env-name': installation, product: 'managed-hsm-lifecycle' })

var makesHsm = !empty(newHsm.name)
var madeHsms = !makesHsm
  ? []
  : [
      {
        name: newHsm.name
        uri: 'https://${newHsm.name}.${hsmDomain}'
        resourceId: resourceId('Microsoft.KeyVault/managedHSMs', newHsm.name)
        replicated: false
      }
    ]
var givenHsms = filter(hsms, one => !empty(one.name))
var allHsms = concat(
  map(givenHsms, one => { name: one.name, uri: one.uri, resourceId: one.resourceId, replicated: one.?replicated ?? false }),
  madeHsms
)
// Groups and subscriptions of the HSMs, each once.
var hsmGroups = union(map(allHsms, one => join(take(split(toLower(one.resourceId), '/'), 5), '/')), [])
var hsmSubscriptions = union(map(hsmGroups, group => split(group, '/')[2]), [])

// Private DNS zones by kind of endpoint. https://learn.microsoft.com/azure/private-link/private-endpoint-dns
var government = environment().name == 'AzureUSGovernment'
var china = environment().name == 'AzureChinaCloud'
var zones = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  topic: government ? 'privatelink.eventgrid.azure.us' : (china ? 'privatelink.eventgrid.azure.cn' : 'privatelink.eventgrid.azure.net')
  sites: government ? 'privatelink.azurewebsites.us' : (china ? 'privatelink.chinacloudsites.cn' : 'privatelink.azurewebsites.net')
  hsm: 'privatelink.${hsmDomain}'
}
var monitorZones = government
  ? ['privatelink.monitor.azure.us', 'privatelink.oms.opinsights.azure.us', 'privatelink.ods.opinsights.azure.us', 'privatelink.agentsvc.azure-automation.us']
  : (china
      ? ['privatelink.monitor.azure.cn', 'privatelink.oms.opinsights.azure.cn', 'privatelink.ods.opinsights.azure.cn', 'privatelink.agentsvc.azure-automation.cn']
      : ['privatelink.monitor.azure.com', 'privatelink.oms.opinsights.azure.com', 'privatelink.ods.opinsights.azure.com', 'privatelink.agentsvc.azure-automation.net'])
var zonePrefix = '${empty(dnsGroupId) ? resourceGroup().id : dnsGroupId}/providers/Microsoft.Network/privateDnsZones'
var zoneOfHsms = empty(hsmZoneId) ? '${zonePrefix}/${zones.hsm}' : hsmZoneId

// The app knows what differs in each cloud by this name; what it cannot know is given. An empty text: what the cloud has.
var cloudName = government ? 'usgov' : (china ? 'china' : 'public')
// https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure
#disable-next-line no-hardcoded-env-urls
var logsAudience = government ? 'https://api.loganalytics.us' : (china ? 'https://api.loganalytics.azure.cn' : 'https://api.loganalytics.io')

// What is written as issuer and asked for its keys. https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
var signIn = '${china ? 'https://login.partner.microsoftonline.cn/' : environment().authentication.loginEndpoint}${tenant().tenantId}'

// Built-in roles by their GUIDs. https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var roles = {
  blobOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  blobContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  blobReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  queueContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  tableContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

// The restoring identity makes HSMs only where it is there to use them.
var appMakesHsms = recoveries && restores
var mailPort = communication == null ? string(mail.port) : '587'
// Parts of the ids of secrets, blank where none is given.
var mailSecretOf = split(empty(mailReference) ? '//////////' : mailReference, '/')
var webhookSecretOf = split(empty(webhookReference) ? '//////////' : webhookReference, '/')

// Rules of modules/watch/alerts.bicep; heard besides: those of each HSM (modules/hsm/hsm-watch.bicep) and of modules/watch/guard.bicep.
var alertRules = ['security-domain', 'restore', 'purge', 'role-at-hsm', 'key-export', 'guard-rail', 'silence']
var hsmNames = map(allHsms, one => one.name)
var heardRules = concat(
  map(concat(alertRules, ['silenced', 'borrowed']), rule => { rule: '${installation}-${rule}', hsms: hsmNames }),
  flatten(map(hsmNames, name => map(['availability', 'latency', 'removed'], rule => { rule: '${installation}-${name}-${rule}', hsms: [name] })))
)

// ── Where it lies ──────────────────────────────────────────────────────────────────────────────────────────────────────────

module network 'modules/network/network.bicep' = {
  name: 'network'
  params: { name: installation, location: location, subnets: subnets, addressPrefix: addressPrefix, mailPort: mailPort, tags: allTags }
}

module dns 'modules/network/dns-zones.bicep' = if (empty(dnsGroupId)) {
  name: 'dns'
  params: {
    zones: concat(
      [zones.blob, zones.queue, zones.table, zones.topic, zones.sites],
      privateMonitoring ? monitorZones : []
    )
    networkId: network.outputs.networkId
    tags: allTags
  }
}

// A second, empty zone of this name would hide the HSMs from a network that has their endpoints already.
module hsmDns 'modules/network/dns-zones.bicep' = if (empty(dnsGroupId) && empty(hsmZoneId) && (hsmEndpoints || appMakesHsms)) {
  name: 'dns-of-hsms'
  params: { zones: [zones.hsm], networkId: network.outputs.networkId, tags: allTags }
}

// ── Who acts ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

module identities 'modules/access/identities.bicep' = {
  name: 'identities'
  params: { name: installation, location: location, tags: allTags }
}

// ── What is watched ────────────────────────────────────────────────────────────────────────────────────────────────────────

module monitoring 'modules/watch/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    name: installation
    location: location
    tags: allTags
    retentionDays: logDays
    privateOnly: privateMonitoring
    readerId: identities.outputs.observe.principalId
    writerId: identities.outputs.host.principalId
  }
}

module alerts 'modules/watch/alerts.bicep' = {
  name: 'alerts'
  params: {
    name: installation
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    mailTo: mailTo
    webhook: alertDoor
    hsmIds: map(allHsms, one => toLower(one.resourceId))
  }
}

module guard 'modules/watch/guard.bicep' = {
  name: 'guard'
  params: { name: installation, tags: allTags, actionGroupId: alerts.outputs.actionGroupId }
}

module workbook 'modules/watch/workbook.bicep' = {
  name: 'workbook'
  params: { name: installation, location: location, tags: allTags, workspaceId: monitoring.outputs.workspaceId }
}

module ownBudget 'modules/watch/budget.bicep' = if (monthlyBudget != null) {
  name: 'budget'
  params: { name: installation, amount: monthlyBudget.?amount ?? 0, from: monthlyBudget.?from ?? '', mailTo: mailTo }
}

module hsmBudget 'modules/watch/budget.bicep' = [for group in hsmGroups: if (monthlyBudget != null) {
  name: 'budget-${uniqueString(group)}'
  scope: resourceGroup(split(group, '/')[2], split(group, '/')[4])
  params: { name: '${installation}-hsms', amount: monthlyBudget.?hsms ?? 0, from: monthlyBudget.?from ?? '', mailTo: mailTo }
}]

// ── What is kept: four accounts, because what may be done to them differs ──────────────────────────────────────────────────

module hostAccount 'modules/storage/storage.bicep' = {
  name: 'storage-host'
  params: {
    name: '${short}host${token}'
    location: location
    tags: allTags
    sku: storageSku
    workspaceId: monitoring.outputs.workspaceId
    reads: false
    keep: true
  }
}

module stateAccount 'modules/storage/storage.bicep' = {
  name: 'storage-state'
  params: {
    name: '${short}state${token}'
    location: location
    tags: allTags
    sku: storageSku
    versioning: true
    trustedServices: true
    workspaceId: monitoring.outputs.workspaceId
    queues: true
    keep: true
  }
}

// No immutability, no versioning, no soft delete: the HSM does not write where the first is, and the others keep what was
// copied long after it should have gone.
module landingAccount 'modules/storage/storage.bicep' = {
  name: 'storage-landing'
  params: {
    name: '${short}land${token}'
    location: location
    tags: allTags
    sku: storageSku
    trustedServices: true
    softDeleteDays: 0
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vaultAccount 'modules/storage/storage.bicep' = {
  name: 'storage-vault'
  params: {
    name: '${short}vault${token}'
    location: vaultLocation
    tags: allTags
    sku: vaultSku
    versioning: true
    workspaceId: monitoring.outputs.workspaceId
    keep: true
  }
}

module hostContainers 'modules/storage/containers.bicep' = {
  name: 'containers-host'
  params: { account: hostAccount.outputs.name, containers: [{ name: 'packages', worm: 0, versions: 0 }] }
}

module stateContainers 'modules/storage/containers.bicep' = {
  name: 'containers-state'
  params: {
    account: stateAccount.outputs.name
    containers: [
      { name: 'policy', worm: 0, versions: 0 }
      { name: 'state', worm: 0, versions: 0 }
      { name: 'journal', worm: recordsLocked ? 0 : recordDays, versions: 0 }
      { name: 'evidence', worm: recordsLocked ? 0 : recordDays, versions: 0 }
      { name: 'key-backups', worm: 0, versions: 0 }
      { name: 'undelivered', worm: 0, versions: 0 }
    ]
  }
}

module landingContainers 'modules/storage/containers.bicep' = {
  name: 'containers-landing'
  params: { account: landingAccount.outputs.name, containers: [{ name: 'hsm-backups', worm: 0, versions: 0 }] }
}

module vaultContainers 'modules/storage/containers.bicep' = {
  name: 'containers-vault'
  params: { account: vaultAccount.outputs.name, containers: [{ name: 'hsm-backups', worm: 0, versions: copyDays }] }
}

module lifecycle 'modules/storage/lifecycle.bicep' = {
  name: 'lifecycle'
  params: { landing: landingAccount.outputs.name, state: stateAccount.outputs.name }
}

module queue 'modules/storage/queue.bicep' = {
  name: 'queue'
  params: { account: stateAccount.outputs.name, names: ['key-events', 'key-events-poison'] }
}

module topic 'modules/app/topic.bicep' = {
  name: 'topic'
  params: {
    name: '${installation}-events-${take(token, 8)}'
    location: location
    tags: allTags
    account: stateAccount.outputs.name
    queue: 'key-events'
    deadLetters: 'undelivered'
    publisherId: identities.outputs.observe.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
  dependsOn: [queue, stateContainers]
}

// ── The HSMs ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

module hsm 'modules/hsm/hsm.bicep' = if (makesHsm) {
  name: 'hsm'
  params: {
    name: newHsm.name
    location: location
    tags: allTags
    administrators: newHsm.administrators
    softDeleteDays: newHsm.?softDeleteDays ?? 90
    sku: newHsm.?sku ?? 'Standard_B1'
    backupIdentityId: identities.outputs.backup.id
  }
}

module hsmWatch 'modules/hsm/hsm-watch.bicep' = [for one in allHsms: {
  name: 'hsm-${one.name}'
  scope: resourceGroup(split(one.resourceId, '/')[2], split(one.resourceId, '/')[4])
  params: {
    name: installation
    hsm: one.name
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    actionGroupId: alerts.outputs.actionGroupId
    observerId: identities.outputs.observe.principalId
    keep: keepHsms
  }
  dependsOn: [hsm]
}]

module activity 'modules/hsm/activity-log.bicep' = [for id in hsmSubscriptions: if (activityLogs) {
  name: 'activity-${installation}'
  scope: subscription(id)
  params: { installation: installation, workspaceId: monitoring.outputs.workspaceId }
}]

// ── Who may do what: one row, one need; a test names the duty that a missing row loses ─────────────────────────────────────

module copiesRole 'modules/access/copies-role.bicep' = {
  name: 'copies-role'
  params: { installation: installation }
}

module access 'modules/access/roles.bicep' = {
  name: 'access'
  params: {
    assignments: [
      // host: its locks, timers, histories and packages.
      { account: hostAccount.outputs.name, principalId: identities.outputs.host.principalId, role: roles.blobOwner }
      { account: hostAccount.outputs.name, principalId: identities.outputs.host.principalId, role: roles.queueContributor }
      { account: hostAccount.outputs.name, principalId: identities.outputs.host.principalId, role: roles.tableContributor }
      // observe: reads the policy that people write, keeps state, evidence and single-key backups, takes key events.
      { account: stateAccount.outputs.name, container: 'policy', principalId: identities.outputs.observe.principalId, role: roles.blobReader }
      { account: stateAccount.outputs.name, container: 'state', principalId: identities.outputs.observe.principalId, role: roles.blobContributor }
      { account: stateAccount.outputs.name, container: 'evidence', principalId: identities.outputs.observe.principalId, role: roles.blobContributor }
      { account: stateAccount.outputs.name, container: 'key-backups', principalId: identities.outputs.observe.principalId, role: roles.blobContributor }
      { account: stateAccount.outputs.name, queue: 'key-events', principalId: identities.outputs.observe.principalId, role: roles.queueContributor }
      { account: stateAccount.outputs.name, queue: 'key-events-poison', principalId: identities.outputs.observe.principalId, role: roles.queueContributor }
      // record: the journal, without which no stored decision counts; so whoever writes the one does not write the other.
      { account: stateAccount.outputs.name, container: 'journal', principalId: identities.outputs.record.principalId, role: roles.blobContributor }
      // backup: the HSM itself writes with it, into the account as its documents ask; the app copies, locks and clears with it.
      { account: landingAccount.outputs.name, principalId: identities.outputs.backup.principalId, role: roles.blobContributor }
      { account: vaultAccount.outputs.name, container: 'hsm-backups', principalId: identities.outputs.backup.principalId, role: copiesRole.outputs.id }
    ]
  }
  dependsOn: [hostContainers, stateContainers, landingContainers, vaultContainers, queue]
}

module postOffice 'modules/app/communication.bicep' = if (communication != null) {
  name: 'communication'
  params: {
    name: installation
    token: take(token, 8)
    tags: allTags
    dataLocation: communication.?dataLocation ?? ''
    applicationId: communication.?applicationId ?? ''
    principalId: communication.?principalId ?? ''
  }
}

module mailSecret 'modules/access/secret-reader.bicep' = if (!empty(mailReference)) {
  name: 'mail-reference'
  scope: resourceGroup(empty(mailReference) ? subscription().subscriptionId : mailSecretOf[2], empty(mailReference) ? resourceGroup().name : mailSecretOf[4])
  params: {
    vault: mailSecretOf[8]
    entry: mailSecretOf[10]
    principalId: identities.outputs.host.principalId
  }
}

module webhookSecret 'modules/access/secret-reader.bicep' = if (!empty(webhookReference)) {
  name: 'webhook-reference'
  scope: resourceGroup(empty(webhookReference) ? subscription().subscriptionId : webhookSecretOf[2], empty(webhookReference) ? resourceGroup().name : webhookSecretOf[4])
  params: {
    vault: webhookSecretOf[8]
    entry: webhookSecretOf[10]
    principalId: identities.outputs.host.principalId
  }
}

module policies 'modules/hsm/policies.bicep' = [for group in hsmGroups: if (assignPolicies) {
  name: 'policies-${uniqueString(group)}'
  scope: resourceGroup(split(group, '/')[2], split(group, '/')[4])
  params: { installation: installation }
}]

module recover 'modules/recovery/recoveries.bicep' = [for group in hsmGroups: if (appMakesHsms) {
  name: 'recoveries-${uniqueString(group)}'
  scope: resourceGroup(split(group, '/')[2], split(group, '/')[4])
  params: { installation: installation, principalId: identities.outputs.restore.principalId }
}]

module recoverDeleted 'modules/recovery/recoveries-subscription.bicep' = [for id in hsmSubscriptions: if (appMakesHsms) {
  name: 'recoveries-${installation}'
  scope: subscription(id)
  params: { installation: installation, principalId: identities.outputs.restore.principalId }
}]

module joinsSubnet 'modules/recovery/subnet-joiner.bicep' = if (appMakesHsms) {
  name: 'joins-subnet'
  scope: resourceGroup(empty(subnets.endpoints) ? subscription().subscriptionId : split(subnets.endpoints, '/')[2], empty(subnets.endpoints) ? resourceGroup().name : split(subnets.endpoints, '/')[4])
  params: {
    installation: installation
    network: empty(subnets.endpoints) ? '${installation}-vnet' : split(subnets.endpoints, '/')[8]
    subnet: empty(subnets.endpoints) ? 'endpoints' : split(subnets.endpoints, '/')[10]
    principalId: identities.outputs.restore.principalId
  }
  dependsOn: [network]
}

module joinsZone 'modules/recovery/zone-joiner.bicep' = if (appMakesHsms) {
  name: 'joins-zone'
  scope: resourceGroup(split(zoneOfHsms, '/')[2], split(zoneOfHsms, '/')[4])
  params: { installation: installation, zone: last(split(zoneOfHsms, '/')), principalId: identities.outputs.restore.principalId }
  dependsOn: [hsmDns]
}

module attaches 'modules/recovery/identity-operator.bicep' = if (appMakesHsms) {
  name: 'attaches'
  params: { identity: '${installation}-backup', principalId: identities.outputs.restore.principalId }
}

// ── The app ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

module app 'modules/app/app.bicep' = {
  name: 'app'
  params: {
    name: '${installation}-app-${take(token, 8)}'
    location: location
    tags: allTags
    appSubnetId: network.outputs.appSubnetId
    host: identities.outputs.host
    identityIds: concat(
      [
        identities.outputs.host.id
        identities.outputs.observe.id
        identities.outputs.rotate.id
        identities.outputs.record.id
        identities.outputs.backup.id
      ],
      restores ? [identities.outputs.restore.id] : [],
      responds ? [identities.outputs.respond.id] : [],
      reinstates ? [identities.outputs.reinstate.id] : []
    )
    hostAccount: hostAccount.outputs.name
    packages: 'packages'
    insightsName: monitoring.outputs.insightsName
    workspaceId: monitoring.outputs.workspaceId
    apiClientId: apiClientId
    issuer: '${signIn}/v2.0'
    alwaysReady: alwaysReady
    zoneRedundant: zoneRedundant
    // Every setting of shared/config.ts; an empty text is one that is not set.
    settings: {
      MHSM_INSTALLATION: installation
      MHSM_CLOUD: cloudName
      MHSM_TASK_HUB: 'MhsmLifecycle'
      MHSM_HSMS: string(allHsms)
      MHSM_STATE_BLOB_URL: stateAccount.outputs.blob
      MHSM_TOPIC_ENDPOINT: topic.outputs.endpoint
      MHSM_TOPIC_SCHEMA: 'CloudEvents'
      MHSM_TOPIC_AUDIENCE: topicAudience
      MHSM_EVENT_SOURCES: string(eventSources)
      MHSM_EVENTS__queueServiceUri: stateAccount.outputs.queue
      MHSM_EVENTS__credential: 'managedidentity'
      MHSM_EVENTS__clientId: identities.outputs.observe.clientId
      MHSM_EVENTS_QUEUE: 'key-events'
      MHSM_IDENTITY_OBSERVE: identities.outputs.observe.clientId
      MHSM_IDENTITY_ROTATE: identities.outputs.rotate.clientId
      MHSM_IDENTITY_RECORD: identities.outputs.record.clientId
      MHSM_IDENTITY_BACKUP: identities.outputs.backup.clientId
      MHSM_IDENTITY_RESTORE: restores ? identities.outputs.restore.clientId : ''
      MHSM_IDENTITY_RESPOND: responds ? identities.outputs.respond.clientId : ''
      MHSM_IDENTITY_REINSTATE: reinstates ? identities.outputs.reinstate.clientId : ''
      MHSM_LANDING_CONTAINER_URL: '${landingAccount.outputs.blob}hsm-backups'
      MHSM_VAULT_BLOB_URL: vaultAccount.outputs.blob
      MHSM_VAULT_REGION: toLower(replace(vaultLocation, ' ', ''))
      MHSM_HSM_ENDPOINT: appMakesHsms
        ? string({ subnetId: network.outputs.endpointSubnetId, region: toLower(replace(location, ' ', '')), zoneId: zoneOfHsms })
        : ''
      MHSM_ALERT_CALLERS: string(['461e8683-5575-4561-ac7f-899cc907d62a'])
      MHSM_ALERT_RULES: string(heardRules)
      MHSM_ARM_URL: environment().resourceManager
      MHSM_ARM_AUDIENCE: ''
      MHSM_LOGS_WORKSPACE: monitoring.outputs.workspaceKey
      MHSM_LOGS_ENDPOINT: '${logsAudience}/v1'
      MHSM_LOGS_AUDIENCE: logsAudience
      MHSM_LOGS_TABLES: 'AZKVAuditLogs,AzureDiagnostics'
      MHSM_AUDIT_SCHEDULE: '0 */5 * * * *'
      MHSM_SWEEP_SCHEDULE: '0 */15 * * * *'
      MHSM_RECONCILE_SCHEDULE: '0 17 3 * * *'
      MHSM_BACKUP_SCHEDULE: '0 5-59/15 * * * *'
      MHSM_CUSTODY_SCHEDULE: '0 29 6 * * *'
      MHSM_HEARTBEAT_SCHEDULE: '0 3-59/10 * * * *'
      MHSM_HEARTBEAT_GRACE_MINUTES: '45'
      MHSM_ADOPTION_SCHEDULE: '0 47 */6 * * *'
      MHSM_PURGE_SCHEDULE: '0 41 4 * * *'
      MHSM_HISTORY_RETENTION_DAYS: '90'
      MHSM_MAIL_HOST: communication == null ? mail.host : 'smtp.azurecomm.net'
      MHSM_MAIL_PORT: mailPort
      MHSM_MAIL_SECURITY: communication == null ? mail.security : 'starttls'
      MHSM_MAIL_FROM: communication == null ? mail.from : postOffice!.outputs.sender
      MHSM_MAIL_FALLBACK: string(mailTo)
      MHSM_MAIL_USER: empty(mailReference) ? '' : (communication == null ? (mail.?user ?? '') : postOffice!.outputs.user)
      MHSM_MAIL_PASSWORD: empty(mailReference) ? '' : '@Microsoft.KeyVault(SecretUri=https://${mailSecretOf[8]}${environment().suffixes.keyvaultDns}/secrets/${mailSecretOf[10]})'
      MHSM_WEBHOOKS: string(webhooks)
      MHSM_WEBHOOK_SECRETS: empty(webhookReference) ? '' : '@Microsoft.KeyVault(SecretUri=https://${webhookSecretOf[8]}${environment().suffixes.keyvaultDns}/secrets/${webhookSecretOf[10]})'
      MHSM_API_ISSUER: '${signIn}/v2.0'
      MHSM_API_AUDIENCE: apiClientId
      MHSM_API_JWKS_URL: '${signIn}/discovery/v2.0/keys'
      MHSM_SETTLE_SECONDS: '30'
    }
  }
  // What the first start reads is there, and may be read.
  dependsOn: [access, endpoints, mailSecret, webhookSecret]
}

// ── The way in: nothing of this is reached over a public address ───────────────────────────────────────────────────────────

module endpoints 'modules/network/endpoints.bicep' = {
  name: 'endpoints'
  params: {
    location: location
    tags: allTags
    prefix: installation
    subnetId: network.outputs.endpointSubnetId
    endpoints: concat(
      [
        { name: 'host-blob', target: hostAccount.outputs.id, group: 'blob', zoneIds: ['${zonePrefix}/${zones.blob}'] }
        { name: 'host-queue', target: hostAccount.outputs.id, group: 'queue', zoneIds: ['${zonePrefix}/${zones.queue}'] }
        { name: 'host-table', target: hostAccount.outputs.id, group: 'table', zoneIds: ['${zonePrefix}/${zones.table}'] }
        { name: 'state-blob', target: stateAccount.outputs.id, group: 'blob', zoneIds: ['${zonePrefix}/${zones.blob}'] }
        { name: 'state-queue', target: stateAccount.outputs.id, group: 'queue', zoneIds: ['${zonePrefix}/${zones.queue}'] }
        { name: 'landing-blob', target: landingAccount.outputs.id, group: 'blob', zoneIds: ['${zonePrefix}/${zones.blob}'] }
        { name: 'vault-blob', target: vaultAccount.outputs.id, group: 'blob', zoneIds: ['${zonePrefix}/${zones.blob}'] }
        { name: 'topic', target: topic.outputs.id, group: 'topic', zoneIds: ['${zonePrefix}/${zones.topic}'] }
      ],
      hsmEndpoints
        ? map(allHsms, one => { name: 'hsm-${one.name}', target: one.resourceId, group: 'managedhsm', zoneIds: [zoneOfHsms] })
        : [],
      privateMonitoring
        ? [{ name: 'monitor', target: monitoring.outputs.scopeId, group: 'azuremonitor', zoneIds: map(concat(monitorZones, [zones.blob]), zone => '${zonePrefix}/${zone}') }]
        : []
    )
  }
  dependsOn: [dns, hsmDns, hsm]
}

module appEndpoint 'modules/network/endpoints.bicep' = {
  name: 'endpoint-of-app'
  params: {
    location: location
    tags: allTags
    prefix: installation
    subnetId: network.outputs.endpointSubnetId
    endpoints: [{ name: 'app', target: app.outputs.id, group: 'sites', zoneIds: ['${zonePrefix}/${zones.sites}'] }]
  }
  dependsOn: [dns]
}

// What npm run setup and azd need to know; empty where the app has no such duty. No secret is among them.
output HSM_RESOURCE_ID string = empty(allHsms) ? '' : allHsms[0].resourceId
output MHSM_CLOUD string = cloudName
output AZURE_FUNCTION_NAME string = app.outputs.name
output APP_HOST string = app.outputs.host
output STATE_BLOB_URL string = stateAccount.outputs.blob
output OBSERVE_PRINCIPAL_ID string = identities.outputs.observe.principalId
output ROTATE_PRINCIPAL_ID string = identities.outputs.rotate.principalId
output BACKUP_PRINCIPAL_ID string = identities.outputs.backup.principalId
output RESTORE_PRINCIPAL_ID string = !restores ? '' : identities.outputs.restore.principalId
output RESPOND_PRINCIPAL_ID string = !responds ? '' : identities.outputs.respond.principalId
output REINSTATE_PRINCIPAL_ID string = !reinstates ? '' : identities.outputs.reinstate.principalId
output BACKUP_IDENTITY_ID string = identities.outputs.backup.id
