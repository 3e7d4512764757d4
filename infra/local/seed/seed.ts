import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { durationMs } from '../duration.ts';
import { IDENTITIES, type IdentityName } from '../identity/registrations.ts';
import { demoSeed, singleSeed } from './demo.ts';
import { drillSeed } from './drill.ts';
import { hsmResourceId } from './resource-id.ts';

/** ISO instant, or a signed ISO duration from the start of the estate: `P12D` ahead, `-P90D` ago. */
const when = z
  .string()
  .refine((text) => durationMs(text, new Date(0)) !== undefined || !Number.isNaN(Date.parse(text)), {
    error: 'is an ISO instant or a signed ISO duration from now, such as P12D or -P90D',
  });

const rotationPolicy = z.strictObject({
  /** Validity of each new version. */
  expiryTime: z.string().optional(),
  rotate: z
    .strictObject({ timeAfterCreate: z.string().optional(), timeBeforeExpiry: z.string().optional() })
    .optional(),
});

const keySeed = z.strictObject({
  name: z.string().regex(/^[0-9A-Za-z-]{1,127}$/, { error: 'is 1 to 127 letters, digits and hyphens' }),
  kty: z.enum(['RSA-HSM', 'EC-HSM', 'oct-HSM']),
  size: z
    .union([z.literal(128), z.literal(192), z.literal(256), z.literal(2048), z.literal(3072), z.literal(4096)])
    .optional(),
  crv: z.enum(['P-256', 'P-256K', 'P-384', 'P-521']).optional(),
  keyOps: z.array(z.string()).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  enabled: z.boolean().optional(),
  /** Of the newest version; the ones before it are spread over the time before. */
  created: when.optional(),
  expires: when.optional(),
  notBefore: when.optional(),
  versions: z.number().int().min(1).max(100).optional(),
  imported: z.boolean().optional(),
  rotationPolicy: rotationPolicy.optional(),
});

const roleAssignment = z.strictObject({
  identity: z.enum(Object.keys(IDENTITIES) as [IdentityName, ...IdentityName[]]),
  /** Display name of a built-in or custom role. */
  role: z.string(),
  scope: z.string().regex(/^\/(keys(\/[0-9A-Za-z-]+)?)?$/, { error: 'is /, /keys or /keys/{name}' }),
});

const hsmSeed = z.strictObject({
  name: z.string().regex(/^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$/),
  resourceId: z.string(),
  keys: z.array(keySeed),
  /** An HSM named before this one, whose security domain it shares as after a recovery; absent: a domain of its own. */
  securityDomainOf: z.string().optional(),
  /** Beside the assignments of the duties, which every HSM of the estate has. */
  assignments: z.array(roleAssignment).optional(),
});

const seedDocument = z.strictObject({
  hsms: z.array(hsmSeed).min(1),
  /** Path of the policy document, relative to the project; absent: the demo's. */
  policyFile: z.string().optional(),
});

export type KeySeed = z.infer<typeof keySeed>;
export type HsmSeed = z.infer<typeof hsmSeed>;
export type Seed = z.infer<typeof seedDocument>;
export type AssignmentSeed = z.infer<typeof roleAssignment>;

/** The seed of that name, or the one in that file. Throws an Error that names every fault of a file. */
export async function obtainSeed(name: string): Promise<Seed> {
  if (name === 'empty') return { hsms: [{ name: 'contoso', resourceId: hsmResourceId('contoso'), keys: [] }] };
  if (name === 'demo') return demoSeed();
  if (name === 'single') return singleSeed();
  if (name === 'drill') return drillSeed();
  const text = await readFile(name, 'utf8').catch((error: unknown) => {
    throw new Error(`The seed is empty, demo, single, drill or a file; ${name} cannot be read: ${String(error)}`);
  });
  const parsed = seedDocument.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(`The seed ${name} is not valid:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** The one check of a key seed for every door that takes one: files and the control surface. */
export const parseKeySeed = (value: unknown) => keySeed.safeParse(value);

/** The instant a seed means, seen from `now`. */
export function instantOf(text: string, now: Date): Date {
  const ms = durationMs(text, now);
  return ms === undefined ? new Date(text) : new Date(now.getTime() + ms);
}
