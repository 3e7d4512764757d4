import { createHash, randomBytes } from 'node:crypto';
import type { Caller, Reply } from './call.ts';
import { IDENTITIES, type IdentityName } from './identity/registrations.ts';
import type { Tokens } from './identity/tokens.ts';

/** Audience of the data plane. */
const AUDIENCE = 'https://managedhsm.azure.net';
const API_VERSION = '2025-07-01';

export const TRAFFIC_OPERATIONS = ['wrap', 'unwrap', 'sign', 'get'] as const;
export type TrafficOperation = (typeof TRAFFIC_OPERATIONS)[number];

export interface TrafficResult {
  calls: number;
  succeeded: number;
  failures: { status: number; code: string; message: string }[];
}

interface KeyView {
  key: { kid: string; kty: string; crv?: string; key_size?: number };
  attributes?: { key_size?: number };
}

const CURVES: Record<string, { alg: string; hash: string }> = {
  'P-256': { alg: 'ES256', hash: 'sha256' },
  'P-256K': { alg: 'ES256K', hash: 'sha256' },
  'P-384': { alg: 'ES384', hash: 'sha384' },
  'P-521': { alg: 'ES512', hash: 'sha512' },
};

/**
 * What a service with a customer-managed key does all day, over the HSM's own https address and under a consumer's
 * identity. `unwrap` wraps once and unwraps the result `count` times, all with the same version.
 */
export async function sendTraffic(options: {
  hsm: { url: string };
  call: Caller;
  tokens: Tokens;
  key: string;
  version?: string;
  operation: TrafficOperation;
  count: number;
  identity: IdentityName;
}): Promise<TrafficResult> {
  const { hsm, call, tokens, operation, count } = options;
  const { token } = await tokens.forIdentity(IDENTITIES[options.identity], AUDIENCE);
  const result: TrafficResult = { calls: 0, succeeded: 0, failures: [] };
  const ask = async (method: string, path: string, body?: unknown): Promise<Reply | undefined> => {
    const reply = await call({
      method,
      url: `${hsm.url}${path}?api-version=${API_VERSION}`,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'user-agent': `estate-traffic/${options.identity}`,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    result.calls += 1;
    if (reply.status < 300) {
      result.succeeded += 1;
      return reply;
    }
    const error = errorOf(reply);
    result.failures.push({ status: reply.status, ...error });
    return undefined;
  };

  const path = ['/keys', options.key, ...(options.version === undefined ? [] : [options.version])].join('/');
  const found = await ask('GET', path);
  if (!found || operation === 'get') {
    for (let more = 1; found && more < count; more++) await ask('GET', path);
    return result;
  }
  const { key, attributes } = JSON.parse(found.body.toString('utf8')) as KeyView;
  const at = new URL(key.kid).pathname;
  if (operation === 'sign') {
    const { alg, hash } = CURVES[key.crv ?? ''] ?? { alg: 'RS256', hash: 'sha256' };
    for (let done = 0; done < count; done++) {
      const value = createHash(hash).update(randomBytes(32)).digest('base64url');
      await ask('POST', `${at}/sign`, { alg, value });
    }
    return result;
  }
  const alg = key.kty.startsWith('oct') ? `A${attributes?.key_size ?? key.key_size ?? 256}KW` : 'RSA-OAEP-256';
  const wrap = () => ask('POST', `${at}/wrapkey`, { alg, value: randomBytes(32).toString('base64url') });
  if (operation === 'wrap') {
    for (let done = 0; done < count; done++) await wrap();
    return result;
  }
  const wrapped = await wrap();
  if (!wrapped) return result;
  const { value } = JSON.parse(wrapped.body.toString('utf8')) as { value: string };
  for (let done = 0; done < count; done++) await ask('POST', `${at}/unwrapkey`, { alg, value });
  return result;
}

function errorOf(reply: Reply): { code: string; message: string } {
  try {
    const { error } = JSON.parse(reply.body.toString('utf8')) as { error?: { code?: string; message?: string } };
    return { code: error?.code ?? '', message: error?.message ?? '' };
  } catch (error) {
    return { code: 'NotJson', message: String(error) };
  }
}
