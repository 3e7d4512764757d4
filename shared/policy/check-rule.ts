import { SHORTEST_POLICY_DAYS, VERSION_LIMIT } from '../keys/key.ts';
import { addDuration, durationInDays, parseInstant } from '../time.ts';
import { isTimeZone } from '../time-zone.ts';
import type { RotationRule } from './rule.ts';

/** A contradiction between the fields of one rule; `field` is relative to the rule, `rotation.before`. */
export interface RuleFault {
  kind: 'Limit' | 'Cadence';
  field: string;
  rule: string;
  got: string;
  example: string;
}

/**
 * Days between two rotations under a rule: at the due instant before expiry, or at the maximum age, whichever is first.
 * The jitter counts in full, because it can only bring a rotation forward.
 */
export function cadenceInDays(rule: RotationRule): number {
  const byExpiry = durationInDays(rule.validity) - durationInDays(rule.before);
  const byAge = rule.maximumAge === undefined ? byExpiry : durationInDays(rule.maximumAge);
  return Math.min(byExpiry, byAge) - durationInDays(rule.jitter);
}

/** Everything that contradicts itself in one rule whose fields are each well formed. */
export function ruleFaults(rule: RotationRule): RuleFault[] {
  return [
    ...durationFaults(rule),
    ...cadenceFaults(rule),
    ...windowFaults(rule),
    ...blackoutFaults(rule),
    ...retirementFaults(rule),
  ];
}

/** Storage accounts look for a new version once a day. https://learn.microsoft.com/azure/storage/common/customer-managed-keys-overview */
const SHORTEST_SILENCE_DAYS = 1;
/** Rows of the audit log may lag. https://learn.microsoft.com/azure/key-vault/managed-hsm/logging */
const SHORTEST_WATCH_DAYS = 1 / 24;

/** Rules that a history keeps from before there was adoption have neither part. */
function retirementFaults({ adoption, retirement }: RotationRule): RuleFault[] {
  const tooShort = (
    field: string,
    got: string | undefined,
    least: number,
    rule: string,
    example: string,
  ): RuleFault[] =>
    got === undefined || durationInDays(got) >= least
      ? []
      : [{ kind: 'Limit', field: `rotation.${field}`, rule, got, example }];
  return [
    ...tooShort(
      'adoption.silence',
      adoption?.silence,
      SHORTEST_SILENCE_DAYS,
      'is a day at least: services look for a new version once a day',
      'P35D',
    ),
    ...tooShort(
      'adoption.lookBack',
      adoption?.lookBack,
      SHORTEST_SILENCE_DAYS,
      'is a day at least, or callers that work daily are not seen',
      'P35D',
    ),
    ...tooShort(
      'retirement.approvalLasts',
      retirement?.approvalLasts,
      SHORTEST_WATCH_DAYS,
      'is an hour at least, or nobody can decide',
      'P3D',
    ),
    ...tooShort(
      'retirement.watch',
      retirement?.watch,
      SHORTEST_WATCH_DAYS,
      'is an hour at least, because the log lags',
      'P2D',
    ),
  ];
}

function durationFaults(rule: RotationRule): RuleFault[] {
  const faults: RuleFault[] = [];
  const limit = (field: string, text: string, got: string, example: string) =>
    faults.push({ kind: 'Limit', field: `rotation.${field}`, rule: text, got, example });
  const validity = durationInDays(rule.validity);
  const before = durationInDays(rule.before);
  if (validity < SHORTEST_POLICY_DAYS) {
    limit('validity', `is ${SHORTEST_POLICY_DAYS} days at least, the shortest the HSM accepts`, rule.validity, 'P90D');
  }
  if (before >= validity) {
    limit(
      'before',
      `is shorter than the validity ${rule.validity}, or every version is due at birth`,
      rule.before,
      'P30D',
    );
  } else if (before + durationInDays(rule.jitter) >= validity) {
    limit(
      'jitter',
      `and before (${rule.before}) together are shorter than the validity ${rule.validity}`,
      rule.jitter,
      'P2D',
    );
  }
  if (rule.maximumAge !== undefined && durationInDays(rule.maximumAge) <= durationInDays(rule.jitter)) {
    limit('maximumAge', `is longer than the jitter ${rule.jitter}`, rule.maximumAge, 'P180D');
  }
  if (rule.backstop === undefined) return faults;
  const backstop = durationInDays(rule.backstop);
  if (backstop > validity - SHORTEST_POLICY_DAYS) {
    const text = `leaves ${SHORTEST_POLICY_DAYS} days of the validity ${rule.validity}, as the HSM demands`;
    limit('backstop', text, rule.backstop, 'P7D');
  }
  if (backstop >= before) {
    limit('backstop', `is shorter than before (${rule.before}), or the HSM acts first`, rule.backstop, 'P7D');
  }
  return faults;
}

function cadenceFaults(rule: RotationRule): RuleFault[] {
  const cadence = cadenceInDays(rule);
  const needed = durationInDays(rule.plannedLife);
  if (rule.mode !== 'rotate' || cadence <= 0 || cadence * VERSION_LIMIT >= needed) return [];
  const lasting = `${VERSION_LIMIT} versions, one every ${days(cadence)}, last ${days(cadence * VERSION_LIMIT)}`;
  return [
    {
      kind: 'Cadence',
      field: 'rotation.plannedLife',
      rule: `is no longer than the versions of a key last: ${lasting}, and ${days(needed)} are planned`,
      got: rule.plannedLife,
      example: `P${Math.floor(cadence * VERSION_LIMIT)}D, or a longer validity`,
    },
  ];
}

function windowFaults(rule: RotationRule): RuleFault[] {
  return rule.windows.flatMap((window, index) => {
    const field = `rotation.windows[${index}]`;
    const faults: RuleFault[] = [];
    const lasts = durationInDays(window.lasts);
    if (lasts > 1 || lasts <= 0) {
      const text = 'is more than nothing and at most 24 hours';
      faults.push({ kind: 'Limit', field: `${field}.lasts`, rule: text, got: window.lasts, example: 'PT4H' });
    }
    if (!isTimeZone(window.timeZone)) {
      const text = 'is the IANA name of a time zone';
      faults.push({
        kind: 'Limit',
        field: `${field}.timeZone`,
        rule: text,
        got: window.timeZone,
        example: 'Europe/Berlin',
      });
    }
    return faults;
  });
}

function blackoutFaults(rule: RotationRule): RuleFault[] {
  return rule.blackouts.flatMap((blackout, index) => {
    const from = parseInstant(blackout.from);
    const until = parseInstant(blackout.until);
    if (from === undefined || until === undefined || from < until) return [];
    const example = addDuration(from, 'P7D').toISOString();
    const text = `is later than from (${blackout.from})`;
    return [{ kind: 'Limit', field: `rotation.blackouts[${index}].until`, rule: text, got: blackout.until, example }];
  });
}

const days = (count: number): string => `${count.toLocaleString('en-US', { maximumFractionDigits: 1 })} days`;
