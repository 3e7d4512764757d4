import * as z from 'zod';
import { drillHsmFaults } from './check-drill-hsm.ts';
import { hsmRuleFaults } from './check-hsm-rule.ts';
import { ruleFaults } from './check-rule.ts';
import { BUILT_IN_ROTATION, type PartialRule, type PolicyDocument, type PolicyFault } from './document.ts';
import { mergeHsmSections } from './effective-hsm-rule.ts';
import { BUILT_IN_HSM_RULE } from './hsm-rule.ts';
import { mergeRotation } from './merge-rule.ts';
import { nearestName } from './nearest-name.ts';
import { HSM_EXAMPLES, hsmSections } from './schema-hsm.ts';
import { duration, instant, localTime, oneOf, pattern, text } from './schema-parts.ts';

const mail = z.email({ error: 'is a mail address' });
const mails = z.array(mail, { error: 'is a list of mail addresses' }).min(1, { error: 'names one address at least' });
const window = z.strictObject({
  days: z
    .array(oneOf(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']), { error: 'is a list of days' })
    .min(1, { error: 'names one day at least' })
    .describe('Days on which the window opens'),
  opens: localTime,
  lasts: duration.describe('ISO 8601 duration, at most 24 hours'),
  timeZone: text.describe('IANA name of a time zone'),
});

const blackout = z.strictObject({ from: instant, until: instant, reason: text.describe('Told to whoever waits') });

const rotation = z.strictObject({
  mode: z
    .exactOptional(oneOf(['rotate', 'remind', 'off']))
    .describe('remind tells the owner; off leaves the key alone'),
  before: z.exactOptional(duration).describe('How long before expiry a key becomes due'),
  maximumAge: z
    .exactOptional(duration.nullable())
    .describe('Rotate when the version is older than this; null: never by age'),
  validity: z.exactOptional(duration).describe('Life of each new version, 28 days at least'),
  backstop: z
    .exactOptional(duration.nullable())
    .describe('The HSM rotates by itself this long before expiry; null: never'),
  jitter: z.exactOptional(duration).describe('Spreads the due instants of a fleet over this span'),
  windows: z.exactOptional(z.array(window)).describe('Maintenance windows; none: any time'),
  blackouts: z.exactOptional(z.array(blackout)).describe('Spans without rotation'),
  proof: z
    .exactOptional(oneOf(['required', 'whenPossible']))
    .describe('required: a version that cannot be proven is a failure'),
  backupFirst: z
    .exactOptional(z.boolean({ error: 'is true or false' }))
    .describe('Keep a key-level backup before rotating'),
  drift: z.exactOptional(oneOf(['repair', 'tell'])).describe("What to do when the HSM's own rotation policy differs"),
  plannedLife: z.exactOptional(duration).describe('How long the key is meant to live'),
  budgetWarning: z.exactOptional(duration).describe('Warn when the last of 100 versions is nearer than this'),
  adoption: z
    .exactOptional(
      z.strictObject({
        lookBack: z.exactOptional(duration).describe('Callers are looked for from so long before the rotation'),
        silence: z.exactOptional(duration).describe('A caller silent for so long is not waited for'),
      }),
    )
    .describe('When everybody counts as using the new version'),
  retirement: z
    .exactOptional(
      z.strictObject({
        grace: z.exactOptional(duration).describe('No use to protect for so long, beyond the silence of adoption'),
        approvalLasts: z.exactOptional(duration).describe('How long an approval is waited for'),
        watch: z.exactOptional(duration).describe('Enabled again when a call misses it within this time'),
      }),
    )
    .describe('When an old version may be disabled'),
});

const notice = z.strictObject({
  notify: z.exactOptional(mails).describe('Who is told'),
  owner: z.exactOptional(text).describe('A name from owners.names'),
});

const yesOrNo = z.boolean({ error: 'is true or false' });
const patterns = z.array(pattern, { error: 'is a list of name patterns' });

const webhookRoute = z.strictObject({
  types: z.exactOptional(patterns).describe('Types of events and kinds of notices, such as Backup*'),
  hsm: z.exactOptional(pattern).describe('Only what concerns these HSMs, or none'),
  events: z.exactOptional(yesOrNo).describe('Whether it gets events'),
  notices: z.exactOptional(yesOrNo).describe('Whether it gets notices'),
  severity: z.exactOptional(oneOf(['info', 'attention', 'critical'])).describe('Least severity of a notice'),
});

const partialRule = { rotation: z.exactOptional(rotation), notice: z.exactOptional(notice) };

const document = z.strictObject({
  $schema: z.exactOptional(z.string()),
  version: z.literal(1, { error: 'is 1, the only version there is' }),
  defaults: z.exactOptional(z.strictObject(partialRule)),
  classes: z.exactOptional(z.record(text, z.strictObject(partialRule))),
  keys: z.exactOptional(
    z.array(
      z.strictObject({ match: pattern, hsm: z.exactOptional(pattern), class: z.exactOptional(text), ...partialRule }),
    ),
  ),
  hsms: z.exactOptional(z.array(z.strictObject({ match: pattern, notice: z.exactOptional(notice), ...hsmSections }))),
  ...hsmSections,
  owners: z.strictObject(
    {
      fallback: mails.describe('Who is told when nobody else is named'),
      names: z.exactOptional(z.record(text, mails)).describe('Owners by the name that tags and rules use'),
      webhooks: z
        .exactOptional(z.record(text, webhookRoute))
        .describe('What each webhook of the settings is told; one that is not named is told everything'),
    },
    { error: 'is an object with the addresses of last resort' },
  ),
}) satisfies z.ZodType<PolicyDocument>;

export type ParsedPolicy =
  | { kind: 'valid'; policy: PolicyDocument }
  /** `policy`: each field is well formed, and together they contradict each other or the installation. */
  | { kind: 'invalid'; faults: PolicyFault[]; policy?: PolicyDocument };

/**
 * Reads a policy document and lists everything wrong with it at once. `hsms` are the names of those that the installation
 * looks after; none: what depends on them is not checked. Never throws.
 */
export function parsePolicy(json: string, hsms: readonly string[] = []): ParsedPolicy {
  let raw: unknown;
  try {
    raw = JSON.parse(json);
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    return { kind: 'invalid', faults: [{ path: '', rule: 'is a JSON document', got, example: MINIMAL }] };
  }
  const parsed = document.safeParse(raw);
  if (!parsed.success)
    return { kind: 'invalid', faults: parsed.error.issues.flatMap((issue) => shapeFaults(raw, issue)) };
  const policy = parsed.data;
  const faults = [
    ...referenceFaults(policy),
    ...contradictions(policy),
    ...hsmContradictions(policy),
    ...drillHsmFaults(policy, hsms),
  ];
  return faults.length > 0 ? { kind: 'invalid', faults, policy } : { kind: 'valid', policy };
}

/** The document's JSON Schema (draft 2020-12), for editors. Rules between fields are checked by parsePolicy only. */
export const jsonSchema = () => z.toJSONSchema(document);

/** Classes and owners that are named but not described. */
function referenceFaults(policy: PolicyDocument): PolicyFault[] {
  const faults: PolicyFault[] = [];
  const owners = Object.keys(policy.owners.names ?? {});
  const classes = Object.keys(policy.classes ?? {});
  const entries = (policy.hsms ?? []).map((rule, index) => ({ path: `hsms[${index}]`, rule }));
  for (const { path, rule } of [...partialRules(policy), ...entries]) {
    const owner = rule.notice?.owner;
    if (owner === undefined || owners.includes(owner)) continue;
    const [first = 'add it there'] = owners;
    faults.push({ path: `${path}.notice.owner`, rule: 'is a name of owners.names', got: shown(owner), example: first });
  }
  const named = [
    ...(policy.keys ?? []).map((entry, index) => ({ path: `keys[${index}].class`, name: entry.class })),
    ...[{ path: '', rule: policy }, ...entries.map(({ path, rule }) => ({ path: `${path}.`, rule }))].flatMap(
      ({ path, rule }) =>
        (rule.detection?.tier0Classes ?? []).map((name, index) => ({
          path: `${path}detection.tier0Classes[${index}]`,
          name,
        })),
    ),
  ];
  for (const { path, name } of named) {
    if (name === undefined || classes.includes(name)) continue;
    const meant = nearestName(name, classes);
    const rule = `is a class of classes${meant === undefined ? '' : `: did you mean ${meant}?`}`;
    faults.push({ path, rule, got: shown(name), example: meant ?? classes[0] ?? 'describe it there' });
  }
  return faults;
}

/**
 * Every rule that the document itself puts together is free of contradictions: the defaults, each class over them, each
 * `keys` entry over its class. What tags add is checked key by key.
 */
function contradictions(policy: PolicyDocument): PolicyFault[] {
  const base = mergeRotation(BUILT_IN_ROTATION, policy.defaults?.rotation);
  const inherited = new Set<string>();
  const faults: PolicyFault[] = [];
  const check = (path: string, rotation: typeof base) => {
    for (const { field, rule, got, example } of ruleFaults(rotation)) {
      // A contradiction in the defaults would otherwise be told again for every class that inherits it.
      const same = `${field} ${rule} ${got}`;
      if (inherited.has(same)) continue;
      inherited.add(same);
      faults.push({ path: `${path}.${field}`, rule, got: shown(got), example });
    }
  };
  check('defaults', base);
  for (const [name, rule] of Object.entries(policy.classes ?? {})) {
    check(`classes.${name}`, mergeRotation(base, rule.rotation));
  }
  for (const [index, entry] of (policy.keys ?? []).entries()) {
    const ofClass = entry.class === undefined ? undefined : policy.classes?.[entry.class]?.rotation;
    check(`keys[${index}]`, mergeRotation(mergeRotation(base, ofClass), entry.rotation));
  }
  return faults;
}

/** The sections of the document over the built-in ones, then each `hsms` entry over those. */
function hsmContradictions(policy: PolicyDocument): PolicyFault[] {
  const base = mergeHsmSections(BUILT_IN_HSM_RULE, policy);
  const inherited = new Set<string>();
  const check = (prefix: string, sections: typeof base): PolicyFault[] =>
    hsmRuleFaults(sections).flatMap(({ field, rule, got, example }) => {
      const same = `${field} ${rule} ${got}`;
      if (inherited.has(same)) return [];
      inherited.add(same);
      return [{ path: `${prefix}${field}`, rule, got: shown(got), example }];
    });
  return [
    ...check('', base),
    ...(policy.hsms ?? []).flatMap((entry, index) => check(`hsms[${index}].`, mergeHsmSections(base, entry))),
  ];
}

function partialRules(policy: PolicyDocument): { path: string; rule: PartialRule }[] {
  return [
    ...(policy.defaults === undefined ? [] : [{ path: 'defaults', rule: policy.defaults }]),
    ...Object.entries(policy.classes ?? {}).map(([name, rule]) => ({ path: `classes.${name}`, rule })),
    ...(policy.keys ?? []).map((rule, index) => ({ path: `keys[${index}]`, rule })),
  ];
}

type Issue = z.core.$ZodIssue;

function shapeFaults(raw: unknown, issue: Issue): PolicyFault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      const meant = nearestName(
        key,
        Object.keys(EXAMPLES).filter((name) => !name.includes('.')),
      );
      const hint =
        meant === undefined
          ? 'remove it'
          : meant === key
            ? 'one of that name stands in another section'
            : `did you mean ${meant}?`;
      const example = EXAMPLES[meant ?? ''] ?? MINIMAL;
      return {
        path: printPath(path),
        rule: `is no field of the policy: ${hint}`,
        got: shown(valueAt(raw, path)),
        example,
      };
    });
  }
  const got = valueAt(raw, issue.path);
  const rule = got === undefined ? 'is required' : issue.message;
  return [{ path: printPath(issue.path), rule, got: shown(got), example: exampleOf(issue.path) }];
}

