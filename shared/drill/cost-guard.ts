import type { DrillRule } from '../policy/hsm-rule.ts';

export interface CostInput {
  rule: Pick<DrillRule, 'pricePerHour' | 'currency' | 'budget'>;
  target:
    | { kind: 'standing' }
    | {
        kind: 'temporary';
        /** As it would be, or was, created. */
        purgeProtection: boolean;
        softDeleteDays: number;
      };
  /** How long the drill is expected to need the HSM. */
  expectedHours: number;
  /** How long it can come to exist at most, when its people take all the time that they have. */
  longestHours?: number;
  /** A person wants purge protection on it all the same. */
  acceptPurgeProtection?: boolean;
}

export interface CostEstimate {
  currency: string;
  /** Undefined where no price is known. */
  running?: number;
  /** What the soft-deleted HSM costs until its retention ends: it is billed like a running one until it is purged. */
  softDeleted?: number;
  /** With a purge right after the drill, which only a person does; the same as `atMost` where purge protection forbids it. */
  atLeast?: number;
  atMost?: number;
  softDeletedDays: number;
  text: string;
}

export type CostVerdict =
  | { kind: 'allowed'; estimate: CostEstimate; warnings: string[] }
  | {
      kind: 'refused';
      reason: 'PurgeProtectionOnTemporary' | 'OverBudget';
      estimate: CostEstimate;
      explanation: string;
      nextStep: string;
    };

/**
 * What a drill costs, and whether it may. A temporary HSM with purge protection cannot be removed before its retention ends,
 * and every hour of that is billed: so it is refused unless a person insists. The budget covers the soft-deleted days as well,
 * because nothing is purged by itself.
 * https://learn.microsoft.com/azure/key-vault/managed-hsm/soft-delete-overview
 */
export function guardCost({
  rule,
  target,
  expectedHours,
  longestHours,
  acceptPurgeProtection,
}: CostInput): CostVerdict {
  if (target.kind === 'standing') {
    const text = 'A standing drill HSM costs nothing more for being used.';
    const estimate = {
      currency: rule.currency,
      softDeletedDays: 0,
      running: 0,
      softDeleted: 0,
      atLeast: 0,
      atMost: 0,
      text,
    };
    return { kind: 'allowed', estimate, warnings: [] };
  }
  const estimate = estimateTemporary(rule, target, expectedHours);
  if (target.purgeProtection && acceptPurgeProtection !== true) {
    return {
      kind: 'refused',
      reason: 'PurgeProtectionOnTemporary',
      estimate,
      explanation: `The temporary HSM has purge protection, so it is billed for ${days(target.softDeleteDays)} after it is deleted. ${estimate.text}`,
      nextStep: 'Create it without purge protection, or accept the cost explicitly.',
    };
  }
  const { atMost } = estimate;
  if (rule.budget !== undefined && atMost !== undefined && atMost > rule.budget) {
    return {
      kind: 'refused',
      reason: 'OverBudget',
      estimate,
      explanation: `The drill would cost ${money(atMost, rule.currency)} with the ${days(target.softDeleteDays)} in which its HSM stays soft-deleted, and drills.budget is ${money(rule.budget, rule.currency)}.`,
      nextStep: 'Use a standing drill HSM, plan fewer soft-deleted days, or raise drills.budget.',
    };
  }
  const warnings = [
    ...(rule.pricePerHour === undefined ? ['No price is set in drills.pricePerHour, so no cost can be told.'] : []),
    ...waiting(rule, expectedHours, longestHours),
  ];
  return { kind: 'allowed', estimate, warnings };
}

function waiting(
  { pricePerHour, currency }: CostInput['rule'],
  expectedHours: number,
  longestHours: number | undefined,
): string[] {
  if (longestHours === undefined || longestHours <= expectedHours) return [];
  const hours = Math.ceil(longestHours);
  const price = pricePerHour === undefined ? '' : `, ${money(round(hours * pricePerHour), currency)}`;
  return [`Once it is made, it runs for ${hours} hours at most while its people take their time${price}.`];
}

function estimateTemporary(
  { pricePerHour, currency }: CostInput['rule'],
  { purgeProtection, softDeleteDays }: { purgeProtection: boolean; softDeleteDays: number },
  expectedHours: number,
): CostEstimate {
  const shape = { currency, softDeletedDays: softDeleteDays };
  // The service bills by the hour begun.
  const hours = Math.ceil(Math.max(0, expectedHours));
  if (pricePerHour === undefined) {
    const text = `It runs for ${hours} hours; deleted and not purged, it would be billed for ${days(softDeleteDays)} more.`;
    return { ...shape, text };
  }
  const running = round(hours * pricePerHour);
  const softDeleted = round(softDeleteDays * 24 * pricePerHour);
  const atMost = round(running + softDeleted);
  const atLeast = purgeProtection ? atMost : running;
  const text = purgeProtection
    ? `${money(running, currency)} while it runs and ${money(softDeleted, currency)} while it is soft-deleted, ${money(atMost, currency)} together.`
    : `${money(running, currency)} when it is purged right after the drill; ${money(atMost, currency)} when it stays soft-deleted for ${days(softDeleteDays)}.`;
  return { ...shape, running, softDeleted, atLeast, atMost, text };
}

/** When a deleted HSM really goes, and what it costs until then. */
export function costUntilGone(
  rule: Pick<DrillRule, 'pricePerHour' | 'currency'>,
  hsm: { scheduledPurgeOn: string; purgeProtection: boolean },
  now: Date,
): { goneOn: string; hours: number; cost?: number; text: string } {
  const hours = Math.max(0, Math.ceil((Date.parse(hsm.scheduledPurgeOn) - now.getTime()) / 3_600_000));
  const cost = rule.pricePerHour === undefined ? undefined : round(hours * rule.pricePerHour);
  const price = cost === undefined ? '' : ` and costs ${money(cost, rule.currency)} until then`;
  const remedy = hsm.purgeProtection ? 'Purge protection forbids to purge it earlier.' : 'Purge it to end that now.';
  const text = `It goes on ${hsm.scheduledPurgeOn}${price}. ${remedy}`;
  return { goneOn: hsm.scheduledPurgeOn, hours, ...(cost === undefined ? {} : { cost }), text };
}

const round = (amount: number): number => Math.round(amount * 100) / 100;
const days = (count: number): string => (count === 1 ? 'one day' : `${count} days`);
const money = (amount: number, currency: string): string =>
  `${amount.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })} ${currency}`;
