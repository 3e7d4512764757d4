import { type JWTPayload, jwtVerify, SignJWT } from 'jose';
import type { EstateClock } from '../clock.ts';
import type { Principal, TokenVerifier } from '../estate.ts';
import { RESOURCE_GROUP } from '../seed/resource-id.ts';
import {
  type Application,
  IDENTITIES,
  type Identity,
  OPERATOR_CLIENT_ID,
  type Person,
  TENANT_ID,
} from './registrations.ts';
import type { SigningKey } from './signing-key.ts';

/** Entra backdates `nbf` and relying parties allow the same skew: five minutes either way. */
const SKEW_SECONDS = 300;
const MANAGED_IDENTITY_LIFETIME_SECONDS = 24 * 3600;
/** People's tokens live long in both directions here, so that a script may move the clock by years. Entra: about 1 h. */
const PERSON_LIFETIME_SECONDS = 20 * 365 * 24 * 3600;

/** Issuer of tokens for Azure services (Entra v1 form, which Azurite insists on). */
export const SERVICE_ISSUER = `https://sts.windows.net/${TENANT_ID}/`;

/** Tokens that are remembered at a time. */
const MOST_KNOWN = 200;
/** Well within its life, either way; at its edges the library decides. */
const isInTime = ({ nbf = 0, exp = 0 }: JWTPayload, now: number): boolean => now >= nbf && now < exp;

export interface IssuedToken {
  token: string;
  /** Unix seconds of estate time. */
  expiresOn: number;
}

export interface Tokens extends TokenVerifier {
  /** A token of a managed identity for an Azure service; `audience` is the scope without `/.default`. */
  forIdentity(identity: Identity, audience: string, lifetimeSeconds?: number): Promise<IssuedToken>;
  /** A token of a person for the operator API, as Entra's v2.0 endpoint issues it. */
  forPerson(person: Person, claims: ApiClaims): Promise<IssuedToken>;
  /** A token of an application for the operator API, by its own right: it has app roles, and no scope. */
  forApplication(application: Application, claims: ApiClaims): Promise<IssuedToken>;
}

export interface ApiClaims {
  issuer: string;
  audience: string;
  /** Default: the caller's own. */
  roles?: string[];
  /** From now, in seconds; negative gives an expired token. Default: twenty years either way. */
  lifetimeSeconds?: number;
}

/** Issues and verifies the estate's tokens. All times in them are estate time. */
export function createTokens(key: SigningKey, clock: EstateClock): Tokens {
  const seconds = () => Math.floor(clock.now().getTime() / 1000);
  /** Twenty years either way, where no life is given. */
  const lifeOf = (lifetimeSeconds: number | undefined) => {
    const life = lifetimeSeconds ?? PERSON_LIFETIME_SECONDS;
    const from = lifetimeSeconds === undefined ? seconds() - life : seconds() - Math.max(SKEW_SECONDS, 2 * -life);
    return { from, until: seconds() + life };
  };
  const sign = (claims: Record<string, unknown>, window: { from: number; until: number }) =>
    new SignJWT({ tid: TENANT_ID, ...claims })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid })
      .setIssuedAt(window.from)
      .setNotBefore(window.from)
      .setExpirationTime(window.until)
      .sign(key.privateKey);
  /** Tokens whose signature and claims were found right, by audience: clients send the same one with every call. */
  const right = new Map<string, JWTPayload>();
  const claimsOf = async (token: string, audience: string): Promise<JWTPayload> => {
    const named = `${audience} ${token}`;
    const known = right.get(named);
    if (known && isInTime(known, seconds())) return known;
    const { payload } = await jwtVerify(token, key.publicKey, {
      audience: [audience, `${audience}/`],
      issuer: SERVICE_ISSUER,
      algorithms: ['RS256'],
      clockTolerance: SKEW_SECONDS,
      currentDate: clock.now(),
    });
    if (right.size >= MOST_KNOWN) right.clear();
    right.set(named, payload);
    return payload;
  };
  return {
    async forIdentity({ clientId, objectId, name }, audience, lifetimeSeconds = MANAGED_IDENTITY_LIFETIME_SECONDS) {
      const window = { from: seconds() - SKEW_SECONDS, until: seconds() + lifetimeSeconds };
      const token = await sign(
        {
          aud: audience,
          iss: SERVICE_ISSUER,
          appid: clientId,
          oid: objectId,
          sub: objectId,
          idtyp: 'app',
          ver: '1.0',
          xms_mirid: `${RESOURCE_GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`,
        },
        window,
      );
      return { token, expiresOn: window.until };
    },
    async forPerson(person, { issuer, audience, roles = person.roles, lifetimeSeconds }) {
      const window = lifeOf(lifetimeSeconds);
      const token = await sign(
        {
          aud: audience,
          iss: issuer,
          azp: OPERATOR_CLIENT_ID,
          oid: person.objectId,
          sub: person.objectId,
          name: person.name,
          preferred_username: person.upn,
          upn: person.upn,
          scp: 'user_impersonation',
          roles,
          ver: '2.0',
        },
        window,
      );
      return { token, expiresOn: window.until };
    },
    async forApplication({ clientId, objectId, roles: own }, { issuer, audience, roles = own, lifetimeSeconds }) {
      const window = lifeOf(lifetimeSeconds);
      const token = await sign(
        { aud: audience, iss: issuer, azp: clientId, oid: objectId, sub: objectId, idtyp: 'app', roles, ver: '2.0' },
        window,
      );
      return { token, expiresOn: window.until };
    },
    async verify(token, audience): Promise<Principal> {
      const payload = await claimsOf(token, audience);
      if (payload.tid !== TENANT_ID)
        throw new Error(`The token is of tenant ${String(payload.tid)}, not of ${TENANT_ID}.`);
      const text = (claim: string) => (typeof payload[claim] === 'string' ? payload[claim] : undefined);
      const oid = text('oid');
      if (oid === undefined) throw new Error('The token names no object id (oid).');
      const upn = text('upn');
      return {
        oid,
        appid: text('appid') ?? text('azp') ?? '',
        tid: TENANT_ID,
        name: Object.values<Identity>(IDENTITIES).find((one) => one.objectId === oid)?.name ?? text('name') ?? oid,
        roles: Array.isArray(payload.roles) ? payload.roles.map(String) : [],
        ...(upn === undefined ? {} : { upn }),
      };
    },
  };
}
