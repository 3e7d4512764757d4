import type { KeyVersionSummary } from '../keys/key.ts';
import { addDuration, subtractDuration } from '../time.ts';
import { type Adoption, isOwn, nameOf, type VersionUse } from './judge-adoption.ts';

/** Why an old version is not disabled. */
export type RetirementRefusalReason =
  | 'VersionUnknown'
  | 'VersionIsNewest'
  | 'AlreadyDisabled'
  | 'OnlyEnabledVersion'
  | 'HeldByTag'
  | 'UseUnknown'
  | 'NotAdopted'
  | 'VersionInUse'
  | 'Denied'
  | 'ApprovedByRequester'
  | 'ApprovalExpired'
  /** The stored decision is not the one in the journal. */
  | 'ApprovalNotJournaled';

export interface RetirementDecision {
  /** Object id of whoever decided. */
  by: string;
  at: string;
  decision: 'approved' | 'denied';
  note?: string;
}

export interface RetirementInput {
  version: string;
  /** Oldest first. */
  versions: readonly KeyVersionSummary[];
  held: boolean;
  adoption: Adoption;
  /** Since the start of the window, at least; undefined where the logs could not be read. */
  use: readonly VersionUse[] | undefined;
  /** Client ids of this app, whose proofs are no use. */
  own: readonly string[];
  rule: { silence: string; grace: string };
  asked: { by: string; until: string };
  decision?: RetirementDecision;
  now: Date;
}

export interface RetirementRefused {
  kind: 'refused';
  reason: RetirementRefusalReason;
  explanation: string;
  nextStep: string;
}

export type RetirementVerdict = { kind: 'proceed' } | { kind: 'awaitApproval'; until: string } | RetirementRefused;

/** From when on nobody may have used the version: before silence and grace. */
export const windowStart = ({ silence, grace }: RetirementInput['rule'], now: Date): Date =>
  subtractDuration(subtractDuration(now, grace), silence);

/**
 * Whether a version may be disabled. A disabled version opens nothing any more, so opening old data counts as use just as
 * protecting does. What cannot be known is never taken for silence.
 */
export function judgeRetirement(input: RetirementInput): RetirementVerdict {
  for (const check of CHECKS) {
    const found = check(input);
    if (found) return found;
  }
  const { decision, asked, now } = input;
  if (!decision) {
    if (now < new Date(asked.until)) return { kind: 'awaitApproval', until: asked.until };
    return refuse('ApprovalExpired', `Nobody decided until ${asked.until}.`, 'Ask again if it is still wanted.');
  }
  return { kind: 'proceed' };
}

type Check = (input: RetirementInput) => RetirementRefused | undefined;

/** The first violation is the answer, so the order is behaviour. */
const CHECKS: Check[] = [
  isDecidedAgainst,
  isThere,
  isNotNewest,
  isEnabled,
  isNotTheLast,
  isNotHeld,
  isKnown,
  isUnused,
  isAdopted,
];

function isDecidedAgainst({ decision, asked }: RetirementInput) {
  if (decision?.decision === 'denied') {
    return refuse('Denied', `${decision.by} denied it on ${decision.at}.`, 'Talk to them before asking again.');
  }
  if (decision && decision.by.toLowerCase() === asked.by.toLowerCase()) {
    return refuse(
      'ApprovedByRequester',
      'Whoever asked cannot approve.',
      'Let another person with the role Approver decide.',
    );
  }
  return undefined;
}

const newestOf = (versions: readonly KeyVersionSummary[]) => versions.at(-1);

function isThere({ version, versions }: RetirementInput) {
  if (versions.some((each) => each.version === version)) return undefined;
  return refuse('VersionUnknown', `The key has no version ${version}.`, 'Use a version that GET /api/keys shows.');
}

function isNotNewest({ version, versions }: RetirementInput) {
  if (newestOf(versions)?.version !== version) return undefined;
  return refuse('VersionIsNewest', 'It is the newest version, which everybody uses.', 'Rotate the key first.');
}

function isEnabled({ version, versions }: RetirementInput) {
  if (versions.find((each) => each.version === version)?.enabled) return undefined;
  return refuse('AlreadyDisabled', 'The version is disabled already.', 'Nothing to do.');
}

function isNotTheLast({ version, versions }: RetirementInput) {
  if (versions.some((each) => each.version !== version && each.enabled) && newestOf(versions)?.enabled)
    return undefined;
  return refuse(
    'OnlyEnabledVersion',
    'Without it the key would have no version in use: the newest is disabled.',
    'Enable the newest version, or rotate the key.',
  );
}

function isNotHeld({ held }: RetirementInput) {
  return held ? refuse('HeldByTag', 'The tag hold is in force.', 'Remove it, then ask again.') : undefined;
}

function isKnown({ use, adoption }: RetirementInput) {
  if (use !== undefined && adoption.kind === 'judged') return undefined;
  return refuse(
    'UseUnknown',
    'The audit log could not be read, so nobody knows who uses the version.',
    'See that the app reads the workspace, then ask again.',
  );
}

function isUnused({ version, use = [], own, rule, now }: RetirementInput) {
  const from = windowStart(rule, now);
  const latest = use
    .filter(
      (each) =>
        each.version === version && isUse(each) && !isOwn(each.caller, own) && Date.parse(each.last) >= from.getTime(),
    )
    .sort((a, b) => Date.parse(b.last) - Date.parse(a.last))[0];
  if (!latest) return undefined;
  const what =
    latest.class === 'crypto.protect'
      ? 'to protect data'
      : latest.class === 'crypto.unprotect'
        ? 'to open data'
        : 'to verify';
  const free = addDuration(addDuration(new Date(latest.last), rule.silence), rule.grace);
  return refuse(
    'VersionInUse',
    `${nameOf(latest) || 'A caller that the log does not name'} used it ${what} on ${latest.last}.`,
    `Let that caller move on; without further use it can be asked for again from ${free.toISOString()} on.`,
  );
}

/** Whatever the HSM answered, somebody wanted it; only the challenge of a fresh client is no call yet. */
const isUse = ({ class: kind, outcome }: VersionUse): boolean => kind.startsWith('crypto.') && outcome !== 'challenged';

function isAdopted({ adoption }: RetirementInput) {
  if (adoption.kind === 'judged' && adoption.adopted) return undefined;
  return refuse('NotAdopted', adoption.explanation, 'Let those who stay behind move to the newest version first.');
}

/** Who missed the version since it was disabled. */
export const missedBy = (
  version: string,
  use: readonly VersionUse[],
  own: readonly string[],
  disabledOn: string,
): string[] => [
  ...new Set(
    use
      .filter((each) => each.version === version && each.class.startsWith('crypto.') && !isOwn(each.caller, own))
      .filter(
        ({ outcome, last }) =>
          outcome !== 'ok' && outcome !== 'challenged' && Date.parse(last) >= Date.parse(disabledOn),
      )
      .map((each) => nameOf(each) || 'a caller that the log does not name'),
  ),
];

const refuse = (reason: RetirementRefusalReason, explanation: string, nextStep: string): RetirementRefused => ({
  kind: 'refused',
  reason,
  explanation,
  nextStep,
});
