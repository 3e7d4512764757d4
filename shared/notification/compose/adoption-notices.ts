import { keyLabel } from '../../keys/key.ts';
import type { Draft, Fact } from '../message.ts';
import type { ComposeContext, Notice } from '../notice.ts';
import { counted, factOf, fewOf, instantFact, ownerOf } from './about-hsm.ts';
import { closingFacts, keyFacts, shortVersion, versionFact } from './about-key.ts';

type Requested = Extract<Notice, { kind: 'RetirementRequested' }>;
type Retired = Extract<Notice, { kind: 'KeyVersionRetired' }>;
type Reenabled = Extract<Notice, { kind: 'KeyVersionReenabled' }>;
type Failed = Extract<Notice, { kind: 'RetirementFailed' }>;
type Adopted = Extract<Notice, { kind: 'KeyVersionAdopted' }>;

const STATE: Record<string, string> = { moved: 'uses the new version', silent: 'has fallen silent' };

export function keyVersionAdopted(notice: Adopted, context: ComposeContext): Draft {
  const { key, version, since, explanation, callers, unprotect } = notice;
  return {
    severity: 'info',
    action: false,
    headline: `${key.hsm}/${key.name} new version is in use everywhere`,
    preheader: explanation,
    paragraphs: [
      `Since ${since} the key ${key.name} has a new version. ${explanation}`,
      ...callers.map(
        ({ caller, state, lastOld }) =>
          `${caller === '' ? 'A caller that the log does not name' : caller}: ${STATE[state] ?? state}; last used an old version at ${lastOld}.`,
      ),
      ...(unprotect === 0
        ? []
        : [
            `Old versions still open old data for ${counted(unprotect, 'caller')}, as they must: a version that is disabled opens nothing.`,
          ]),
    ],
    facts: [...keyFacts(key, context), versionFact('Version', key, version, context), ...closingFacts(key, notice.at)],
    mustDo: [],
    ...(notice.notify.owner === undefined ? {} : { owner: notice.notify.owner }),
  };
}

/** Somebody wants an old version disabled; another person has to approve. */
export function retirementRequested(notice: Requested, context: ComposeContext): Draft {
  const { key, version, by, note, until, retirement } = notice;
  return {
    severity: 'attention',
    action: true,
    headline: `${keyLabel(key)} old version is to be disabled: needs approval`,
    preheader: note,
    paragraphs: [
      `${by} asks for the version ${shortVersion(version)} of the key ${key.name} to be disabled: ${note}`,
      'A disabled version opens nothing. The log shows no use of it for as long as the policy asks, and is read again right before.',
    ],
    facts: about(notice, context, [
      factOf('Asked by', by),
      instantFact('Until', until),
      factOf('Retirement', retirement),
    ]),
    mustDo: [`Approve or reject it before ${until}: POST /api/retirements/${retirement}/decision.`],
    ...ownerOf(notice),
  };
}

export function keyVersionRetired(notice: Retired, context: ComposeContext): Draft {
  const { key, version, by, approvedBy, watchedUntil } = notice;
  return {
    severity: 'info',
    action: false,
    headline: `${keyLabel(key)} old version ${shortVersion(version)} is disabled`,
    preheader: `Watched until ${watchedUntil}.`,
    paragraphs: [
      `The version ${shortVersion(version)} of the key ${key.name} is disabled. Until ${watchedUntil} the log is watched, and the version is enabled again as soon as a call misses it.`,
    ],
    facts: about(notice, context, [factOf('Asked by', by), factOf('Approved by', approvedBy)]),
    mustDo: [],
    ...ownerOf(notice),
  };
}

export function keyVersionReenabled(notice: Reenabled, context: ComposeContext): Draft {
  const { key, version, callers } = notice;
  return {
    severity: 'critical',
    action: true,
    headline: `${keyLabel(key)} old version ${shortVersion(version)} was missed, and is enabled again`,
    preheader: `Missed by ${fewOf(callers, 3).join(', ')}.`,
    paragraphs: [
      `After the version ${shortVersion(version)} of the key ${key.name} was disabled, calls with it were refused, so it was enabled again.`,
      ...fewOf(callers).map((caller) => `Missed by: ${caller}`),
    ],
    facts: about(notice, context, [factOf('Callers', callers.length)]),
    mustDo: [
      'See that these callers work again.',
      'Move them to the newest version before asking for the retirement again.',
    ],
    ...ownerOf(notice),
  };
}

export function retirementFailed(notice: Failed, context: ComposeContext): Draft {
  const { key, version, failure, stillDisabled } = notice;
  return {
    severity: stillDisabled ? 'critical' : 'attention',
    action: true,
    headline: `${keyLabel(key)} old version ${shortVersion(version)} ${stillDisabled ? 'is missed, and still disabled' : 'was not retired'}`,
    preheader: failure.message,
    paragraphs: [failure.message],
    facts: about(notice, context, [factOf('Reason', failure.reason)]),
    mustDo: [failure.nextStep],
    ...ownerOf(notice),
  };
}

const about = (
  { key, version, at }: Requested | Retired | Reenabled | Failed,
  context: ComposeContext,
  more: readonly (Fact | undefined)[],
): Fact[] => [
  ...keyFacts(key, context),
  versionFact('Version', key, version, context),
  ...more.filter((fact) => fact !== undefined),
  ...closingFacts(key, at),
];
