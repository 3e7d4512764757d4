import { ProblemError } from './problem.ts';

/** App roles of the API's registration. Who asks cannot approve, so the roles never imply each other. */
export type AppRole = 'Viewer' | 'Operator' | 'Approver' | 'Auditor' | 'ActionGroupsSecureWebhook';

/** The person or application behind a request, from a verified token. */
export interface Caller {
  /** Object id in Entra: what the journal names. */
  oid: string;
  /** Display only. */
  name: string;
  roles: AppRole[];
  /** Client id of the application that asked for the token; a person's token names the tool they use. */
  app?: string;
  /** The application acts for a person who signed in, and not by its own right. */
  delegated?: true;
}

export interface Authority {
  /** Each way in which the one authority writes itself. */
  issuers: string[];
  audience: string;
  jwksUrl: string;
}

export type Authorise = (authorization: string | null, anyOf: readonly AppRole[]) => Promise<Caller>;

/**
 * Verifies the bearer token in code, whatever the platform in front has done: its headers can be forged where platform
 * authentication is off. Issuer, audience, time window and signature first; nothing in the token is believed before that.
 */
export function createAuthorise(authority: Authority): Authorise {
  let keys: Promise<import('jose').JWTVerifyGetKey> | undefined;
  return async (authorization, anyOf) => {
    const token = /^Bearer ([^\s]+)$/i.exec(authorization ?? '')?.[1];
    if (!token) throw unauthenticated('The request carries no bearer token.');
    const jose = await import('jose');
    keys ??= Promise.resolve(jose.createRemoteJWKSet(new URL(authority.jwksUrl)));
    const { payload } = await jose
      .jwtVerify(token, await keys, {
        issuer: authority.issuers,
        audience: authority.audience,
        algorithms: ['RS256', 'PS256', 'ES256'],
        requiredClaims: ['exp', 'oid'],
      })
      .catch((error: unknown) => {
        if (error instanceof jose.errors.JOSEError && !KEYS_OUT_OF_REACH.has(error.code)) {
          throw unauthenticated(`The token was refused: ${error.message}.`);
        }
        throw keysOutOfReach();
      });
    const roles = Array.isArray(payload.roles) ? payload.roles.filter(isAppRole) : [];
    const name = [payload.name, payload.preferred_username, payload.azp, payload.appid].find(
      (x) => typeof x === 'string',
    );
    const app = payload.azp ?? payload.appid;
    const caller: Caller = {
      oid: String(payload.oid),
      name: String(name ?? payload.oid),
      roles,
      ...(typeof app === 'string' ? { app } : {}),
      // https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference: only a person's token has scopes.
      ...(payload.scp === undefined ? {} : { delegated: true as const }),
    };
    if (!anyOf.some((role) => roles.includes(role))) {
      throw new ProblemError({
        status: 403,
        code: 'Forbidden',
        title: 'Not allowed',
        detail: `This needs the app role ${anyOf.join(' or ')}; the token carries ${roles.join(', ') || 'none'}.`,
        nextStep: `Ask an administrator to assign you the app role ${anyOf[0]} on this application, then sign in again.`,
      });
    }
    return caller;
  };
}

const APP_ROLES: readonly string[] = [
  'Viewer',
  'Operator',
  'Approver',
  'Auditor',
  // What Azure Monitor's action groups call with. https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups
  'ActionGroupsSecureWebhook',
] satisfies AppRole[];

const isAppRole = (value: unknown): value is AppRole => typeof value === 'string' && APP_ROLES.includes(value);

/** What jose says when the signing keys cannot be fetched or read, which is no fault of the token. */
const KEYS_OUT_OF_REACH: ReadonlySet<string> = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']);

const keysOutOfReach = () =>
  new ProblemError({
    status: 503,
    code: 'SignInUnavailable',
    title: 'The token cannot be checked now',
    detail: 'The signing keys of the identity provider could not be fetched.',
    nextStep: 'Send the request again in a minute; if it goes on, check that the app reaches its identity provider.',
  });

const unauthenticated = (detail: string) =>
  new ProblemError({
    status: 401,
    code: 'Unauthenticated',
    title: 'Sign in first',
    detail,
    nextStep: "Send 'Authorization: Bearer <token>' with a token for this API's audience.",
  });
