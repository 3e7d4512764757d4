import * as z from 'zod';
import { badParameter } from './errors.ts';
import { MAX_RANDOM_BYTES, MAX_TAG_LENGTH, MAX_TAGS } from './limits.ts';

type Optional<T> = { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };
type Given<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] };
type Present<T> = { [K in keyof (Given<T> & Optional<T>)]: (Given<T> & Optional<T>)[K] };

/** Clients write null for what they leave out: such members are dropped, here and in `object`. */
const optional = <T extends z.ZodType>(schema: T) =>
  schema
    .nullish()
    .transform((value): NonNullable<z.output<T>> | undefined => value ?? undefined)
    .optional();

const object = <T extends z.ZodRawShape>(shape: T) =>
  z
    .object(shape)
    .transform((given) => Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)))
    .transform((given) => given as Present<z.output<z.ZodObject<T>>>);

/** To the end of the year 9999, so that every instant is a date. */
const unixSeconds = z.int().min(0).max(253_402_300_799);
const tagText = z.string().max(MAX_TAG_LENGTH);

const tags = z
  .record(tagText, tagText)
  .refine((given) => Object.keys(given).length <= MAX_TAGS, { error: `A key has at most ${MAX_TAGS} tags.` });

const attributes = object({
  enabled: optional(z.boolean()),
  exp: optional(unixSeconds),
  nbf: optional(unixSeconds),
  exportable: optional(z.boolean()),
});

const releasePolicy = object({
  contentType: optional(z.string()),
  data: z.string(),
  immutable: optional(z.boolean()),
});

const about = { attributes: optional(attributes), tags: optional(tags), release_policy: optional(releasePolicy) };
const keyOps = optional(z.array(z.string()));

export const createBody = object({
  ...about,
  kty: z.string(),
  key_size: optional(z.int()),
  crv: optional(z.string()),
  key_ops: keyOps,
  public_exponent: optional(z.int()),
});

const text = optional(z.string());

export const importBody = object({
  ...about,
  key: object({
    ...{ kty: z.string(), key_ops: keyOps, crv: text, key_hsm: text },
    ...{ n: text, e: text, d: text, p: text, q: text, dp: text, dq: text, qi: text, x: text, y: text, k: text },
  }),
});

export const updateBody = object({ ...about, key_ops: keyOps });

const duration = optional(z.string());

export const rotationPolicyBody = object({
  lifetimeActions: optional(
    z.array(
      object({
        trigger: optional(object({ timeAfterCreate: duration, timeBeforeExpiry: duration })),
        action: optional(object({ type: text })),
      }),
    ),
  ),
  attributes: optional(object({ expiryTime: duration })),
});

const actions = optional(z.array(z.string()));

export const roleDefinitionBody = object({
  properties: object({
    roleName: text,
    description: text,
    assignableScopes: optional(z.array(z.string())),
    permissions: optional(
      z.array(object({ actions, dataActions: actions, notActions: actions, notDataActions: actions })),
    ),
  }),
});

export const roleAssignmentBody = object({
  properties: object({ principalId: z.string().min(1), roleDefinitionId: z.string().min(1) }),
});

export const settingBody = object({ value: z.string() });
export const randomBytesBody = object({ count: z.int().min(1).max(MAX_RANDOM_BYTES) });
/** Members of cryptography and of a key backup are checked where they are decoded. */
export const anyBody = z.record(z.string(), z.unknown());

export type CreateBody = z.infer<typeof createBody>;
export type ImportBody = z.infer<typeof importBody>;
export type UpdateBody = z.infer<typeof updateBody>;
export type RotationPolicyBody = z.infer<typeof rotationPolicyBody>;
export type RoleDefinitionBody = z.infer<typeof roleDefinitionBody>;
export type RoleAssignmentBody = z.infer<typeof roleAssignmentBody>;

/** The body as the schema says. Throws 400 that names the first fault; the texts are ours. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badParameter(`${issue?.path.join('.') || 'The body'}: ${issue?.message ?? 'not valid'}`);
}

export const parseTags = (given: unknown): Record<string, string> | undefined => parseBody(optional(tags), given);
