import type { RotationPolicyBody } from './bodies.ts';
import { badParameter } from './errors.ts';
import type { KeyVersion } from './model.ts';
import type { Readings } from './readings.ts';

/** As stored and answered. `created` and `updated` are Unix seconds. */
export interface RotationPolicy {
  expiryTime?: string;
  rotate?: { timeAfterCreate: string } | { timeBeforeExpiry: string };
  created: number;
  updated: number;
}

type LifetimeAction = NonNullable<RotationPolicyBody['lifetimeActions']>[number];

/** Source: managed-hsm/key-rotation. */
const SHORTEST_DAYS = 28;
const DAY = 86_400;
/** Five digits a part, so that every sum stays a date. */
const DURATION =
  /^P(?=\d|T\d)(?:(\d{1,5})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,5})S)?)?$/;

/** Unix seconds at `duration` after `from`. Years and months follow the calendar, days are 24 hours (recorded for P90D). */
export function addDuration(from: number, duration: string, sign: 1 | -1 = 1): number {
  const match = DURATION.exec(duration);
  if (!match) throw badParameter(`'${duration}' is not an ISO 8601 duration.`);
  const [years, months, weeks, days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  const date = new Date(from * 1000);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCFullYear(date.getUTCFullYear() + sign * (years ?? 0), date.getUTCMonth() + sign * (months ?? 0));
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  const rest = ((weeks ?? 0) * 7 + (days ?? 0)) * DAY + (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
  return Math.floor(date.getTime() / 1000) + sign * rest;
}

/** For comparing durations only; counted from 1 January 1970, so a first month has 31 days. */
const inDays = (duration: string) => addDuration(0, duration) / DAY;

/**
 * Checks a policy and returns what to keep; undefined when it is empty, which removes the policy. An answer spells the
 * action `rotate` and adds no Notify (recorded: Azure/azure-sdk-assets, TestRotateKey/MHSM).
 */
export function parseRotationPolicy(
  body: RotationPolicyBody,
  readings: Readings,
): Pick<RotationPolicy, 'expiryTime' | 'rotate'> | undefined {
  const expiryTime = body.attributes?.expiryTime;
  if (expiryTime !== undefined && inDays(expiryTime) < SHORTEST_DAYS) {
    throw badParameter(`expiryTime must be at least ${SHORTEST_DAYS} days.`);
  }
  const actions = (body.lifetimeActions ?? []).filter((action) => keepAction(action, readings));
  if (actions.length > 1) throw badParameter('A rotation policy has at most one rotate action.');
  const [action] = actions;
  if (!action) return expiryTime === undefined ? undefined : { expiryTime };
  return { ...(expiryTime === undefined ? {} : { expiryTime }), rotate: parseTrigger(action, expiryTime) };
}

function keepAction(action: LifetimeAction, readings: Readings): boolean {
  const type = action.action?.type?.toLowerCase();
  if (type === 'rotate') return true;
  if (type === 'notify' && readings.notifyAction === 'ignore') return false;
  throw badParameter(`Lifetime action '${action.action?.type ?? ''}' is not supported by Managed HSM.`);
}

function parseTrigger(
  { trigger }: LifetimeAction,
  expiryTime: string | undefined,
): NonNullable<RotationPolicy['rotate']> {
  const timeAfterCreate = trigger?.timeAfterCreate;
  const timeBeforeExpiry = trigger?.timeBeforeExpiry;
  if ((timeAfterCreate === undefined) === (timeBeforeExpiry === undefined)) {
    throw badParameter('A trigger needs exactly one of timeAfterCreate and timeBeforeExpiry.');
  }
  if (timeAfterCreate !== undefined) {
    if (inDays(timeAfterCreate) < SHORTEST_DAYS) {
      throw badParameter(`timeAfterCreate must be at least ${SHORTEST_DAYS} days.`);
    }
    return { timeAfterCreate };
  }
  const before = timeBeforeExpiry ?? '';
  if (expiryTime === undefined) throw badParameter('timeBeforeExpiry needs an expiryTime.');
  if (inDays(before) > inDays(expiryTime) - SHORTEST_DAYS) {
    throw badParameter(`timeBeforeExpiry may be at most expiryTime minus ${SHORTEST_DAYS} days.`);
  }
  return { timeBeforeExpiry: before };
}

/** When the policy rotates a key whose newest version is this one; undefined when it never does. Unix seconds. */
export function rotationDue(policy: RotationPolicy | undefined, version: KeyVersion): number | undefined {
  if (!policy?.rotate) return undefined;
  if ('timeAfterCreate' in policy.rotate) return addDuration(version.created, policy.rotate.timeAfterCreate);
  return version.exp === undefined ? undefined : addDuration(version.exp, policy.rotate.timeBeforeExpiry, -1);
}
