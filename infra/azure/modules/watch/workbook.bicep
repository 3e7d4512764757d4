// One page for whoever watches: what the HSMs were asked, by whom, and how they answered.
param name string
param location string
param tags object
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, name, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Managed HSM: ${name}'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: loadTextContent('../../workbook.json')
  }
}
