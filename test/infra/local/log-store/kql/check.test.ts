import { describe, expect, test } from 'vitest';
import { checkQuery } from '../../../../../infra/local/log-store/kql/check.ts';
import { publishedTables } from '../../../../../infra/local/log-store/tables.ts';

const check = (query: string) => checkQuery(query, publishedTables());

describe('checkQuery', () => {
  test('has nothing to say about a sound query', () => {
    const query = `AZKVAuditLogs
| where TimeGenerated > ago(1h) and _ResourceId contains "/managedhsms/"
| extend Oid = tostring(Identity.claim.oid)
| summarize Calls = count(), Last = max(TimeGenerated) by Oid, OperationName`;
    expect(check(query)).toEqual([]);
  });

  test.each([
    ['AZKVAuditLogs\n| where Nope == 1', { line: 2, column: 9, token: 'Nope', severity: 'error' }],
    ['Nowhere | count', { line: 1, column: 1, token: 'Nowhere', severity: 'error' }],
    ['AZKVAuditLogs | where TimeGenerated > "x"', { line: 1, severity: 'error' }],
    ['AZKVAuditLogs | frobnicate', { line: 1, severity: 'error' }],
    ['AZKVAuditLogs | extend x = tolower(1, 2)', { line: 1, severity: 'error' }],
    ['AZKVAuditLogs | extend x = tolower(', { line: 1, severity: 'error' }],
    ['union isfuzzy=true Nowhere, AZKVAuditLogs', { token: 'Nowhere', severity: 'warning' }],
  ])('says what is wrong with %s, and where', (query, expected) => {
    expect(check(query)).toEqual(expect.arrayContaining([expect.objectContaining(expected)]));
  });
});
