import { printSeconds } from './print-seconds.ts';
import type { DrillReport, DrillStep, MeasuredObjective } from './report.ts';

/** Steps without which there is no drill: skipping one is a doubt of its own. */
const NEEDED: ReadonlySet<string> = new Set([
  ...['compare', 'sentinels', 'prepareTarget', 'keepSentinels', 'lock', 'rehearsal', 'restore'],
]);

type Judged = Required<Pick<DrillReport, 'verdict' | 'proof' | 'reasons' | 'nextSteps'>>;
type Course = Pick<DrillReport, 'steps' | 'rpo' | 'rto' | 'sentinels' | 'comparison'>;

/**
 * Failed: something that must come back did not, or an objective was missed; `proof` says whether the backup is to blame.
 * Inconclusive: nothing contradicts the backup, but something that had to be looked at was not.
 */
export function judgeDrill(course: Course): Judged {
  const faults = faultsOf(course);
  const doubts = doubtsOf(course);
  const missed = cameAbout(course) ? missedOf(course) : [];
  const remains = course.steps
    .filter(({ name, result }) => name === 'tearDown' && result === 'failed')
    .map(({ detail }) => `Remove the temporary HSM by hand, it goes on costing${tail(detail)}`);
  const better = missed.length === 0 ? [] : betterNextTime(course);
  if (faults.length > 0) {
    return {
      verdict: 'failed',
      proof: 'contradicted',
      reasons: [...faults, ...missed, ...doubts],
      nextSteps: [
        'Take a new backup now, and run the drill with it.',
        'See in the report what failed. Until the cause is found, do not count on the backup that was tried.',
        ...better,
        ...remains,
      ],
    };
  }
  if (doubts.length > 0) {
    return {
      verdict: missed.length > 0 ? 'failed' : 'inconclusive',
      proof: 'undecided',
      reasons: [...missed, ...doubts],
      nextSteps: ['Clear up what was not looked at, and run the drill again.', ...better, ...remains],
    };
  }
  const proof = `All ${count(course.comparison?.compared.keys ?? 0, 'key')} came back as the manifest says, and ${count(course.sentinels.length, 'sentinel')} opened.`;
  return {
    verdict: missed.length > 0 ? 'failed' : 'passed',
    proof: 'proven',
    reasons: [...missed, proof],
    nextSteps: [...better, ...remains],
  };
}

/** What stays behind after a good restore costs money, and does not make the backup worse. */
const failedSteps = ({ steps }: Course): DrillStep[] =>
  steps.filter(({ name, result }) => result === 'failed' && name !== 'tearDown');

/** The age of a backup that was never restored is a fact about the schedule; a drill that did not come about fails nothing. */
const cameAbout = (course: Course): boolean => course.comparison !== undefined || failedSteps(course).length > 0;

/** What speaks against the backup. */
function faultsOf(course: Course): string[] {
  const { comparison, sentinels } = course;
  return [
    ...(comparison !== undefined && comparison.critical > 0
      ? [`${count(comparison.critical, 'difference')} from the manifest that consumers would feel.`]
      : []),
    ...sentinels
      .filter(({ result }) => result === 'failed')
      .map(({ key, operation, detail }) => `Sentinel of ${key} failed at ${operation}${tail(detail)}`),
    ...failedSteps(course).map(({ title, detail }) => `${title} failed${tail(detail)}`),
  ];
}

/** The objectives of the policy that were missed, and by how much. */
const missedOf = ({ rto, rpo }: Pick<Course, 'rto' | 'rpo'>): string[] => [
  ...(rto.result === 'missed' ? [`Restoring took longer than the objective: ${beyond(rto)}.`] : []),
  ...(rpo.result === 'missed' ? [`The backup was older than the objective: ${beyond(rpo)}.`] : []),
];

/** What had to be looked at, and was not. */
function doubtsOf(course: Course): string[] {
  const { steps, sentinels, comparison } = course;
  const open = steps.filter(({ result, name }) => result === 'running' || (result === 'skipped' && NEEDED.has(name)));
  const untried = sentinels.filter(({ result }) => result === 'notTried');
  return [
    ...open.map(({ title, result, detail }) =>
      result === 'running' ? `${title} did not end.` : `${title} was skipped${tail(detail)}`,
    ),
    ...(cameAbout(course) ? [] : missedOf(course)),
    ...(comparison === undefined ? ['The restored HSM was not compared with the manifest.'] : []),
    ...(sentinels.length === 0 ? ['No sentinel was kept before, so no key was tried.'] : []),
    ...(sentinels.length > 1 && untried.length === sentinels.length
      ? [`None of ${sentinels.length} sentinels was tried${tail(untried[0]?.detail)}`]
      : untried.map(({ key, detail }) => `Sentinel of ${key} was not tried${tail(detail)}`)),
  ];
}

function betterNextTime({ steps, rto, rpo }: Course): string[] {
  const [longest] = steps
    .filter(({ name, by }) => name !== 'tearDown' && by !== 'people')
    .map((step) => ({ title: step.title, seconds: secondsOf(step) }))
    .sort((a, b) => b.seconds - a.seconds);
  const where = longest === undefined ? '' : ` Most of it was ${longest.title}, with ${printSeconds(longest.seconds)}.`;
  return [
    ...(rto.result === 'missed'
      ? [`Shorten the restore, or set drills.rto to what the business can bear.${where}`]
      : []),
    ...(rpo.result === 'missed'
      ? [
          'Take backups more often (backup.schedule), or set backup.rpo to what the business can bear. An older backup that was picked for the drill misses it by its age alone.',
        ]
      : []),
  ];
}

const secondsOf = ({ startedOn, endedOn }: DrillStep): number =>
  endedOn === undefined ? 0 : (Date.parse(endedOn) - Date.parse(startedOn)) / 1000;
const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
const tail = (detail: string | undefined): string =>
  detail === undefined ? '.' : `: ${detail}${/[.!?]$/.test(detail) ? '' : '.'}`;
const beyond = ({ seconds = 0, objectiveSeconds }: MeasuredObjective): string =>
  `${printSeconds(seconds)}, ${printSeconds(seconds - objectiveSeconds)} more than the ${printSeconds(objectiveSeconds)} allowed`;
