import type { BackupRecord } from '../backup/backup.ts';
import { isGood, newestFirst } from '../backup/catalogue.ts';
import { judgeRegion } from '../backup/geography.ts';
import type { QuorumJudgement } from '../custody/quorum.ts';
import type { HsmRule } from '../policy/hsm-rule.ts';
import { addDuration } from '../time.ts';

export type PrerequisiteName =
  | 'usableBackup'
  | 'backupAge'
  | 'provenBackup'
  | 'quorum'
  | 'securityDomainFile'
  | 'administratorRole'
  | 'targetRegion'
  | 'dns';

/** `unknown` is no failure, and no permission either: a person has to look. */
export interface Prerequisite {
  name: PrerequisiteName;
  title: string;
  state: 'met' | 'unmet' | 'unknown';
  /** Without it, a recovery cannot succeed; the others make it worse or slower. */
  blocking: boolean;
  found: string;
  nextStep?: string;
}

/** What was found; undefined where it could not be read. */
export interface RecoveryFacts {
  hsm: string;
  /** Region of the HSM that is lost. */
  region: string;
  rule: HsmRule;
  records?: readonly BackupRecord[];
  quorum?: QuorumJudgement;
  /** Copies of the security-domain file that the ledger knows. */
  fileCopies?: readonly { copy: string; place: string }[];
  /**
   * People who can act as Managed HSM Administrator on the new HSM. Owner of the subscription is not enough: the control plane
   * gives no right on the data plane. https://learn.microsoft.com/azure/key-vault/managed-hsm/access-control
   */
  administrators?: readonly string[];
  /** Where the new HSM is to be made. */
  targetRegion?: string;
  /** Whether the private DNS zone and the network let consumers reach a new name. */
  dns?: { zone: string; ready: boolean };
  now: Date;
}

/** Everything that a recovery needs, looked at before it begins and again at any time: gravest first. */
export function judgePrerequisites(facts: RecoveryFacts): Prerequisite[] {
  const all = [...backups(facts), quorum(facts), file(facts), administrators(facts), targetRegion(facts), dns(facts)];
  return all.sort((a, b) => rank(a) - rank(b));
}

/** Whether the recovery may begin: nothing that it cannot do without is known to be missing. */
export const mayBegin = (prerequisites: readonly Prerequisite[]): boolean =>
  prerequisites.every(({ blocking, state }) => !blocking || state !== 'unmet');

const rank = ({ state, blocking }: Prerequisite): number => {
  const order = { unmet: 0, unknown: 2, met: 4 };
  return order[state] + (blocking ? 0 : 1);
};

type Verdict = Pick<Prerequisite, 'state' | 'found' | 'nextStep'>;

const make = (name: PrerequisiteName, title: string, blocking: boolean, verdict: Verdict): Prerequisite => ({
  name,
  title,
  blocking,
  ...verdict,
});

const unknown = (found: string, nextStep: string): Verdict => ({ state: 'unknown', found, nextStep });
const unmet = (found: string, nextStep: string): Verdict => ({ state: 'unmet', found, nextStep });
const met = (found: string): Verdict => ({ state: 'met', found });

function backups({ records, rule, now, hsm }: RecoveryFacts): Prerequisite[] {
  const titles = [
    'A verified backup exists',
    'The newest backup is within its objective',
    'A drill proved a backup',
  ] as const;
  if (records === undefined) {
    const verdict = unknown(
      'The catalogue could not be read.',
      'Look into the vault account for the newest backup folder.',
    );
    return [
      make('usableBackup', titles[0], true, verdict),
      make('backupAge', titles[1], false, verdict),
      make('provenBackup', titles[2], false, verdict),
    ];
  }
  const good = newestFirst(records).filter(isGood);
  const [newest] = good;
  const proven = good.find(({ state }) => state === 'proven');
  const fresh = newest !== undefined && addDuration(new Date(newest.takenOn), rule.backup.rpo) >= now;
  const none = unmet(
    `No verified backup of ${hsm} is known.`,
    'Look for folders in the landing account, and verify the newest.',
  );
  return [
    make(
      'usableBackup',
      titles[0],
      true,
      newest === undefined ? none : met(`${newest.id}, state of ${newest.takenOn}.`),
    ),
    make(
      'backupAge',
      titles[1],
      false,
      newest === undefined
        ? none
        : fresh
          ? met(`It holds the state of ${newest.takenOn}.`)
          : unmet(
              `It holds the state of ${newest.takenOn}, and ${rule.backup.rpo} is allowed.`,
              'If the HSM still answers, take a backup now; else plan for what was made since to be lost.',
            ),
    ),
    make(
      'provenBackup',
      titles[2],
      false,
      proven === undefined
        ? unmet('No drill has proven one of the present backups.', 'Go on, but count on surprises in the comparison.')
        : met(`${proven.id}, on ${proven.reachedOn.proven ?? proven.takenOn}.`),
    ),
  ];
}

