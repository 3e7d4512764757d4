import * as z from 'zod';
import { PARAMETERS } from '../detection/parameters.ts';
import type { PartialDetection } from './detection-section.ts';
import { count, day, instant, oneOf, text } from './schema-parts.ts';

const yesOrNo = z.boolean({ error: 'is true or false' });
const objectId = z.guid({ error: 'is an object id, a GUID' }).toLowerCase();
const list = <Item extends z.ZodType>(item: Item, of: string) => z.array(item, { error: `is a list of ${of}` });
const range = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], { error: 'is an IP address or range' });

const between = (least: number, most: number) => {
  const error = `is a number from ${least} to ${most}`;
  return z.number({ error }).min(least, { error }).max(most, { error });
};

const detector = (parameters: Record<string, { least: number; most: number; says: string }>) =>
  z.exactOptional(
    z.strictObject({
      on: z.exactOptional(yesOrNo).describe('Whether it judges'),
      suppressMinutes: z.exactOptional(count(0, 43_200)).describe('Repeats within so many minutes are not told'),
      parameters: z.exactOptional(
        z.strictObject(
          Object.fromEntries(
            Object.entries(parameters).map(([name, { least, most, says }]) => [
              name,
              z.exactOptional(between(least, most)).describe(says),
            ]),
          ),
        ),
      ),
    }),
  );

// Built from the one table of parameters, so that the types of its members are stated and not inferred.
const detectors = z.strictObject(
  Object.fromEntries(Object.entries(PARAMETERS).map(([id, parameters]) => [id, detector(parameters)])),
) as unknown as z.ZodType<NonNullable<PartialDetection['detectors']>>;

/** The section `detection` of the policy document. */
export const detection = z.strictObject({
  detectors: z.exactOptional(detectors).describe('What differs for single detectors'),
  calendar: z.exactOptional(
    z.strictObject({
      timeZone: z.exactOptional(text).describe('IANA name of a time zone'),
      holidays: z.exactOptional(list(day, 'days')).describe('Days that behave as a weekend'),
      monthEnd: z.exactOptional(
        z.strictObject({
          lastDays: z.exactOptional(count(0, 10)).describe('Busier days at the end of a month'),
          firstDays: z.exactOptional(count(0, 10)).describe('Busier days at its beginning'),
          factor: z.exactOptional(between(1, 20)).describe('How much busier'),
        }),
      ),
      workingHours: z.exactOptional(
        z.strictObject({
          from: z.exactOptional(count(0, 23)).describe('First full hour in which people work'),
          to: z.exactOptional(count(1, 24)).describe('Hour from which they do not'),
        }),
      ),
    }),
  ),
  decoyKeys: z.exactOptional(list(text, 'names of keys')).describe('Keys that nobody has business with'),
  backupContainers: z
    .exactOptional(
      list(
        text.regex(/^https:\/\/[^\s?#@]+\/[^\s?#@]+$/, { error: 'is the https address of a container, without query' }),
        'addresses of containers',
      ),
    )
    .describe('Where full backups may go, beside the landing container of this installation'),
  identities: z.exactOptional(
    list(
      z.strictObject({
        oid: objectId.describe('Object id'),
        name: text,
        kind: oneOf(['storage', 'sql', 'app', 'batch']),
        databases: z.exactOptional(count(1, 100_000)).describe('SQL only: each unwraps once at a failover'),
      }),
      'identities',
    ),
  ),
  announced: z.exactOptional(
    list(
      z.strictObject({
        oid: z.exactOptional(objectId).describe('Absent: any caller'),
        key: z.exactOptional(text).describe('Absent: any key'),
        from: instant,
        until: instant,
        why: text,
      }),
      'announced changes',
    ),
  ),
  tier0Classes: z.exactOptional(list(text, 'classes')).describe('Classes whose keys weigh more'),
  tier0Hsm: z.exactOptional(yesOrNo).describe('The whole HSM weighs more'),
  production: z.exactOptional(yesOrNo).describe("A test HSM's destruction weighs half"),
  network: z.exactOptional(
    z.strictObject({
      privateOnly: z.exactOptional(yesOrNo).describe('Only trusted services may come from a public address'),
      allowedRanges: z.exactOptional(list(range, 'ranges')).describe('Public ranges of ours'),
      threatRanges: z.exactOptional(list(range, 'ranges')).describe('Ranges that a list calls hostile'),
      trustedServices: z.exactOptional(list(text, 'services')).describe('Who may use the bypass; empty: any'),
    }),
  ),
  canary: z.exactOptional(
    z.strictObject({ oid: objectId, key: text, everyMinutes: count(1, 1440) }).describe('Our own regular call'),
  ),
  learning: z.exactOptional(
    z.strictObject({
      rulesOnlyDays: z.exactOptional(count(0, 90)).describe('Before it, rules alone judge'),
      noveltyDays: z.exactOptional(count(0, 90)).describe('From then on novelty judges'),
      volumeDays: z.exactOptional(count(0, 90)).describe('From then on volumes judge'),
    }),
  ),
  toleranceMinutes: z.exactOptional(count(0, 60)).describe('How far clocks of log and journal may differ'),
}) satisfies z.ZodType<PartialDetection>;

/** Examples by the last names of a path, where the last alone would be ambiguous. */
export const DETECTION_EXAMPLES: Record<string, string> = {
  detection: '{ "decoyKeys": ["payroll-old"], "calendar": { "timeZone": "Europe/Berlin" } }',
  detectors: '{ "denied-burst": { "parameters": { "least": 15 } } }',
  calendar: '{ "timeZone": "Europe/Berlin", "holidays": ["2026-12-25"] }',
  holidays: '["2026-12-25"]',
  workingHours: '{ "from": 7, "to": 19 }',
  'workingHours.from': '7',
  'workingHours.to': '19',
  decoyKeys: '["payroll-old"]',
  backupContainers: '["https://contosobackup.blob.core.windows.net/hsm-landing"]',
  identities: '[{ "oid": "00000000-0000-4000-8000-00000000a001", "name": "Storage", "kind": "storage" }]',
  oid: '00000000-0000-4000-8000-00000000a001',
  announced: '[{ "from": "2026-12-20T00:00Z", "until": "2026-12-21T00:00Z", "why": "Migration" }]',
  tier0Classes: '["tier0"]',
  allowedRanges: '["203.0.113.0/24"]',
  threatRanges: '["198.51.100.0/24"]',
  learning: '{ "rulesOnlyDays": 3, "noveltyDays": 14, "volumeDays": 21 }',
  ...Object.fromEntries(
    Object.entries(PARAMETERS).flatMap(([id, parameters]) =>
      Object.entries(parameters).map(([name, { value }]) => [`${id}.parameters.${name}`, String(value)]),
    ),
  ),
};
