import { STATUS_CODES } from 'node:http';
import type { Principal } from '../estate.ts';
import type { Request } from '../http.ts';

/** A row of the table AzureActivity. */
export type ActivityEntry = Record<string, unknown>;

const OPERATIONS: readonly [pattern: RegExp, methods: Record<string, string>][] = [
  [
    /\/providers\/Microsoft\.Insights\/diagnosticSettings\/[^/]+$/i,
    { PUT: 'Microsoft.Insights/diagnosticSettings/write', DELETE: 'Microsoft.Insights/diagnosticSettings/delete' },
  ],
  [
    /\/managedHSMs\/[^/]+$/i,
    {
      PUT: 'Microsoft.KeyVault/managedHSMs/write',
      PATCH: 'Microsoft.KeyVault/managedHSMs/write',
      DELETE: 'Microsoft.KeyVault/managedHSMs/delete',
    },
  ],
  [/\/deletedManagedHSMs\/[^/]+\/purge$/i, { POST: 'Microsoft.KeyVault/locations/deletedManagedHsms/purge/action' }],
];

/** The operation of a request that changes something; reads are not in the activity log. */
export function operationOf({ method, path }: Request): string | undefined {
  return OPERATIONS.find(([pattern]) => pattern.test(path))?.[1][method];
}

/**
 * One entry of the activity log, with the end of the operation only. Column names and the upper case of the `…Value` ones:
 * https://learn.microsoft.com/azure/azure-monitor/reference/tables/azureactivity
 */
export function activityRow(seen: {
  time: Date;
  correlationId: string;
  request: Request;
  operation: string;
  caller: Principal;
  status: number;
  message?: string;
}): ActivityEntry {
  const { time, correlationId, request, operation, caller, status, message } = seen;
  const [, , subscription = '', , group = ''] = request.path.split('/');
  const resource = request.path.replace(/\/purge$/i, '');
  const failed = status >= 400;
  const inGroup = /\/resourceGroups\//i.test(request.path);
  const provider = operation.split('/')[0] ?? '';
  const claims = {
    appid: caller.appid,
    'http://schemas.microsoft.com/identity/claims/objectidentifier': caller.oid,
    'http://schemas.microsoft.com/identity/claims/tenantid': caller.tid,
    ...(caller.upn === undefined ? {} : { 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn': caller.upn }),
  };
  const authorization = { action: operation, scope: resource };
  const properties = {
    ...{ statusCode: STATUS_CODES[status] ?? String(status), eventCategory: 'Administrative', entity: resource },
    ...(message === undefined ? {} : { statusMessage: message }),
  };
  return {
    TimeGenerated: time.toISOString(),
    EventSubmissionTimestamp: time.toISOString(),
    OperationName: operation,
    OperationNameValue: operation.toUpperCase(),
    Level: failed ? 'Error' : 'Information',
    ActivityStatus: failed ? 'Failed' : 'Succeeded',
    ActivityStatusValue: failed ? 'Failure' : 'Success',
    ActivitySubstatusValue: STATUS_CODES[status]?.replaceAll(' ', '') ?? String(status),
    CategoryValue: 'Administrative',
    Category: 'Administrative',
    // A person by name, an identity by its object id.
    Caller: caller.upn ?? caller.oid,
    CallerIpAddress: request.remoteAddress,
    CorrelationId: correlationId,
    OperationId: correlationId,
    EventDataId: correlationId,
    SubscriptionId: subscription,
    ...(inGroup ? { ResourceGroup: group.toUpperCase() } : {}),
    ResourceProvider: provider,
    ResourceProviderValue: provider.toUpperCase(),
    Resource: resource.split('/').at(-1),
    ResourceId: resource,
    _ResourceId: resource.toLowerCase(),
    _SubscriptionId: subscription,
    Authorization: JSON.stringify(authorization),
    Authorization_d: authorization,
    Claims: JSON.stringify(claims),
    Claims_d: claims,
    HTTPRequest: JSON.stringify({ clientIpAddress: request.remoteAddress, method: request.method }),
    Properties: JSON.stringify(properties),
    Properties_d: properties,
  };
}