function quorum({ quorum: judged }: RecoveryFacts): Prerequisite {
  const title = 'The quorum of the security domain can be reached';
  if (judged === undefined || judged.state === 'unknown') {
    return make(
      'quorum',
      title,
      true,
      unknown(judged?.text ?? 'The custody ledger could not be read.', 'Ask every holder now.'),
    );
  }
  if (judged.state === 'lost') return make('quorum', title, true, unmet(judged.text, judged.nextStep));
  if (judged.state === 'doubtful') return make('quorum', title, true, unknown(judged.text, judged.nextStep));
  return make('quorum', title, true, met(judged.text));
}

function file({ fileCopies }: RecoveryFacts): Prerequisite {
  const title = 'The security-domain file is at hand';
  const ask = 'Ask the holders for the file; without it there is no recovery, and Microsoft has no copy.';
  const verdict =
    fileCopies === undefined
      ? unknown('The custody ledger could not be read.', ask)
      : fileCopies.length === 0
        ? unknown('The ledger knows no copy.', ask)
        : met(fileCopies.map(({ copy, place }) => `${copy} in ${place}`).join(', '));
  return make('securityDomainFile', title, true, verdict);
}

function administrators({ administrators: people, rule }: RecoveryFacts): Prerequisite {
  const title = 'Enough people can act as Managed HSM Administrator';
  const needed = rule.recovery.administrators;
  const note = 'Owner of the subscription is not enough.';
  if (people === undefined) {
    return make(
      'administratorRole',
      title,
      true,
      unknown(
        `Who can is not known. ${note}`,
        'Look at the group that is to be the initial administrator of the new HSM.',
      ),
    );
  }
  if (people.length === 0) {
    return make(
      'administratorRole',
      title,
      true,
      unmet(`Nobody can. ${note}`, 'Name a group with live members as initial administrator.'),
    );
  }
  const found = `${people.length} of ${needed}: ${people.join(', ')}.`;
  return people.length >= needed
    ? make('administratorRole', title, true, met(found))
    : make(
        'administratorRole',
        title,
        false,
        unmet(`${found} ${note}`, 'Add members to the group before the work begins.'),
      );
}

function targetRegion({ targetRegion: wished, region, rule }: RecoveryFacts): Prerequisite {
  const title = 'The region of the new HSM is chosen and allowed';
  const target = wished ?? rule.recovery.region;
  if (target === undefined) {
    return make(
      'targetRegion',
      title,
      true,
      unknown('No region is chosen.', 'Choose one, or set recovery.region of the policy.'),
    );
  }
  const verdict = judgeRegion(rule.geography, region, target);
  return make(
    'targetRegion',
    title,
    true,
    verdict.kind === 'allowed'
      ? met(`${target}.`)
      : unmet(
          `${target} is not among geography.regions of the policy.`,
          'Choose an allowed region, or allow this one.',
        ),
  );
}

function dns({ dns: zone }: RecoveryFacts): Prerequisite {
  const title = 'Consumers can resolve and reach a new HSM';
  const verdict =
    zone === undefined
      ? unknown(
          'DNS and network were not looked at.',
          'Check the private DNS zone and plan a private endpoint for the new HSM.',
        )
      : zone.ready
        ? met(`Zone ${zone.zone}.`)
        : unmet(`Zone ${zone.zone} is not ready.`, 'Link the zone to the networks of the consumers.');
  return make('dns', title, false, verdict);
}
