import { type KeyFacts, VERSION_LIMIT } from '../keys/key.ts';
import { cadenceInDays } from '../policy/check-rule.ts';
import { durationInWords } from '../time.ts';
import { currentBlackout } from './blackout.ts';
import type { Override, RotateReason, RotationPlan } from './decision.ts';
import { comparePolicy } from './reconcile-policy.ts';
import type { Situation } from './situation.ts';
import { forecastVersionBudget, observedCadence } from './version-budget.ts';
import { currentOpening } from './windows.ts';

/** What to do, in order, and what the owner is told with the result. */
export function planRotation(situation: Situation): RotationPlan {
  const { rule, facts, policyOnHsm } = situation;
  const comparison = comparePolicy(rule, policyOnHsm);
  const repairs = comparison.kind === 'drifted' && comparison.action === 'repair';
  const reason = rotateReason(situation);
  return {
    kind: 'rotate',
    reason,
    explanation: explain(reason, situation),
    steps: [
      ...(repairs ? (['repairRotationPolicy'] as const) : []),
      ...(rule.backupFirst ? (['backUpKey'] as const) : []),
      'rotate',
      'prove',
      'compare',
      'tell',
    ],
    warnings: [
      ...driftWarnings(comparison),
      ...overruleWarnings(situation),
      ...budgetWarnings(situation, situation.versionsUsed + 1),
      ...expiryWarnings(facts, situation.expired),
      ...situation.effective.notes,
    ],
  };
}

/** The HSM has rotated already: its version is proven, compared and told like ours. */
export function planNative(situation: Situation): RotationPlan {
  return {
    kind: 'rotate',
    reason: 'Native',
    explanation: `The HSM made version ${situation.facts.version} by its own rotation policy.`,
    steps: ['prove', 'compare', 'tell'],
    warnings: [...budgetWarnings(situation, situation.versionsUsed), ...situation.effective.notes],
  };
}

function rotateReason({ cause, expired, due }: Situation): RotateReason {
  if (cause.kind === 'Operator') return 'OperatorRequest';
  if (cause.kind === 'Incident') return 'Compromise';
  return expired ? 'Expired' : (due?.reason ?? 'NearExpiry');
}

function explain(reason: RotateReason, { facts, rule, cause }: Situation): string {
  switch (reason) {
    case 'OperatorRequest':
      return cause.kind === 'Operator' ? `${cause.by} asked for it: ${cause.note}` : 'An operator asked for it.';
    case 'Compromise':
      return `It answers ${cause.kind === 'Incident' ? cause.incident : 'an incident'}: the version before may have been misused.`;
    case 'Expired':
      return `Version ${facts.version} expired on ${facts.expiresOn}.`;
    case 'MaximumAge':
      return `Version ${facts.version}, made on ${facts.createdOn}, has reached the age of ${durationInWords(rule.maximumAge ?? 'its rule')}.`;
    default:
      return `Version ${facts.version} expires on ${facts.expiresOn}, within ${durationInWords(rule.before)}.`;
  }
}

function driftWarnings(comparison: ReturnType<typeof comparePolicy>): string[] {
  if (comparison.kind !== 'drifted') return [];
  const differences = comparison.differences.map(
    ({ attribute, expected, found }) => `${attribute} is ${found ?? 'absent'} instead of ${expected ?? 'absent'}`,
  );
  const ending =
    comparison.action === 'repair' ? 'it is set right first' : 'it stays as it is, because the rule only tells';
  return [`The rotation policy on the HSM differs from the rule (${differences.join('; ')}); ${ending}.`];
}

function overruleWarnings(situation: Situation): string[] {
  const { rule, overrides, now, facts } = situation;
  const blackout = currentBlackout(rule.blackouts, now);
  const closed = rule.windows.length > 0 && !currentOpening(rule.windows, now);
  const by = (override: Override) =>
    overrides.has(override) ? 'an operator overrode it' : `the key would have expired on ${facts.expiresOn} meanwhile`;
  return [
    ...(blackout ? [`Rotated in a blackout (${blackout.reason}), because ${by('blackout')}.`] : []),
    ...(closed ? [`Rotated outside the maintenance windows, because ${by('window')}.`] : []),
  ];
}

function budgetWarnings({ rule, versionsCreatedOn = [], now }: Situation, used: number): string[] {
  const planned = cadenceInDays(rule);
  const observed = observedCadence(versionsCreatedOn);
  const budget = forecastVersionBudget({
    used,
    cadence: Math.min(planned, observed ?? planned),
    now,
    plannedLife: rule.plannedLife,
    warning: rule.budgetWarning,
    ...earliest(versionsCreatedOn),
  });
  if (budget.level === 'spent')
    return [`This is version ${used} of ${VERSION_LIMIT}: the key can never be rotated again.`];
  const pace = `${used} of ${VERSION_LIMIT} versions are used; at this pace the last one is made on ${budget.lastVersionOn}`;
  if (budget.level === 'warn') return [`${pace}. Plan a successor key.`];
  if (budget.cannotLast === undefined) return [];
  return [`${pace}, before the planned end of the key on ${budget.cannotLast.plannedUntil}.`];
}

function earliest(createdOn: string[]): { bornOn?: Date } {
  return createdOn.length === 0 ? {} : { bornOn: new Date(Math.min(...createdOn.map(Date.parse))) };
}

function expiryWarnings(facts: KeyFacts, expired: boolean): string[] {
  if (!expired) return [];
  return [
    `Version ${facts.version} expired on ${facts.expiresOn}: since then it unwrapped, decrypted and verified, but wrapped, encrypted and signed nothing.`,
  ];
}
