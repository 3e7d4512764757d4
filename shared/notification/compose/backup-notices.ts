import type { Age } from '../../backup/freshness.ts';
import { durationInWords } from '../../time.ts';
import type { HsmNotice } from '../hsm-notice.ts';
import type { Draft } from '../message.ts';
import type { ComposeContext } from '../notice.ts';
import { counted, factOf, fewOf, hsmFacts, instantFact, lasting, ownerOf, size } from './about-hsm.ts';
import { failureFacts, failureInBrief, isPassing, remedy } from './failure.ts';

type Of<Kind extends HsmNotice['kind']> = Extract<HsmNotice, { kind: Kind }>;

/** The copy is verified and locked; whether it restores, a drill shows. */
export function backupCompleted(notice: Of<'BackupCompleted'>, context: ComposeContext): Draft {
  const { hsm, keys, versions, notCovered, pruned, warnings } = notice;
  const held = `${counted(keys, 'key')} with ${counted(versions, 'version')}`;
  const uncovered =
    notCovered.length === 0
      ? []
      : [`Not covered, because an external key manager holds them: ${fewOf(notCovered).join(', ')}.`];
  const told = [...uncovered, ...warnings];
  return {
    severity: told.length === 0 ? 'info' : 'attention',
    action: false,
    headline: `${hsm} backed up: ${held}`,
    preheader: `Copied to ${notice.copyRegion}, verified byte for byte${notice.lockedUntil === undefined ? '' : ' and locked'}.`,
    paragraphs: [
      `A full backup of ${hsm} holds ${held}. Its copy in ${notice.copyRegion} was verified byte for byte${notice.lockedUntil === undefined ? '' : `, and is locked until ${notice.lockedUntil}`}.`,
      ...(pruned.length === 0 ? [] : [`Retention removed ${counted(pruned.length, 'older backup')}.`]),
      'Only a restore drill proves that it can be restored.',
    ],
    facts: hsmFacts(notice, context, [
      factOf('Backup', notice.backup),
      factOf('Taken for', notice.purpose),
      instantFact('State of', notice.takenOn),
      factOf('Size', size(notice.bytes)),
      factOf('Took', lasting(notice.seconds)),
      factOf('Copy in', notice.copyRegion),
      instantFact('Locked until', notice.lockedUntil),
      factOf('Removed', fewOf(pruned).join(', ')),
    ]),
    warnings: told,
    mustDo: [],
    ...ownerOf(notice),
  };
}

/** While it fails, the newest good backup grows older. */
export function backupFailed(notice: Of<'BackupFailed'>, context: ComposeContext): Draft {
  const { hsm, failure, lastGood, retryOn } = notice;
  const passing = isPassing(failure) && retryOn !== undefined;
  return {
    severity: lastGood === undefined ? 'critical' : 'attention',
    action: !passing,
    headline: `${hsm} backup did not finish: ${failureInBrief(failure)}`,
    preheader: failure.message,
    paragraphs: [
      `A full backup of ${hsm} did not finish. ${failure.message}`,
      lastGood === undefined
        ? 'There is no good backup of this HSM at all.'
        : `The newest good backup holds the state of ${lastGood.takenOn}; nothing was removed.`,
      retryOn === undefined ? 'It is not tried again before the next slot.' : `It is tried again at ${retryOn}.`,
    ],
    facts: hsmFacts(notice, context, [
      instantFact('Due on', notice.scheduledFor),
      factOf('Attempt', notice.attempt),
      factOf('Step', notice.step),
      factOf('Last good', lastGood?.backup),
      ...failureFacts(failure),
    ]),
    ...remedy(failure, hsm, context),
    ...ownerOf(notice),
  };
}

/** The promise of the policy is broken, whatever the reason. */
export function backupOverdue(notice: Of<'BackupOverdue'>, context: ComposeContext): Draft {
  const { hsm, freshness } = notice;
  const { created, verified, proven, summary } = freshness;
  const late = created.state === 'overdue' || verified.state === 'overdue';
  const unproven = proven.state === 'overdue';
  const last = (label: string, { at }: Age) => factOf(label, at === undefined ? 'never' : at);
  return {
    severity: late ? 'critical' : 'attention',
    action: true,
    headline: late
      ? `${hsm} has no fresh backup`
      : `${hsm} restore was ${proven.at === undefined ? 'never proven' : 'not proven lately'}`,
    preheader: summary,
    paragraphs: [
      summary,
      late
        ? `Whatever was made on the HSM since would be lost with it; the policy allows ${durationInWords(verified.limit)}.`
        : `A backup that was never restored proves little; the policy asks for a drill that passes every ${durationInWords(proven.limit)}.`,
      'While this holds you are told again once a day.',
    ],
    facts: hsmFacts(notice, context, [
      last('Last created', created),
      last('Last verified', verified),
      last('Last proven', proven),
      factOf('Objective', durationInWords(verified.limit)),
      factOf('Proof every', durationInWords(proven.limit)),
    ]),
    mustDo: [
      ...(late ? ['See why backups fail or do not run, then ask for one.'] : []),
      ...(unproven ? ['Run a restore drill, or see why the last one did not pass.'] : []),
    ],
    ...ownerOf(notice),
  };
}

/** Nothing is lost by a hold; a backup whose removal had begun is of no use, and looks like one. */
export function backupHeld(notice: Of<'BackupHeld'>, context: ComposeContext): Draft {
  const { hsm, backups } = notice;
  const [first] = backups;
  const broken = backups.filter(({ whole }) => !whole);
  const many = backups.length > 1;
  const legal = first?.by === 'legalHold';
  const until = first?.until;
  const by = legal ? 'a legal hold' : until === undefined ? 'a lock' : `a lock until ${until}`;
  return {
    severity: 'attention',
    action: false,
    headline: `${hsm}: ${counted(backups.length, 'backup')} ${many ? 'are' : 'is'} kept beyond the retention by ${legal ? 'a legal hold' : 'a lock'}`,
    preheader:
      broken.length === 0
        ? 'Nothing of it was removed.'
        : 'Its removal had begun, so it cannot be restored from any more.',
    paragraphs: [
      `The retention of ${hsm} lets ${counted(backups.length, 'backup')} go, and ${by} on ${many ? 'their copies' : 'its copy'} forbids it.`,
      broken.length === 0
        ? `${many ? 'They stay' : 'It stays'} whole and can be restored from. The catalogue knows of no such hold: somebody set it on the vault account.`
        : 'It was set while the backup was being removed: some of its blobs are gone, and nobody restores from it any more. What is left goes when the hold ends.',
      'Whatever is held is removed after the first backup that follows the end of the hold. While this holds you are told again every 90 days.',
    ],
    facts: hsmFacts(notice, context, [
      factOf('Held by', by),
      factOf('Backups', fewOf(backups.map(({ id }) => id)).join(', ')),
      factOf('State of', fewOf(backups.map(({ takenOn }) => takenOn)).join(', ')),
    ]),
    mustDo: [
      'See that whoever is responsible for holds knows of it; release it on the vault account when its reason has ended.',
    ],
    ...ownerOf(notice),
  };
}
