import { keyLabel, VERSION_LIMIT } from '../keys/key.ts';
import { durationInWords, toIso } from '../time.ts';
import { currentBlackout } from './blackout.ts';
import { POLICY_ALONE, type RotationDecision, type RotationPlan } from './decision.ts';
import { nextPermitted } from './next-permitted.ts';
import { planNative, planRotation } from './plan-rotation.ts';
import { refuseHsmPolicy, refuseRule } from './reconcile-policy.ts';
import { type RotationInput, type Situation, situationOf } from './situation.ts';
import { currentOpening } from './windows.ts';

export type { RotationInput } from './situation.ts';

type Verdict = Exclude<RotationDecision, RotationPlan>;
type Check = (situation: Situation) => Verdict | undefined;

/**
 * First violation wins, and the order is behaviour. What makes the request void comes first, then a person's statements
 * about the key, then whether it is time at all, then what would make the rotation impossible or harmful, and last what
 * only makes it wait: nobody is told to wait for a rotation that would then be refused.
 */
const CHECKS: readonly Check[] = [
  versionSuperseded,
  rotationOff,
  keyDisabled,
  heldByTag,
  onlyReminds,
  notDue,
  versionBudgetSpent,
  rotatedTooOften,
  ruleContradictsItself,
  policyOnHsmUnfit,
  inBlackout,
  outsideWindow,
];

/** The HSM has acted already: what is left is to prove, compare and tell, whatever the hour. */
const NATIVE_CHECKS: readonly Check[] = [versionSuperseded, rotationOff, keyDisabled];

/**
 * Rotate, keep, wait, remind or refuse, with a public reason. An operator's overrides lift the window, the blackout, the
 * hold or the due date, and nothing else; expiry lifts window and blackout by itself, and says so in a warning.
 */
export function decideRotation(input: RotationInput): RotationDecision {
  const situation = situationOf(input);
  const native = input.cause.kind === 'Native';
  for (const check of native ? NATIVE_CHECKS : CHECKS) {
    const verdict = check(situation);
    if (verdict !== undefined) return verdict;
  }
  return native ? planNative(situation) : planRotation(situation);
}

function versionSuperseded({ facts, expectedVersion }: Situation): Verdict | undefined {
  if (expectedVersion === undefined || expectedVersion === facts.version) return undefined;
  const explanation = `The request speaks of version ${expectedVersion}; the newest is ${facts.version}.`;
  return { kind: 'keep', reason: 'VersionSuperseded', explanation };
}

function rotationOff({ rule, effective }: Situation): Verdict | undefined {
  if (rule.mode !== 'off') return undefined;
  const explanation = `Rotation is off for this key, by ${effective.origin['rotation.mode'] ?? 'its rule'}.`;
  return { kind: 'keep', reason: 'RotationOff', explanation };
}

/** A disabled key is a person's statement, so it is left as it is, however old. */
function keyDisabled({ facts }: Situation): Verdict | undefined {
  if (facts.enabled) return undefined;
  return {
    kind: 'refused',
    reason: 'KeyDisabled',
    explanation: `The newest version ${facts.version} is disabled, and a disabled key is not rotated.`,
    nextStep: 'Enable the key if it is still needed; otherwise retire it or set the tag rotate=off.',
  };
}

function heldByTag({ effective: { hold }, overrides, now }: Situation): Verdict | undefined {
  if (hold === undefined || overrides.has('hold')) return undefined;
  if (hold.until !== undefined && Date.parse(hold.until) <= now.getTime()) return undefined;
  const until = hold.until === undefined ? 'until the tag is removed' : `until ${hold.until}`;
  return {
    kind: 'refused',
    reason: 'HeldByTag',
    explanation: `The key is held by its tag ${hold.tag}, ${until}.`,
    nextStep: 'Remove the tag hold, or repeat the request with the override hold.',
  };
}

/** The owner is reminded when it is due, and never sooner: new material is imported, or the rule leaves it to people. */
function onlyReminds({ rule, effective, facts, cause, due, now }: Situation): Verdict | undefined {
  if (rule.mode !== 'remind') return undefined;
  const by = effective.origin['rotation.mode'] ?? 'its rule';
  const imported = isImported(facts.tags);
  const reason = imported ? 'ImportedKey' : 'RemindOnly';
  const nextStep = imported
    ? 'Make new key material where the present one came from and import it as a new version of this key.'
    : 'Rotate the key by hand when its consumers are ready, or let the rule rotate it (rotation.mode: rotate).';
  if (cause.kind === 'Operator' || cause.kind === 'Incident') {
    const why = imported ? ': its material comes from outside the HSM' : '';
    return {
      kind: 'refused',
      reason,
      explanation: `This key is only reminded of, never rotated, by ${by}${why}.`,
      nextStep,
    };
  }
  if (due === undefined || due.on > now) return undefined;
  const since = facts.expiresOn === undefined ? `made on ${facts.createdOn}` : `expires on ${facts.expiresOn}`;
  const what = imported ? 'new material' : 'a new version';
  const explanation = `Version ${facts.version} (${since}) is due for ${what}; by ${by} it is not rotated here.`;
  return { kind: 'remind', reason, explanation, nextStep };
}

