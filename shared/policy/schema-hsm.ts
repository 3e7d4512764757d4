import * as z from 'zod';
import type { HsmSections } from './document.ts';
import { DETECTION_EXAMPLES, detection } from './schema-detection.ts';
import { amount, count, day, duration, localTime, oneOf, region, text } from './schema-parts.ts';
import { RESPONSE_EXAMPLES, response } from './schema-response.ts';

const backup = z.strictObject({
  mode: z.exactOptional(oneOf(['on', 'off'])).describe('off: taken only when a person asks'),
  schedule: z
    .exactOptional(
      z.strictObject({
        every: duration.describe('Time between two backups: one hour to 31 days'),
        at: z.exactOptional(localTime).describe('Local time HH:MM, where every is whole days'),
        timeZone: z.exactOptional(text).describe('IANA name of a time zone'),
        starts: z.exactOptional(day).describe('Day from which is counted, YYYY-MM-DD'),
      }),
    )
    .describe('When backups are due'),
  rpo: z.exactOptional(duration).describe('How old the newest backup may be'),
  lock: z.exactOptional(duration).describe('How long copies are locked against change and deletion'),
  retention: z
    .exactOptional(
      z.strictObject({
        last: z.exactOptional(count(0, 1000)).describe('The newest ones'),
        daily: z.exactOptional(count(0, 1000)).describe('The newest of each of so many days'),
        weekly: z.exactOptional(count(0, 1000)).describe('The newest of each of so many weeks'),
        monthly: z.exactOptional(count(0, 1000)).describe('The newest of each of so many months'),
        yearly: z.exactOptional(count(0, 100)).describe('The newest of each of so many years'),
      }),
    )
    .describe('Which backups are kept; never fewer than the newest proven one'),
  retryAfter: z.exactOptional(duration).describe('How long after a failure a backup is tried again'),
  retries: z.exactOptional(count(0, 24)).describe('How often it is tried again'),
});

const drills = z.strictObject({
  mode: z.exactOptional(oneOf(['on', 'off'])).describe('off: rehearsed only when a person asks'),
  every: z.exactOptional(duration).describe('Time between two drills'),
  pick: z.exactOptional(oneOf(['latest', 'random'])).describe('Which backup of the window is restored'),
  window: z.exactOptional(duration).describe('How far back a backup may be picked from: 1 to 365 days'),
  proofInterval: z.exactOptional(duration).describe('How long a drill that passed counts as proof'),
  target: z
    .exactOptional(
      z.discriminatedUnion(
        'kind',
        [
          z.strictObject({ kind: z.literal('standing'), hsm: text.describe('Name of the HSM kept for drills') }),
          z.strictObject({
            kind: z.literal('temporary'),
            region,
            softDeleteDays: count(7, 90).describe('Retention of the removed HSM; every day is billed'),
          }),
        ],
        { error: 'is a target with the kind standing or temporary' },
      ),
    )
    .describe('Where a drill restores to'),
  rto: z.exactOptional(duration).describe('How long a restore may take until it is verified'),
  holdersWithin: z.exactOptional(duration).describe('How long a drill on a temporary HSM waits for its people'),
  administratorIds: z
    .exactOptional(z.array(z.guid({ error: 'is an object id' }), { error: 'is a list of object ids' }))
    .describe('Who administers a temporary HSM beside the administrators of its source, by object id'),
  pricePerHour: z.exactOptional(amount).describe('What one HSM costs in an hour'),
  currency: z
    .exactOptional(
      z.string({ error: 'is a currency' }).regex(/^[A-Z]{3}$/, { error: 'is a currency code of three letters' }),
    )
    .describe('ISO 4217 code'),
  budget: z.exactOptional(amount).describe('What one drill may cost'),
});

const custody = z.strictObject({
  sightingValid: z.exactOptional(duration).describe('How long a share counts as reachable after somebody saw it'),
  margin: z.exactOptional(count(0, 8)).describe('Reachable shares beyond the quorum; fewer raise the alarm'),
  expiryWarning: z.exactOptional(duration).describe('How long before a wrapping certificate expires to remind'),
  reviewEvery: z.exactOptional(duration).describe('How often custody is reviewed'),
});

const recovery = z.strictObject({
  approvalLasts: z.exactOptional(duration).describe('How long the approval of a restore stays good'),
  thirtyMinuteRule: z
    .exactOptional(oneOf(['ask', 'atLeast', 'within']))
    .describe('How old the safety backup of the target must be; ask: try, and do what the service answers'),
  administrators: z.exactOptional(count(1, 50)).describe('People who can act as Managed HSM Administrator'),
  region: z.exactOptional(region).describe('Where a new HSM is made'),
});

const geography = z.strictObject({
  regions: z
    .exactOptional(z.array(region, { error: 'is a list of Azure regions' }))
    .describe('Regions that may hold copies; none: the region of the HSM alone'),
});

/** The sections that hold for an HSM as a whole, at the top of the document and in `hsms` entries. */
export const hsmSections = {
  backup: z.exactOptional(backup),
  drills: z.exactOptional(drills),
  custody: z.exactOptional(custody),
  recovery: z.exactOptional(recovery),
  geography: z.exactOptional(geography),
  response: z.exactOptional(response),
  detection: z.exactOptional(detection),
} satisfies Record<keyof HsmSections, z.ZodType>;

/** One example a field, told with a fault. */
export const HSM_EXAMPLES: Record<string, string> = {
  hsms: '[{ "match": "contoso-*", "backup": { "rpo": "P1D" } }]',
  backup: '{ "schedule": { "every": "P1D", "at": "02:00", "timeZone": "Europe/Berlin" }, "rpo": "P2D" }',
  schedule: '{ "every": "P1D", "at": "02:00", "timeZone": "Europe/Berlin" }',
  every: 'P1D',
  at: '02:00',
  starts: '2026-03-01',
  rpo: 'P2D',
  lock: 'P30D',
  retention: '{ "last": 3, "daily": 14, "weekly": 8, "monthly": 12, "yearly": 3 }',
  last: '3',
  daily: '14',
  weekly: '8',
  monthly: '12',
  yearly: '3',
  retryAfter: 'PT1H',
  retries: '3',
  drills: '{ "mode": "on", "every": "P90D", "target": { "kind": "standing", "hsm": "contoso-drill" } }',
  pick: 'latest',
  window: 'P30D',
  proofInterval: 'P100D',
  target: '{ "kind": "standing", "hsm": "contoso-drill" }',
  kind: 'standing',
  softDeleteDays: '7',
  rto: 'PT8H',
  holdersWithin: 'P3D',
  administratorIds: '["00000000-0000-4000-8000-000000000000"]',
  pricePerHour: '3.42',
  currency: 'USD',
  budget: '700',
  custody: '{ "margin": 1, "reviewEvery": "P3M" }',
  sightingValid: 'P100D',
  margin: '1',
  expiryWarning: 'P60D',
  reviewEvery: 'P3M',
  recovery: '{ "approvalLasts": "PT8H" }',
  approvalLasts: 'PT8H',
  thirtyMinuteRule: 'ask',
  administrators: '2',
  region: 'westeurope',
  geography: '{ "regions": ["westeurope", "northeurope"] }',
  regions: '["westeurope", "northeurope"]',
  ...RESPONSE_EXAMPLES,
  ...DETECTION_EXAMPLES,
};
