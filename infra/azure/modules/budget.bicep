// Says when the group costs more than was planned: a drill HSM that nobody removed shows here first.
param name string
@description('A month, in the currency of the subscription.')
param amount int
@description('First day of a month, YYYY-MM-01.')
param from string
param mailTo array

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = {
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
