// The subnets of the app: one that it reaches out from, one that holds the private endpoints. Either in a network that is
// there already, which is the usual case because the HSM's own endpoint lies in it, or in a new one.
param location string
@description('Prefix of all names.')
param name string
@description('Resource ids of two subnets that exist: { app, endpoints }. Empty: a new virtual network is made.')
param subnets { app: string, endpoints: string }
@description('Address space of the new network: /24 or larger.')
param addressPrefix string
@description('Port of the mail server, which the app is let out to.')
param mailPort string
param tags object

var makesNetwork = empty(subnets.app)
var appPrefix = cidrSubnet(addressPrefix, 26, 0)

// The way out of a new network: to Entra ID, to Resource Manager, to the mail server and the webhooks. Nothing comes in by it.
resource address 'Microsoft.Network/publicIPAddresses@2025-09-01' = if (makesNetwork) {
  name: '${name}-out'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource gateway 'Microsoft.Network/natGateways@2025-09-01' = if (makesNetwork) {
  name: '${name}-nat'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: address.id }] }
}

resource appRules 'Microsoft.Network/networkSecurityGroups@2025-09-01' = if (makesNetwork) {
  name: '${name}-app-nsg'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'instances-among-themselves'
        properties: {
          access: 'Allow'
          direction: 'Inbound'
          priority: 100
          protocol: '*'
          sourceAddressPrefix: appPrefix
          sourcePortRange: '*'
          destinationAddressPrefix: appPrefix
          destinationPortRange: '*'
        }
      }
      {
        name: 'probes-of-the-platform'
        properties: {
          access: 'Allow'
          direction: 'Inbound'
          priority: 110
          protocol: '*'
          sourceAddressPrefix: 'AzureLoadBalancer'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
      {
        name: 'nothing-else-in'
        properties: {
          access: 'Deny'
          direction: 'Inbound'
          priority: 200
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
      {
        name: 'https-out'
        properties: {
          access: 'Allow'
          direction: 'Outbound'
          priority: 100
          protocol: 'Tcp'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: 'Internet'
          destinationPortRange: '443'
        }
      }
      {
        name: 'mail-out'
        properties: {
          access: 'Allow'
          direction: 'Outbound'
          priority: 110
          protocol: 'Tcp'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: mailPort
        }
      }
      {
        name: 'platform-out'
        properties: {
          access: 'Allow'
          direction: 'Outbound'
          priority: 120
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: 'AzureCloud'
          destinationPortRange: '*'
        }
      }
      {
        name: 'nothing-else-out'
        properties: {
          access: 'Deny'
          direction: 'Outbound'
          priority: 200
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: 'Internet'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource endpointRules 'Microsoft.Network/networkSecurityGroups@2025-09-01' = if (makesNetwork) {
  name: '${name}-endpoints-nsg'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'https-from-network'
        properties: {
          access: 'Allow'
          direction: 'Inbound'
          priority: 100
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '443'
        }
      }
      {
        name: 'nothing-else'
        properties: {
          access: 'Deny'
          direction: 'Inbound'
          priority: 200
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

// Its subnets are resources of their own: a network that lists them removes all others, such as that of a build agent, at the
// next deployment. https://github.com/Azure/bicep-types-az/issues/1687
resource network 'Microsoft.Network/virtualNetworks@2025-09-01' = if (makesNetwork) {
  name: '${name}-vnet'
  location: location
  tags: tags
  properties: { addressSpace: { addressPrefixes: [addressPrefix] } }
}

// Flex Consumption wants a subnet of its own, delegated to Microsoft.App/environments.
// https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan
resource appSubnet 'Microsoft.Network/virtualNetworks/subnets@2025-09-01' = if (makesNetwork) {
  parent: network
  name: 'app'
  properties: {
    addressPrefix: appPrefix
    defaultOutboundAccess: false
    delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
    natGateway: { id: gateway.id }
    networkSecurityGroup: { id: appRules.id }
  }
}

// One after the other: a network takes one change at a time.
resource endpointSubnet 'Microsoft.Network/virtualNetworks/subnets@2025-09-01' = if (makesNetwork) {
  parent: network
  name: 'endpoints'
  properties: {
    addressPrefix: cidrSubnet(addressPrefix, 26, 1)
    defaultOutboundAccess: false
    networkSecurityGroup: { id: endpointRules.id }
    privateEndpointNetworkPolicies: 'NetworkSecurityGroupEnabled'
  }
  dependsOn: [appSubnet]
}

output networkId string = makesNetwork ? network.id : first(split(subnets.app, '/subnets/'))
output appSubnetId string = makesNetwork ? appSubnet.id : subnets.app
output endpointSubnetId string = makesNetwork ? endpointSubnet.id : subnets.endpoints