/** As the tag is read for the rule. */
const isImported = (tags: Record<string, string>): boolean =>
  Object.entries(tags).some(
    ([name, value]) => name.trim().toLowerCase() === 'origin' && value.trim().toLowerCase() === 'imported',
  );

function notDue({ due, rule, facts, overrides, now }: Situation): Verdict | undefined {
  if (overrides.has('notDue')) return undefined;
  if (due === undefined) {
    const explanation = `Version ${facts.version} has no expiry date, and its rule sets no maximum age.`;
    return { kind: 'keep', reason: 'NoExpiry', explanation };
  }
  if (due.on <= now) return undefined;
  const measure =
    due.reason === 'NearExpiry'
      ? `${durationInWords(rule.before)} before it expires on ${facts.expiresOn}`
      : `at the age of ${durationInWords(rule.maximumAge ?? 'its rule')}`;
  const explanation = `Version ${facts.version} is due on ${toIso(due.on)}, ${measure}.`;
  return { kind: 'keep', reason: 'NotDue', explanation, dueOn: toIso(due.on) };
}

function versionBudgetSpent({ key, versionsUsed }: Situation): Verdict | undefined {
  if (versionsUsed < VERSION_LIMIT) return undefined;
  return {
    kind: 'refused',
    reason: 'VersionBudgetSpent',
    explanation: `${keyLabel(key)} has ${versionsUsed} versions, and a key holds ${VERSION_LIMIT} at most.`,
    nextStep: 'Make a new key, re-point its consumers to it, and keep this one for what it still has to open.',
  };
}

/** More than anybody needs of one key, and few enough that its owner has read of it before the versions are gone. */
export const MOST_ASKED_A_DAY = 5;
const DAY_MS = 86_400_000;

/**
 * No version can be taken back, so nobody who only asks may use a key up within minutes, nor whoever gives cause for one
 * incident after another. What a person approved may.
 */
function rotatedTooOften({ key, cause, versionsCreatedOn = [], now }: Situation): Verdict | undefined {
  const byPolicy = cause.kind === 'Incident' && cause.by === POLICY_ALONE;
  if (cause.kind !== 'Operator' && !byPolicy) return undefined;
  const lately = versionsCreatedOn.filter((at) => now.getTime() - Date.parse(at) < DAY_MS);
  if (lately.length < MOST_ASKED_A_DAY) return undefined;
  return {
    kind: 'refused',
    reason: 'RotatedTooOften',
    explanation: `${keyLabel(key)} got ${lately.length} versions within a day, and ${VERSION_LIMIT} are all it will ever have.`,
    nextStep: byPolicy
      ? 'Look at the incidents that led here; if a new version is still wanted, approve the step of the incident.'
      : 'Wait a day; if it is misused, declare an incident, whose rotation another person approves.',
  };
}

function ruleContradictsItself({ rule }: Situation): Verdict | undefined {
  return refuseRule(rule);
}

/** With `repair` the plan sets the policy right before it rotates; with `tell` an unfit one is a reason not to. */
function policyOnHsmUnfit({ rule, policyOnHsm }: Situation): Verdict | undefined {
  return rule.drift === 'repair' ? undefined : refuseHsmPolicy(rule, policyOnHsm);
}

function inBlackout(situation: Situation): Verdict | undefined {
  const { rule, overrides, now } = situation;
  const blackout = currentBlackout(rule.blackouts, now);
  if (blackout === undefined || overrides.has('blackout')) return undefined;
  return wait(situation, 'InBlackout', `A blackout lasts until ${blackout.until}: ${blackout.reason}.`);
}

function outsideWindow(situation: Situation): Verdict | undefined {
  const { rule, overrides, now } = situation;
  if (rule.windows.length === 0 || overrides.has('window') || currentOpening(rule.windows, now)) return undefined;
  return wait(situation, 'OutsideWindow', 'No maintenance window of this key is open.');
}

/** Deferred to the first permitted instant; not at all when the key would have expired by then. */
function wait(situation: Situation, reason: 'InBlackout' | 'OutsideWindow', found: string): Verdict | undefined {
  if (waitsPastExpiry(situation)) return undefined;
  const until = permittedFrom(situation);
  if (until === undefined) {
    const nextStep = 'Shorten the blackouts or widen the windows of this key, or rotate it with an override.';
    return { kind: 'refused', reason, explanation: `${found} No permitted time follows.`, nextStep };
  }
  return {
    kind: 'deferred',
    reason,
    until: toIso(until),
    explanation: `${found} Rotation waits until ${toIso(until)}.`,
  };
}

function waitsPastExpiry(situation: Situation): boolean {
  const { facts, expired } = situation;
  if (facts.expiresOn === undefined) return false;
  const until = permittedFrom(situation);
  return expired || until === undefined || until.getTime() >= Date.parse(facts.expiresOn);
}

function permittedFrom({ rule, overrides, now }: Situation): Date | undefined {
  return nextPermitted(
    overrides.has('window') ? [] : rule.windows,
    overrides.has('blackout') ? [] : rule.blackouts,
    now,
  );
}
