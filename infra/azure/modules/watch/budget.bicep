// Says when a group costs more than was planned. Azure refuses to change the first month of a budget that is there:
// https://github.com/Azure/azure-quickstart-templates/issues/7095
param name string
@description('A month, in the currency of the subscription.')
param amount int
@description('First day of a month, YYYY-MM-01.')
param from string
param mailTo array

resource budget 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: from }
    notifications: {
      most: { enabled: true, operator: 'GreaterThan', threshold: 80, thresholdType: 'Actual', contactEmails: mailTo }
      forecast: { enabled: true, operator: 'GreaterThan', threshold: 100, thresholdType: 'Forecasted', contactEmails: mailTo }
    }
  }
}
