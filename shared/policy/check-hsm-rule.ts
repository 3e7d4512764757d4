import { addDuration, durationInDays, parseDay, parseDuration } from '../time.ts';
import { isTimeZone } from '../time-zone.ts';
import { detectionFaults } from './check-detection.ts';
import type { RuleFault } from './check-rule.ts';
import type { HsmRule } from './hsm-rule.ts';

type Sections = Omit<HsmRule, 'notice'>;

/** Everything that contradicts itself in the rule of one HSM whose fields are each well formed. */
export const hsmRuleFaults = (rule: Sections): RuleFault[] => [
  ...scheduleFaults(rule),
  ...retentionFaults(rule),
  ...drillFaults(rule),
  ...custodyFaults(rule),
  ...recoveryFaults(rule),
  ...responseFaults(rule),
  ...detectionFaults(rule.detection),
];

const limit = (field: string, rule: string, got: string, example: string): RuleFault => ({
  kind: 'Limit',
  field,
  rule,
  got,
  example,
});

const SHORTEST_EVERY = 1 / 24;
const LONGEST_EVERY = 31;

function scheduleFaults({ backup }: Sections): RuleFault[] {
  const { every, at, timeZone, starts } = backup.schedule;
  const faults: RuleFault[] = [];
  const days = durationInDays(every);
  const parts = parseDuration(every);
  if (parts !== undefined && (parts.years > 0 || parts.months > 0)) {
    faults.push(limit('backup.schedule.every', 'is made of weeks, days, hours and minutes', every, 'P7D'));
  } else if (days < SHORTEST_EVERY || days > LONGEST_EVERY) {
    faults.push(limit('backup.schedule.every', 'is one hour at least and 31 days at most', every, 'P1D'));
  }
  if (at !== undefined && !Number.isInteger(days)) {
    faults.push(
      limit('backup.schedule.at', `stands only beside whole days, and every is ${every}`, at, 'leave it out'),
    );
  }
  if (!isTimeZone(timeZone)) {
    faults.push(limit('backup.schedule.timeZone', 'is the IANA name of a time zone', timeZone, 'Europe/Berlin'));
  }
  if (parseDay(starts) === undefined) {
    faults.push(limit('backup.schedule.starts', 'is an existing day', starts, '2026-03-01'));
  }
  if (backup.mode === 'on' && durationInDays(backup.rpo) < days) {
    const text = `is no shorter than the schedule (${every}), or it is breached between any two backups`;
    faults.push(limit('backup.rpo', text, backup.rpo, every));
  }
  return faults;
}

function retentionFaults({ backup }: Sections): RuleFault[] {
  const faults: RuleFault[] = [];
  const { retention, lock } = backup;
  if (Object.values(retention).every((count) => count === 0)) {
    faults.push(limit('backup.retention', 'keeps one backup at least', JSON.stringify(retention), '{ "daily": 14 }'));
  }
  if (durationInDays(lock) < 1) {
    // Blob Storage counts time-based immutability in whole days.
    faults.push(limit('backup.lock', 'is one day at least', lock, 'P30D'));
  }
  return faults;
}

function drillFaults({ drills, geography }: Sections): RuleFault[] {
  const faults: RuleFault[] = [];
  const window = durationInDays(drills.window);
  if (window < 1 || window > 365) {
    faults.push(limit('drills.window', 'is 1 to 365 days', drills.window, 'P30D'));
  }
  if (durationInDays(drills.every) < 1) {
    faults.push(limit('drills.every', 'is one day at least', drills.every, 'P90D'));
  }
  if (drills.mode === 'on' && durationInDays(drills.proofInterval) < durationInDays(drills.every)) {
    const text = `is no shorter than the time between two drills (${drills.every})`;
    faults.push(limit('drills.proofInterval', text, drills.proofInterval, drills.every));
  }
  const patience = durationInDays(drills.holdersWithin);
  if (patience < 1 / 24 || patience > 30) {
    // The HSM is billed while it waits.
    faults.push(limit('drills.holdersWithin', 'is one hour at least and 30 days at most', drills.holdersWithin, 'P3D'));
  }
  if (drills.budget !== undefined && drills.pricePerHour === undefined) {
    const text = 'can be kept only where pricePerHour is set';
    faults.push(limit('drills.budget', text, String(drills.budget), '"pricePerHour": 3.42 beside it'));
  }
  if (
    drills.mode === 'on' &&
    drills.target.kind === 'temporary' &&
    !isAllowed(drills.target.region, geography.regions)
  ) {
    const text = 'names the region of the temporary HSM, one of geography.regions where those are named';
    const { region } = drills.target;
    faults.push(limit('drills.target.region', text, region, geography.regions[0] ?? 'westeurope'));
  }
  return faults;
}

function custodyFaults({ custody }: Sections): RuleFault[] {
  // A review looks at every share, so a sighting must last from one review to the next.
  const [sighted, reviewed] = [durationInDays(custody.sightingValid), durationInDays(custody.reviewEvery)];
  if (sighted >= reviewed) return [];
  const text = `is no shorter than reviewEvery (${custody.reviewEvery}), or every share counts as out of reach before it is due to be seen`;
  return [limit('custody.sightingValid', text, custody.sightingValid, custody.reviewEvery)];
}

function recoveryFaults({ recovery, geography }: Sections): RuleFault[] {
  const faults: RuleFault[] = [];
  const epoch = new Date(0);
  if (addDuration(epoch, recovery.approvalLasts).getTime() === 0) {
    faults.push(limit('recovery.approvalLasts', 'is more than nothing', recovery.approvalLasts, 'PT8H'));
  }
  if (recovery.region !== undefined && !isAllowed(recovery.region, geography.regions)) {
    const example = geography.regions[0] ?? 'westeurope';
    faults.push(limit('recovery.region', 'is one of geography.regions', recovery.region, example));
  }
  return faults;
}

function responseFaults({ response }: Sections): RuleFault[] {
  const faults: RuleFault[] = [];
  const { owner, deputy, lead } = response.escalate;
  const days = durationInDays;
  if (days(deputy) < days(owner)) {
    faults.push(limit('response.escalate.deputy', `is no sooner than owner (${owner})`, deputy, owner));
  }
  if (days(lead) < days(deputy)) {
    faults.push(limit('response.escalate.lead', `is no sooner than deputy (${deputy})`, lead, deputy));
  }
  if (days(response.approvalLasts) < days(lead)) {
    const text = `is no shorter than escalate.lead (${lead}), or a step ends before everybody was called`;
    faults.push(limit('response.approvalLasts', text, response.approvalLasts, lead));
  }
  if (days(response.watch) === 0) {
    faults.push(limit('response.watch', 'is more than nothing', response.watch, 'P3D'));
  }
  if (days(response.watchMoved) < days(response.watch)) {
    const text = `is no shorter than watch (${response.watch})`;
    faults.push(limit('response.watchMoved', text, response.watchMoved, response.watch));
  }
  return faults;
}

const isAllowed = (region: string, regions: readonly string[]): boolean =>
  region !== '' && (regions.length === 0 || regions.includes(region));
