import type { HeartbeatWork } from '../../heartbeat/expected.ts';
import type { Draft } from '../message.ts';
import type { ComposeContext, Notice } from '../notice.ts';
import { factOf, hsmFacts, instantFact, lasting, ownerOf } from './about-hsm.ts';

type Missed = Extract<Notice, { kind: 'HeartbeatMissed' }>;
type Recovered = Extract<Notice, { kind: 'HeartbeatRecovered' }>;
type Work = HeartbeatWork | 'app';

interface Told {
  title: string;
  means: string;
  /** Function whose runs to look at; absent: it is not a function of ours that is silent. */
  timer?: string;
  critical: boolean;
}

const WORK: Record<Work, Told> = {
  sweep: {
    title: 'the expiry sweep',
    means: 'No key is looked at, so keys may expire without being rotated and without anybody being told.',
    timer: 'expirySweepTimer',
    critical: true,
  },
  reconcile: {
    title: 'the comparison of rotation policies',
    means: 'What the HSM keeps as rotation policies may differ from the rules, and nobody would see it.',
    timer: 'policyReconcileTimer',
    critical: false,
  },
  backup: {
    title: 'the backup watch',
    means: 'No backup is started, and nobody is told when the newest one is too old.',
    timer: 'backupWatchTimer',
    critical: true,
  },
  custody: {
    title: 'the custody watch',
    means: 'Nobody is told when certificates expire or the quorum of the security domain is at risk.',
    timer: 'custodyWatchTimer',
    critical: false,
  },
  audit: {
    title: 'the reading of the audit log',
    means: 'What is done on the HSM is not judged, so an attack would not be found.',
    timer: 'auditSweepTimer',
    critical: true,
  },
  logs: {
    title: 'the audit log',
    means:
      'No new row of the audit log has arrived, so what is done on the HSM is not seen, here or by others who read it.',
    critical: true,
  },
  adoption: {
    title: 'the adoption watch',
    means: 'Nobody is told who still uses an old key version.',
    timer: 'adoptionWatchTimer',
    critical: false,
  },
  purge: {
    title: 'the purge of finished histories',
    means: 'Histories pile up in the state account and make the app slower over time.',
    timer: 'historyPurgeTimer',
    critical: false,
  },
  app: {
    title: 'the whole app',
    means: 'Nothing was rotated, backed up or watched meanwhile. Timers that were missed run once now.',
    critical: true,
  },
};

/** A notice that another build stored may name work that this one does not know. */
const toldOf = (work: Work): Told =>
  Object.hasOwn(WORK, work)
    ? WORK[work]
    : { title: 'work that runs by the clock', means: 'It was not done.', critical: true };

/** What the silence of that work means, as a sentence. */
export const meaningOf = (work: Work): string => `Silence of ${toldOf(work).title}: ${toldOf(work).means}`;

export function heartbeatMissed(notice: Missed, context: ComposeContext): Draft {
  const { work, hsm, since, last, dueBy, until, schedule } = notice;
  const { title, means, timer, critical } = toldOf(work);
  const where = hsm === undefined ? '' : `${hsm} `;
  const silent = lasting((Date.parse(until ?? notice.at) - Date.parse(last ?? since)) / 1000);
  const over = until !== undefined;
  return {
    severity: critical ? 'critical' : 'attention',
    action: true,
    headline: `${where === '' ? capital(title) : `${where}${title}`} ${over ? `was silent for ${silent}` : 'is silent'}`,
    preheader: means,
    paragraphs: [
      over
        ? `Nothing was heard of ${title} from ${since} to ${until}. ${means}`
        : `Nothing was heard of ${title}${hsm === undefined ? '' : ` of ${hsm}`} ${last === undefined ? `since it was first expected at ${since}` : `since ${last}`}. ${means}`,
      over ? 'It runs again, or this would not have been sent.' : 'While this holds you are told again once a day.',
    ],
    facts: facts(notice, context, [
      factOf('Silent', title),
      factOf('Last heard', last === undefined ? (over ? undefined : 'never') : last),
      instantFact('Missed since', dueBy),
      factOf('Schedule', schedule),
    ]),
    mustDo: [
      ...(work === 'logs'
        ? [
            'See whether the diagnostic setting of the HSM still sends to the workspace, and whether the workspace still takes rows.',
          ]
        : []),
      ...(timer === undefined
        ? []
        : [
            `Look at the runs of the function ${timer}: is it enabled, does it start, does the work that it starts fail?`,
          ]),
      ...(work === 'app'
        ? ['Find out why the app did not run: stopped, scaled to nothing, or without its storage account?']
        : []),
      'Look at GET /api/health for what else is late.',
    ],
    ...(notice.notify ? ownerOf({ notify: notice.notify }) : {}),
  };
}

export function heartbeatRecovered(notice: Recovered, context: ComposeContext): Draft {
  const { work, hsm, since, last } = notice;
  const { title } = toldOf(work);
  return {
    severity: 'info',
    action: false,
    headline: `${hsm === undefined ? capital(title) : `${hsm} ${title}`} is heard again`,
    preheader: `Silent until ${last}.`,
    paragraphs: [`After a silence that was noticed since ${since}, ${title} was heard at ${last}.`],
    facts: facts(notice, context, [instantFact('Silent since', since), instantFact('Heard', last)]),
    mustDo: [],
    ...(notice.notify ? ownerOf({ notify: notice.notify }) : {}),
  };
}

const facts = (
  { at, hsm }: { at: string; hsm?: string },
  context: ComposeContext,
  more: Parameters<typeof hsmFacts>[2],
): Draft['facts'] =>
  hsm === undefined
    ? [
        { label: 'Installation', value: context.installation },
        ...more.filter((fact) => fact !== undefined),
        { label: 'At', value: at },
      ]
    : hsmFacts({ at, hsm }, context, more);

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
