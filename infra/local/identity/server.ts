import { randomUUID, timingSafeEqual } from 'node:crypto';
import type { Faults } from '../faults.ts';
import { type Answer, type Listener, listen, type Request } from '../http.ts';
import { IDENTITIES, type Identity, PEOPLE, type PersonName, TENANT_ID } from './registrations.ts';
import type { SigningKey } from './signing-key.ts';
import type { Tokens } from './tokens.ts';

/** Version of the App Service endpoint. Source: https://learn.microsoft.com/azure/app-service/overview-managed-identity */
const API_VERSION = '2019-08-01';

export interface IdentityService {
  readonly url: string;
  /** What a process of the app needs to get tokens as on App Service. */
  readonly clientSettings: { IDENTITY_ENDPOINT: string; IDENTITY_HEADER: string };
  /** What the operator API needs to verify people's tokens. */
  readonly api: { issuer: string; jwksUrl: string; audience: string };
  /** Tokens of people for the operator API, one per app role. */
  peopleTokens(): Promise<Record<PersonName, string>>;
  stop(): Promise<void>;
}

/**
 * The App Service managed identity endpoint and, beside it, the tenant's OpenID Connect discovery and signing keys. Plain
 * http, as on App Service; the SDKs accept that for this endpoint only.
 */
export async function startIdentity(options: {
  port?: number;
  /** The shared secret of the endpoint; kept by the caller, so that a restarted estate knows its clients again. */
  secret: string;
  audience: string;
  key: SigningKey;
  tokens: Tokens;
  faults: Faults;
}): Promise<IdentityService> {
  const { key, tokens, faults, secret, audience } = options;
  let url = '';

  const answerToken = async (request: Request): Promise<Answer> => {
    const query = request.url.searchParams;
    const identity = selectIdentity(query);
    const fault = await faults.meet('identity', 'Token', {
      resource: query.get('resource') ?? '',
      ...(identity ? { identity: identity.name, clientId: identity.clientId } : {}),
    });
    if (fault.kind === 'lostReply') return { destroy: true };
    if (fault.kind === 'answer') return failure(fault.status, fault.message, fault.headers);
    if (!sameText(request.headers['x-identity-header'], secret)) {
      return failure(401, 'The X-IDENTITY-HEADER header is missing or not that of this app.');
    }
    if (query.get('api-version') !== API_VERSION) return failure(400, `The api-version must be ${API_VERSION}.`);
    const resource = query.get('resource');
    if (!resource) return failure(400, 'The resource parameter is required.');
    if (!identity) {
      return failure(
        400,
        'No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.',
      );
    }
    const issued = await tokens.forIdentity(identity, resource);
    return {
      status: 200,
      body: {
        access_token: issued.token,
        expires_on: String(issued.expiresOn),
        resource,
        token_type: 'Bearer',
        client_id: identity.clientId,
      },
    };
  };

  const api = () => ({
    issuer: `${url}/${TENANT_ID}/v2.0`,
    jwksUrl: `${url}/${TENANT_ID}/discovery/v2.0/keys`,
    audience,
  });
  const handle = async (request: Request): Promise<Answer> => {
    switch (`${request.method} ${request.path}`) {
      case 'GET /msi/token':
        return answerToken(request);
      case `GET /${TENANT_ID}/discovery/v2.0/keys`:
        return { status: 200, body: { keys: [key.jwk] } };
      case `GET /${TENANT_ID}/v2.0/.well-known/openid-configuration`:
        return {
          status: 200,
          body: {
            issuer: api().issuer,
            jwks_uri: api().jwksUrl,
            id_token_signing_alg_values_supported: ['RS256'],
            response_types_supported: ['code', 'id_token'],
            subject_types_supported: ['pairwise'],
          },
        };
      default:
        return failure(404, 'This address knows /msi/token and the tenant’s discovery documents only.');
    }
  };

  const listener: Listener = await listen({ port: options.port ?? 0, origin: 'http://127.0.0.1', handle });
  url = `http://127.0.0.1:${listener.port}`;
  return {
    url,
    clientSettings: { IDENTITY_ENDPOINT: `${url}/msi/token`, IDENTITY_HEADER: secret },
    api: api(),
    async peopleTokens() {
      const { issuer } = api();
      const entries = Object.entries(PEOPLE).map(async ([name, person]) => {
        const { token } = await tokens.forPerson(person, { issuer, audience });
        return [name, token] as const;
      });
      return Object.fromEntries(await Promise.all(entries)) as Record<PersonName, string>;
    },
    stop: () => listener.close(),
  };
}

/**
 * The identity that the request names. One that names none is refused like one that names a stranger: the app has
 * user-assigned identities only, one per duty, so "the" identity of the app does not exist.
 */
function selectIdentity(query: URLSearchParams): Identity | undefined {
  const clientId = query.get('client_id');
  const objectId = query.get('principal_id') ?? query.get('object_id');
  const resourceId = query.get('mi_res_id') ?? query.get('msi_res_id');
  return Object.values<Identity>(IDENTITIES).find(
    (one) =>
      one.clientId === clientId ||
      one.objectId === objectId ||
      resourceId?.toLowerCase().endsWith(`/userassignedidentities/${one.name}`) === true,
  );
}

const failure = (statusCode: number, message: string, headers: Record<string, string> = {}): Answer => ({
  status: statusCode,
  headers,
  body: { statusCode, message, correlationId: randomUUID() },
});

function sameText(given: string | string[] | undefined, expected: string): boolean {
  const [left, right] = [Buffer.from(String(given)), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}
