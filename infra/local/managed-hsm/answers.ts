import type { HsmError } from './errors.ts';

/** Source: REST descriptions of Azure/azure-rest-api-specs, and the versions that recordings used. */
export const API_VERSIONS: ReadonlySet<string> = new Set([
  ...['7.2', '7.3', '7.4', '7.5', '7.6', '2025-07-01', '2026-04-01'],
  ...['7.6-preview.2', '2025-06-01-preview', '2026-01-01-preview', '2026-03-01-preview', '2026-05-01-preview'],
  '2026-07-01-preview',
]);

/** Recorded on 2026-04-29. */
const BUILD_VERSION = '1.0.20260320-2-76f00f12-develop';

/**
 * Headers of every answer, as recorded: network info and region on success only, the build version on GET alone (on the
 * challenge too, on other errors not), and the JSON content type even where there is no body.
 */
export function responseHeaders(options: {
  method: string;
  activityId: string;
  durationMs: number;
  region: string;
  remoteAddress: string;
  status: number;
}): Record<string, string> {
  const success = options.status < 400;
  return {
    'cache-control': 'no-cache',
    'content-security-policy': "default-src 'self'",
    'content-type': 'application/json; charset=utf-8',
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'SAMEORIGIN',
    ...(options.method === 'GET' && (success || options.status === 401) ? { 'x-ms-build-version': BUILD_VERSION } : {}),
    ...(success
      ? {
          'x-ms-keyvault-network-info': `conn_type=Ipv4;addr=${options.remoteAddress};act_addr_fam=Ipv4;`,
          'x-ms-keyvault-region': options.region,
        }
      : {}),
    'x-ms-request-id': options.activityId,
    'x-ms-server-latency': String(Math.round(options.durationMs)),
  };
}

/** The activity id at the end of the message equals the header x-ms-request-id (recorded). */
export function errorBody(error: HsmError, activityId: string): unknown {
  const message = `${error.message} (Activity ID: ${activityId})`;
  return {
    error: { code: error.code, message, ...(error.innerCode ? { innererror: { code: error.innerCode } } : {}) },
  };
}
