import type { Principal, TokenVerifier } from '../estate.ts';
import type { Request } from '../http.ts';

export type Authentication =
  | { kind: 'authenticated'; principal: Principal }
  | { kind: 'refused'; challenge: string; body: unknown };

/**
 * Looks at the Authorization header only: clients learn the tenant by sending their first request without a body.
 *
 * Recorded challenge and bodies (Azure/azure-sdk-assets): empty, and the two letters `OK` for GET. A token of another
 * tenant gets the text AKV10032, which the SDKs' troubleshooting pages document; other faults of a token get the challenge.
 */
export async function authenticate(
  request: Request,
  options: { tokens: TokenVerifier; tenantId: string; audience: string },
): Promise<Authentication> {
  const challenge = `Bearer authorization="https://login.microsoftonline.com/${options.tenantId}", resource="${options.audience}"`;
  const refused = (body: unknown): Authentication => ({ kind: 'refused', challenge, body });
  const plain = request.method === 'GET' ? 'OK' : undefined;
  const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) return refused(plain);
  let principal: Principal;
  try {
    principal = await options.tokens.verify(token, options.audience);
  } catch (error) {
    // Not authenticated, so neither logged nor told apart on the wire, save the tenant.
    return refused(/tenant|issuer|"iss"/i.test((error as Error).message) ? invalidIssuer(options.tenantId) : plain);
  }
  return principal.tid === options.tenantId
    ? { kind: 'authenticated', principal }
    : refused(invalidIssuer(options.tenantId, principal.tid));
}

function invalidIssuer(expected: string, found?: string): unknown {
  const issuer = (tenant: string) => `https://sts.windows.net/${tenant}/`;
  const ending = found === undefined ? '' : `, found ${issuer(found)}`;
  const message = `AKV10032: Invalid issuer. Expected one of ${issuer(expected)}${ending}.`;
  return { error: { code: 'Unauthorized', message } };
}