/** The most exact one: a parameter's name alone is shared by several detectors. */
function exampleOf(path: readonly PropertyKey[]): string {
  const names = path.filter((step) => typeof step === 'string');
  const tails = [3, 2, 1].map((length) => names.slice(-length).join('.'));
  return EXAMPLES[tails.find((tail) => Object.hasOwn(EXAMPLES, tail)) ?? ''] ?? MINIMAL;
}

const printPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : `${text}${text && '.'}${String(step)}`),
    '',
  );

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, step) ? Reflect.get(value, step) : undefined,
    raw,
  );
}

/** As in the document, shortened: a fault is told by mail. */
function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

const MINIMAL = '{ "version": 1, "owners": { "fallback": ["keys@example.org"] } }';

const EXAMPLES: Record<string, string> = {
  ...HSM_EXAMPLES,
  version: '1',
  defaults: '{ "rotation": { "before": "P30D" } }',
  classes: '{ "tier0": { "rotation": { "validity": "P90D" } } }',
  keys: '[{ "match": "payments-*", "class": "tier0" }]',
  owners: '{ "fallback": ["keys@example.org"] }',
  fallback: '["keys@example.org"]',
  names: '{ "Payments": ["payments@example.org"] }',
  webhooks: '{ "soc": { "types": ["Incident*", "QuorumAtRisk"], "severity": "attention" } }',
  types: '["Backup*", "KeyRotated"]',
  events: 'true',
  notices: 'true',
  severity: 'attention',
  notify: '["payments@example.org"]',
  owner: 'Payments',
  match: 'payments-*',
  hsm: 'contoso-*',
  class: 'tier0',
  rotation: '{ "before": "P30D", "validity": "P1Y" }',
  notice: '{ "notify": ["payments@example.org"] }',
  mode: 'rotate',
  before: 'P30D',
  maximumAge: 'P180D',
  validity: 'P1Y',
  backstop: 'P7D',
  jitter: 'P2D',
  windows: '[{ "days": ["Sat"], "opens": "22:00", "lasts": "PT4H", "timeZone": "Europe/Berlin" }]',
  days: '["Sat", "Sun"]',
  opens: '22:00',
  lasts: 'PT4H',
  timeZone: 'Europe/Berlin',
  blackouts: '[{ "from": "2026-12-20T00:00Z", "until": "2027-01-04T00:00Z", "reason": "Year-end freeze" }]',
  from: '2026-12-20T00:00Z',
  until: '2027-01-04T00:00Z',
  reason: 'Year-end freeze',
  proof: 'whenPossible',
  backupFirst: 'true',
  drift: 'repair',
  plannedLife: 'P10Y',
  budgetWarning: 'P1Y',
  adoption: '{ "lookBack": "P35D", "silence": "P35D" }',
  lookBack: 'P35D',
  silence: 'P35D',
  retirement: '{ "grace": "P7D", "approvalLasts": "P3D", "watch": "P2D" }',
  grace: 'P7D',
  watch: 'P2D',
};
