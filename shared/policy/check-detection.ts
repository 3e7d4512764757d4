import type { DetectionRule } from '../detection/rule.ts';
import { parseInstant } from '../time.ts';
import { isTimeZone } from '../time-zone.ts';
import type { RuleFault } from './check-rule.ts';

/** What contradicts itself in a detection rule whose fields are each well formed. */
export function detectionFaults(rule: DetectionRule): RuleFault[] {
  const faults: RuleFault[] = [];
  const limit = (field: string, text: string, got: unknown, example: string) =>
    faults.push({ kind: 'Limit', field: `detection.${field}`, rule: text, got: String(got), example });
  const rising = (under: string, fields: [string, number][]) => {
    for (const [index, [name, value]] of fields.entries()) {
      const before = fields[index - 1];
      if (before === undefined || value >= before[1]) continue;
      limit(`${under}.${name}`, `is no less than ${before[0]} (${before[1]})`, value, String(before[1]));
    }
  };
  const { timeZone, workingHours } = rule.calendar;
  if (!isTimeZone(timeZone)) {
    limit('calendar.timeZone', 'is the IANA name of a time zone', timeZone, 'Europe/Berlin');
  }
  if (workingHours.to <= workingHours.from) {
    limit('calendar.workingHours.to', `is after from (${workingHours.from})`, workingHours.to, '20');
  }
  const { rulesOnlyDays, noveltyDays, volumeDays } = rule.learning;
  rising('learning', Object.entries({ rulesOnlyDays, noveltyDays, volumeDays }));
  const { medium, high, extreme } = rule.detectors['volume-out-of-season'].parameters;
  rising('detectors.volume-out-of-season.parameters', Object.entries({ medium, high, extreme }));
  const { gapMinutes, longGapMinutes } = rule.detectors['logging-gap'].parameters;
  rising('detectors.logging-gap.parameters', Object.entries({ gapMinutes, longGapMinutes }));
  for (const [index, { from, until }] of rule.announced.entries()) {
    if ((parseInstant(until) ?? 0) > (parseInstant(from) ?? 0)) continue;
    limit(`announced[${index}].until`, `is after from (${from})`, until, 'a later instant');
  }
  for (const [index, { oid, kind, databases }] of rule.identities.entries()) {
    if (databases !== undefined && kind !== 'sql') {
      limit(`identities[${index}].databases`, 'stands only beside the kind sql', databases, 'leave it out');
    }
    if (rule.identities.findIndex((other) => other.oid === oid) < index) {
      limit(`identities[${index}].oid`, 'is named once', oid, 'another object id');
    }
  }
  return faults;
}
