import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccessToken, TokenCredential } from '@azure/identity';
import { CryptographyClient, KeyClient } from '@azure/keyvault-keys';
import { obtainCertificates } from '../../../../infra/local/certificates.ts';
import { createClock, type EstateClock } from '../../../../infra/local/clock.ts';
import type { AuditRow, Estate, Principal, Tls } from '../../../../infra/local/estate.ts';
import { createFaults } from '../../../../infra/local/faults.ts';
import {
  createManagedHsm,
  type ManagedHsm,
  type ManagedHsmOptions,
} from '../../../../infra/local/managed-hsm/server.ts';
import { trustAuthority } from '../../../../infra/local/trust.ts';

export const TENANT = '00000000-0000-0000-0000-00000000aaaa';
export const AUDIENCE = 'https://managedhsm.azure.net';
export const ADMIN = '11111111-1111-1111-1111-111111111111';
export const OFFICER = '22222222-2222-2222-2222-222222222222';
export const USER = '33333333-3333-3333-3333-333333333333';
/** Crypto User and Crypto Officer at once, as a client that deletes and recovers has to be. */
export const OWNER = '44444444-4444-4444-4444-444444444444';
export const NOBODY = '99999999-9999-9999-9999-999999999999';

export const CRYPTO_OFFICER = '515eb02d-2335-4d2d-92f2-b1cbdf9c3778';
export const CRYPTO_USER = '21dbd100-6940-42c2-9190-5d6cb909625b';
export const CRYPTO_AUDITOR = '2c18b078-7c48-4d3a-af88-5a3a1b3f82b3';

let tls: Promise<Tls> | undefined;

/** One authority for the file, trusted by this process, so that unmodified clients connect. */
const obtainTls = (): Promise<Tls> => {
  tls ??= (async () => {
    const directory = await mkdtemp(join(tmpdir(), 'managed-hsm-test-'));
    const made = await obtainCertificates(directory);
    await rm(directory, { recursive: true });
    trustAuthority(made.ca);
    return made;
  })();
  return tls;
};

/** A token in plain words, for the verifier below. */
export const token = (oid: string, options: { audience?: string; tenant?: string; expired?: boolean } = {}): string =>
  Buffer.from(JSON.stringify({ oid, audience: AUDIENCE, tenant: TENANT, ...options })).toString('base64url');

async function verify(text: string, audience: string): Promise<Principal> {
  const given = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  if (given.audience !== audience) throw new Error('The audience is wrong.');
  if (given.expired) throw new Error('The token has expired.');
  return { oid: given.oid, appid: `app-${given.oid}`, tid: given.tenant, name: given.oid, roles: [] };
}

export const credential = (oid: string): TokenCredential => ({
  getToken: async (): Promise<AccessToken> => ({ token: token(oid), expiresOnTimestamp: Date.now() + 3_600_000 }),
});

export interface Bench {
  hsm: ManagedHsm;
  clock: EstateClock;
  estate: Estate;
  rows: AuditRow[];
  client(oid?: string): KeyClient;
  cryptography(keyId: string, oid?: string): CryptographyClient;
  send(method: string, path: string, options?: SendOptions): Promise<Answered>;
}

export interface SendOptions {
  /** Default USER; null: no token. */
  as?: string | null;
  token?: string;
  body?: unknown;
  text?: string;
}

export interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  // The shape differs by route, and every expectation names what it looks at.
  body: { [member: string]: unknown } & { error?: { code: string; message: string; innererror?: { code: string } } };
}

/** A started HSM with an administrator, a Crypto Officer, a Crypto User and an owner at `/`. */
export async function startHsm(options: Partial<Omit<ManagedHsmOptions, 'estate'>> = {}): Promise<Bench> {
  const clock = createClock(Date.now);
  const rows: AuditRow[] = [];
  const estate: Estate = {
    clock,
    faults: createFaults(),
    tokens: { verify },
    audit: (row) => rows.push(row),
    tls: await obtainTls(),
    tenantId: TENANT,
  };
  const hsm = createManagedHsm({
    name: 'contoso',
    resourceId: '/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/managedHSMs/contoso',
    region: 'westeurope',
    retentionDays: 7,
    purgeProtection: false,
    port: 0,
    administrators: [ADMIN],
    ...options,
    estate,
  });
  await hsm.start();
  for (const principalId of [OFFICER, OWNER]) {
    hsm.seedAssignment({ principalId, roleDefinitionId: CRYPTO_OFFICER, scope: '/' });
  }
  for (const principalId of [USER, OWNER]) {
    hsm.seedAssignment({ principalId, roleDefinitionId: CRYPTO_USER, scope: '/' });
  }
  return {
    hsm,
    clock,
    estate,
    rows,
    client: (oid = USER) => new KeyClient(hsm.uri, credential(oid), { retryOptions: { maxRetries: 0 } }),
    cryptography: (keyId, oid = USER) =>
      new CryptographyClient(keyId, credential(oid), { retryOptions: { maxRetries: 0 } }),
    send: (method, path, sent) => send(hsm, method, path, sent),
  };
}

/** One call on the wire. Adds the api-version where the path has none. */
export async function send(
  hsm: ManagedHsm,
  method: string,
  path: string,
  options: SendOptions = {},
): Promise<Answered> {
  const url = new URL(`${hsm.uri}${path}`);
  if (!url.searchParams.has('api-version')) url.searchParams.set('api-version', '2025-07-01');
  const given = options.token ?? (options.as === null ? undefined : token(options.as ?? USER));
  const body = options.text ?? (options.body === undefined ? '' : JSON.stringify(options.body));
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(
      url,
      {
        method,
        headers: {
          ...(given === undefined ? {} : { authorization: `Bearer ${given}` }),
          ...(body ? { 'content-type': 'application/json' } : {}),
          'content-length': String(Buffer.byteLength(body)),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            body: text.startsWith('{') ? JSON.parse(text) : {},
          });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Lets the real event loop run until `seen` answers true; the estate's clock does not move. */
export async function until(seen: () => boolean): Promise<void> {
  for (let turn = 0; !seen(); turn++) {
    if (turn > 2000) throw new Error('It never happened.');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
