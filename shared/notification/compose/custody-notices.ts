import { EXPIRED_CERTIFICATE } from '../../custody/expiry.ts';
import type { HsmNotice } from '../hsm-notice.ts';
import type { Draft } from '../message.ts';
import type { ComposeContext } from '../notice.ts';
import { counted, factOf, fewOf, hsmFacts, instantFact, ownerOf } from './about-hsm.ts';

type Of<Kind extends HsmNotice['kind']> = Extract<HsmNotice, { kind: Kind }>;

/** Alarming as it sounds, nothing is lost by it: that has to be said in the same breath. */
export function custodyExpiring(notice: Of<'CustodyExpiring'>, context: ComposeContext): Draft {
  const { hsm, certificates } = notice;
  const expired = certificates.filter(({ daysLeft }) => daysLeft < 0).length;
  const count = counted(certificates.length, 'wrapping certificate');
  return {
    severity: 'attention',
    action: true,
    headline: `${hsm} ${count} ${expired === certificates.length ? 'expired' : 'about to expire'}`,
    preheader: 'An expired certificate still serves for recovery; renew it all the same.',
    paragraphs: [
      `${count} of the security domain of ${hsm} ${expired > 0 ? 'expired or about to expire' : 'about to expire'}.`,
      EXPIRED_CERTIFICATE,
    ],
    facts: hsmFacts(notice, context, [
      factOf('Security domain', notice.securityDomain),
      ...certificates
        .slice(0, 10)
        .map(({ subject, holder, notAfter, fingerprint }) =>
          factOf(
            'Certificate',
            `${subject} (${fingerprint.slice(0, 16)}), ${holder ?? 'holder not recorded'}, until ${notAfter}`,
          ),
        ),
    ]),
    mustDo: [
      'Make new wrapping keys offline, and let an Administrator download the security domain again with their certificates.',
      'Test the new copy, and destroy the old ones only then.',
    ],
    ...ownerOf(notice),
  };
}

/** A meeting has to be called: the agenda comes with it. */
export function custodyReviewDue(notice: Of<'CustodyReviewDue'>, context: ComposeContext): Draft {
  const { hsm, overdue, agenda } = notice;
  return {
    severity: 'attention',
    action: true,
    headline: `${hsm} custody review is ${overdue ? 'overdue' : 'due'}`,
    preheader: notice.lastOn === undefined ? 'It was never reviewed.' : `Last reviewed ${notice.lastOn}.`,
    paragraphs: [
      `Somebody has to see every share and every copy of the security domain of ${hsm}. ${notice.lastOn === undefined ? 'That was never recorded.' : `That was last done on ${notice.lastOn}.`}`,
    ],
    facts: hsmFacts(notice, context, [
      factOf('Security domain', notice.securityDomain),
      instantFact('Last review', notice.lastOn),
      instantFact('Due on', notice.dueOn),
    ]),
    mustDo: [...fewOf(agenda, 12), 'Record each sighting, and the review, in the custody ledger.'],
    ...ownerOf(notice),
  };
}

/** The one loss that nothing repairs, told while it can still be averted. */
export function quorumAtRisk(notice: Of<'QuorumAtRisk'>, context: ComposeContext): Draft {
  const { hsm, text, shares, singlePoints } = notice;
  return {
    severity: notice.state === 'atRisk' ? 'attention' : 'critical',
    action: true,
    headline: `${hsm} quorum ${notice.state === 'lost' ? 'cannot be reached' : 'is at risk'}`,
    preheader: text,
    paragraphs: [
      `${text} Without the quorum the security domain of ${hsm} cannot be opened, and no backup of it can ever be restored to a new HSM. Microsoft cannot help.`,
      ...(singlePoints.length === 0
        ? []
        : [`Lost alone, each of these places would break the quorum: ${singlePoints.join(', ')}.`]),
    ],
    facts: hsmFacts(notice, context, [
      factOf('Security domain', notice.securityDomain),
      ...shares
        .slice(0, 10)
        .map(({ holder, place, reach, why }) =>
          factOf('Share', `${holder ?? 'nobody known'}${place === undefined ? '' : ` in ${place}`}: ${reach}, ${why}`),
        ),
    ]),
    mustDo: [notice.nextStep],
    ...ownerOf(notice),
  };
}

/** The recovery stands still until a person has done this. */
export function recoveryStepWaiting(notice: Of<'RecoveryStepWaiting'>, context: ComposeContext): Draft {
  const { hsm, title, who, drill, until } = notice;
  const what = drill === undefined ? 'recovery' : 'restore drill';
  return {
    severity: drill === undefined ? 'critical' : 'attention',
    action: true,
    headline: `${hsm} ${what} waits for a person: ${title}`,
    preheader: `${who}, step ${notice.progress}.`,
    paragraphs: [
      drill === undefined
        ? `The recovery of ${hsm} waits for ${who}: ${title}. It keeps its state for as long as that takes.`
        : `The restore drill of ${hsm} waits for ${who}: ${title}. Nothing is lost: it rehearses the recovery on an HSM that it makes and removes.`,
    ],
    facts: hsmFacts(notice, context, [
      ...(drill === undefined ? [] : [factOf('Drill', drill)]),
      instantFact('Waits until', until),
      factOf(drill === undefined ? 'Recovery' : 'Rehearsal', notice.recovery),
      factOf('Step', `${notice.step}, ${notice.progress}`),
      factOf('Who', who),
    ]),
    mustDo: notice.instructions.length === 0 ? [title] : notice.instructions,
    commands: notice.commands,
    ...ownerOf(notice),
  };
}
