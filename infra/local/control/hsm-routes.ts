import * as z from 'zod';
import { durationMs } from '../duration.ts';
import type { EstateServices } from '../estate-services.ts';
import { IDENTITIES, type IdentityName } from '../identity/registrations.ts';
import { HsmError } from '../managed-hsm/server.ts';
import { DUTIES } from '../seed/apply.ts';
import { parseKeySeed } from '../seed/seed.ts';
import { sendTraffic, TRAFFIC_OPERATIONS } from '../traffic.ts';
import { namedHsm } from './named-hsm.ts';
import { Problem, parseBody } from './problem.ts';
import type { Route } from './routes.ts';

const busyInput = z.strictObject({
  kind: z.enum(['backup', 'restore', 'none'], { error: 'is backup, restore or none' }),
  /** Of estate time; absent: until it is set to none. */
  for: z
    .string()
    .refine((text) => durationMs(text, new Date(0)) !== undefined, { error: 'is an ISO 8601 duration such as PT5M' })
    .optional(),
});

const trafficInput = z.strictObject({
  key: z.string().min(1),
  version: z.string().optional(),
  operation: z.enum(TRAFFIC_OPERATIONS, { error: `is one of ${TRAFFIC_OPERATIONS.join(', ')}` }),
  count: z.number().int().min(1).max(1000).default(1),
  identity: z
    .enum(Object.keys(IDENTITIES) as [IdentityName, ...IdentityName[]], {
      error: `is one of ${Object.keys(IDENTITIES).join(', ')}`,
    })
    .default('consumer'),
});

const hsmInput = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$/, { error: 'is 3 to 24 letters, digits and hyphens' }),
  activated: z.boolean().default(false),
  /** An HSM of the estate whose security domain the new one shares, as after a recovery; it is then activated. */
  securityDomainOf: z.string().optional(),
  purgeProtection: z.boolean().default(false),
  retentionDays: z.number().int().min(7).max(90).default(7),
  region: z.string().default('westeurope'),
  administrators: z.array(z.string()).min(1).default([IDENTITIES.administrator.objectId]),
  attach: z.array(z.enum(Object.keys(IDENTITIES) as [IdentityName, ...IdentityName[]])).default(['backup']),
});

export function hsmRoutes({ hsms, fleet, call, tokens, estate }: EstateServices): Route[] {
  const named = (params: Record<string, string>) => namedHsm(hsms, params.name);
  return [
    {
      method: 'POST',
      path: '/hsms',
      purpose:
        'Creates an HSM: not activated, as Azure does, or ready for a drill with the security domain of another.',
      example: { name: 'drill', securityDomainOf: 'contoso' },
      async act({ body }) {
        const { securityDomainOf, attach, activated, ...wish } = parseBody(hsmInput, body());
        if (hsms.some(({ name }) => name === wish.name) || fleet.deleted.has(wish.name)) {
          throw new Problem(409, 'ERR_NAME_TAKEN', `The name ${wish.name} is taken.`);
        }
        const domain = securityDomainOf === undefined ? undefined : namedHsm(hsms, securityDomainOf).securityDomain;
        const hsm = await fleet.create({
          ...{ ...wish, identities: attach, activated: activated || domain !== undefined },
          ...(domain ? { securityDomain: domain } : {}),
        });
        if (hsm.activated) await hsm.grant(DUTIES);
        return { name: hsm.name, uri: hsm.uri, resourceId: hsm.resourceId, activated: hsm.activated };
      },
    },
    {
      method: 'DELETE',
      path: '/hsms/{name}',
      purpose: 'Soft-deletes the HSM: it stops answering.',
      act: async ({ params }) => void (await fleet.remove(named(params).name)),
    },
    {
      method: 'GET',
      path: '/hsms/{name}/state',
      purpose: 'Everything the HSM knows, without key material.',
      act: ({ params }) => named(params).keys(),
    },
    {
      method: 'POST',
      path: '/hsms/{name}/busy',
      purpose: 'Makes the HSM act as during a backup or a restore, for a while of estate time.',
      example: { kind: 'restore', for: 'PT5M' },
      act({ params, body }) {
        const hsm = named(params);
        const { kind, for: length } = parseBody(busyInput, body());
        const now = estate.clock.now();
        const until = length === undefined ? undefined : new Date(now.getTime() + (durationMs(length, now) ?? 0));
        hsm.setBusy(kind === 'none' ? undefined : { kind, ...(until ? { until } : {}) });
      },
    },
    {
      method: 'POST',
      path: '/hsms/{name}/keys',
      purpose: 'Puts a key in as if it had always been there; the fields are those of a seed file.',
      example: {
        name: 'orders',
        kty: 'RSA-HSM',
        size: 2048,
        created: '-P340D',
        expires: 'P20D',
        tags: { owner: 'me@contoso.example' },
      },
      async act({ params, body }) {
        const hsm = named(params);
        const parsed = parseKeySeed(body());
        if (!parsed.success) {
          const faults = parsed.error.issues.map((issue) => ({
            field: issue.path.join('.') || 'body',
            rule: issue.message,
          }));
          throw new Problem(400, 'ERR_INPUT', 'The key is not valid.', faults);
        }
        await hsm.plant(parsed.data).catch((error: unknown) => {
          if (!(error instanceof HsmError)) throw error;
          throw new Problem(error.status, 'ERR_HSM', `${error.code}: ${error.message}`);
        });
        return { name: parsed.data.name };
      },
    },
    {
      method: 'POST',
      path: '/hsms/{name}/traffic',
      purpose: 'Consumer traffic through the HSM’s own address: every call becomes an audit row.',
      example: { key: 'sql-tde-core', operation: 'unwrap', count: 5 },
      act({ params, body }) {
        const { version, ...wish } = parseBody(trafficInput, body());
        return sendTraffic({
          ...wish,
          ...(version === undefined ? {} : { version }),
          hsm: named(params),
          call,
          tokens,
        });
      },
    },
  ];
}
