import { describe, expect, test } from 'vitest';
import {
  buildQuery,
  LOG_TABLES,
  QUERY_NAMES,
  type QueryName,
  SIGN_IN_TABLES,
} from '../../../../shared/detection/queries/build-query.ts';
import { faultsOfQuery } from '../../../support/kql.ts';

const at = new Date('2026-11-22T06:00:00.000Z');
const hsm = { hsmName: 'contoso', hsmResource: '/subscriptions/s/…/managedhsms/contoso' };
const window = { ...hsm, oldest: at, context: at, after: at, upTo: at, step: { seconds: 600 }, most: 100 };
const span = { ...hsm, oldest: at, start: at, end: at, most: 100 };

const values: Record<QueryName, Parameters<typeof buildQuery>[2]> = {
  sensitiveCalls: window,
  refusedCalls: window,
  keyUse: window,
  controlPlane: { ...window, hsmGroup: '/subscriptions/s/resourcegroups/r', hsmSubscription: '/subscriptions/s' },
  hourVolumes: span,
  arrivals: { ...span, canaryPath: '/keys/canary', canaryOid: 'oid', canaryApp: 'app' },
  signIns: { who: '00000000-0000-4000-8000-00000000a666', after: at, upTo: at, most: 100 },
  versionUse: {
    ...{ ...hsm, oldest: at, refused: 'none', most: 100 },
    starts: new Map([
      ['orders', at],
      ['x"}) | take 1 //', at],
    ]),
  },
};

describe.each(QUERY_NAMES)('the query %s', (name) => {
  test('is understood by the official parser over the published schemas', () => {
    expect(faultsOfQuery(buildQuery(name, LOG_TABLES, values[name]))).toEqual([]);
  });

  test.each(LOG_TABLES)('reads %s alone where the settings name no other', (table) => {
    const query = buildQuery(name, [table], values[name]);
    expect(faultsOfQuery(query, [table, 'AzureActivity', ...SIGN_IN_TABLES])).toEqual([]);
    for (const other of LOG_TABLES.filter((each) => each !== table)) expect(query).not.toContain(`\n${other}\n`);
  });
});

test('the parser notices a column that no table has', () => {
  expect(faultsOfQuery('AZKVAuditLogs | where NoSuchColumn == 1')).not.toEqual([]);
});

test('a query without a table cannot be built', () => {
  expect(() => buildQuery('keyUse', [], window)).toThrow(RangeError);
});
