import type { BackupRecord } from '../backup/backup.ts';
import type { DrillRule, DrillTarget } from '../policy/hsm-rule.ts';
import type { RestoreComparison } from '../restore/compare-with-manifest.ts';
import { addDuration, DAY_MS } from '../time.ts';
import type { CostEstimate } from './cost-guard.ts';

/** One step of a drill as it ran. */
export interface DrillStep {
  /** `prepareTarget`, `safetyBackup`, `restore`, `compare`, `sentinels`, `tearDown`, … */
  name: string;
  /** For people. */
  title: string;
  startedOn: string;
  endedOn?: string;
  result: 'done' | 'failed' | 'skipped' | 'running';
  /** Time that passed in waiting, such as for the age of the safety backup; part of the duration. */
  waitedSeconds?: number;
  /** `people`: it waited for a person, and its time is theirs. Absent: the machine's. */
  by?: 'people';
  detail?: string;
}

/** Data wrapped or signed before, and opened or verified on the restored HSM. */
export interface SentinelResult {
  key: string;
  version: string;
  operation: string;
  result: 'ok' | 'failed' | 'notTried';
  detail?: string;
}

/** A figure against what the policy allows. Seconds. */
export interface MeasuredObjective {
  seconds?: number;
  /** What people took meanwhile, which is not part of `seconds`. Absent where no person was needed. */
  peopleSeconds?: number;
  objectiveSeconds: number;
  result: 'met' | 'missed' | 'notMeasured';
  /** What was measured, from where to where. */
  meaning: string;
}

/** What became of the HSM that a drill made. */
export interface TearDown {
  hsm: string;
  /** `removed`: deleted, and soft-deleted until `goneOn`. `nothingMade`: the drill ended before. `remains`: it still runs. */
  state: 'removed' | 'nothingMade' | 'remains';
  removedOn?: string;
  /** When the service purges it by itself. */
  goneOn?: string;
  /** From the deletion until then. */
  cost?: number;
  text: string;
  /** For a person: what ends its cost. */
  command?: string;
}

export type DrillVerdict = 'passed' | 'failed' | 'inconclusive';

export interface DrillReport {
  version: 1;
  drill: string;
  installation: string;
  hsm: string;
  target: { hsm: string; kind: DrillTarget['kind']; region?: string };
  backup: Pick<BackupRecord, 'id' | 'takenOn' | 'keys' | 'versions' | 'bytes' | 'notCovered' | 'securityDomain'> & {
    manifestSha256?: string;
  };
  startedOn: string;
  endedOn: string;
  steps: DrillStep[];
  rpo: MeasuredObjective;
  rto: MeasuredObjective;
  /** Absent where the drill did not come so far. */
  comparison?: RestoreComparison;
  sentinels: SentinelResult[];
  cost?: CostEstimate;
  /** Of a temporary HSM. */
  tearDown?: TearDown;
  verdict: DrillVerdict;
  /** Why the verdict is what it is, the gravest first. */
  reasons: string[];
  /** What a person should do. */
  nextSteps: string[];
}

export interface DrillFacts {
  drill: string;
  installation: string;
  hsm: string;
  target: { hsm: string; kind: DrillTarget['kind']; region?: string };
  backup: BackupRecord;
  /** The instant at which the source is taken to be lost: the start of the drill. */
  startedOn: string;
  endedOn: string;
  steps: DrillStep[];
  comparison?: RestoreComparison;
  sentinels: SentinelResult[];
  cost?: CostEstimate;
  tearDown?: TearDown;
  /** What people took, of a drill that needed them. */
  peopleSeconds?: number;
  rule: { rpo: string; drills: Pick<DrillRule, 'rto'> };
}

/** The steps that a restore ends with: verified means compared, and tried where there was something to try. */
const VERIFYING: ReadonlySet<string> = new Set(['compare', 'sentinels']);

/** Steps without which there is no drill: skipping one is a doubt of its own. */
const NEEDED: ReadonlySet<string> = new Set([
  ...VERIFYING,
  ...['prepareTarget', 'keepSentinels', 'lock', 'rehearsal', 'restore'],
]);

/**
 * The report of a drill. Failed: something that must come back did not, or an objective was missed. Inconclusive: nothing
 * contradicts the backup, but something that had to be looked at was not.
 */
export function buildDrillReport(facts: DrillFacts): DrillReport {
  const { rule, backup, sentinels, comparison, cost } = facts;
  const steps = [...facts.steps].sort((a, b) => Date.parse(a.startedOn) - Date.parse(b.startedOn));
  const rpo = measureRpo(facts);
  const rto = measureRto(steps, facts, rule.drills.rto);
  const judged = judge({ steps, rpo, rto, sentinels, ...(comparison === undefined ? {} : { comparison }) });
  return {
    version: 1,
    drill: facts.drill,
    installation: facts.installation,
    hsm: facts.hsm,
    target: facts.target,
    backup: {
      id: backup.id,
      takenOn: backup.takenOn,
      keys: backup.keys,
      versions: backup.versions,
      bytes: backup.bytes,
      notCovered: backup.notCovered,
      securityDomain: backup.securityDomain,
      ...(backup.manifest === undefined ? {} : { manifestSha256: backup.manifest.sha256 }),
    },
    startedOn: facts.startedOn,
    endedOn: facts.endedOn,
    steps,
    rpo,
    rto,
    ...(comparison === undefined ? {} : { comparison }),
    sentinels,
    ...(cost === undefined ? {} : { cost }),
    ...(facts.tearDown === undefined ? {} : { tearDown: facts.tearDown }),
    ...judged,
  };
}

/** Data made after the backup is lost: so the recovery point is as old as the backup was when the drill began. */
function measureRpo({ backup, startedOn, rule }: DrillFacts): MeasuredObjective {
  const seconds = Math.max(0, secondsBetween(backup.takenOn, startedOn));
  return objective(seconds, rule.rpo, 'From the state in the backup to the start of the drill.');
}

/** An objective is about what was built, so what people took to come together is told beside it and not held against it. */
function measureRto(
  steps: readonly DrillStep[],
  { startedOn, peopleSeconds }: Pick<DrillFacts, 'startedOn' | 'peopleSeconds'>,
  rto: string,
): MeasuredObjective {
  const verifying = steps.filter(({ name, result }) => VERIFYING.has(name) && result !== 'skipped');
  const ended = verifying.flatMap(({ result, endedOn }) =>
    result === 'done' && endedOn !== undefined ? [endedOn] : [],
  );
  const whole = ended.length > 0 && ended.length === verifying.length;
  const last = Math.max(...ended.map((each) => Date.parse(each)));
  const all = whole ? (last - Date.parse(startedOn)) / 1000 : undefined;
  const meaning = 'From the start of the drill until the restored HSM was verified';
  if (peopleSeconds === undefined) return objective(all, rto, `${meaning}.`);
  const machine = all === undefined ? undefined : Math.max(0, all - peopleSeconds);
  return { ...objective(machine, rto, `${meaning}, without the time that people took.`), peopleSeconds };
}

function objective(seconds: number | undefined, limit: string, meaning: string): MeasuredObjective {
  const objectiveSeconds = addDuration(new Date(0), limit).getTime() / 1000;
  if (seconds === undefined) return { objectiveSeconds, result: 'notMeasured', meaning };
  return { seconds, objectiveSeconds, result: seconds <= objectiveSeconds ? 'met' : 'missed', meaning };
}

function judge({
  steps,
  rpo,
  rto,
  sentinels,
  comparison,
}: Pick<DrillReport, 'steps' | 'rpo' | 'rto' | 'sentinels' | 'comparison'>): Pick<
  DrillReport,
  'verdict' | 'reasons' | 'nextSteps'
> {
  const failed = steps.filter(({ result }) => result === 'failed');
  const broken = sentinels.filter(({ result }) => result === 'failed');
  const untried = sentinels.filter(({ result }) => result === 'notTried');
  const open = steps.filter(({ result, name }) => result === 'running' || (result === 'skipped' && NEEDED.has(name)));
  // The age of a backup that was never restored is a fact about the schedule; a drill that did not come about fails nothing.
  const tried = comparison !== undefined || failed.some(({ name }) => name !== 'tearDown');
  const tooOld = rpo.result === 'missed' ? [`The backup was older than the objective: ${duration(rpo)}.`] : [];
  const faults = [
    ...(comparison !== undefined && comparison.critical > 0
      ? [`${count(comparison.critical, 'difference')} from the manifest that consumers would feel.`]
      : []),
    ...broken.map(({ key, operation, detail }) => `Sentinel of ${key} failed at ${operation}${tail(detail)}`),
    // What stays behind after a good restore costs money, and does not make the backup worse.
    ...failed.filter(({ name }) => name !== 'tearDown').map(({ title, detail }) => `${title} failed${tail(detail)}`),
    ...(rto.result === 'missed' ? [`Restoring took longer than the objective: ${duration(rto)}.`] : []),
    ...(tried ? tooOld : []),
  ];
  const doubts = [
    ...open.map(({ title, result, detail }) =>
      result === 'running' ? `${title} did not end.` : `${title} was skipped${tail(detail)}`,
    ),
    ...(tried ? [] : tooOld),
    ...(comparison === undefined ? ['The restored HSM was not compared with the manifest.'] : []),
    ...(sentinels.length === 0 ? ['No sentinel was kept before, so no key was tried.'] : []),
    ...(sentinels.length > 1 && untried.length === sentinels.length
      ? [`None of ${sentinels.length} sentinels was tried${tail(untried[0]?.detail)}`]
      : untried.map(({ key, detail }) => `Sentinel of ${key} was not tried${tail(detail)}`)),
  ];
  const remains = failed
    .filter(({ name }) => name === 'tearDown')
    .map(({ detail }) => `Remove the temporary HSM by hand, it goes on costing${tail(detail)}`);
  if (faults.length > 0) {
    const nextSteps = [
      'Take a new backup now, and run the drill with it.',
      'See in the report what failed. Until the cause is found, do not count on the backup that was tried.',
      ...remains,
    ];
    return { verdict: 'failed', reasons: [...faults, ...doubts], nextSteps };
  }
  if (doubts.length > 0) {
    return {
      verdict: 'inconclusive',
      reasons: doubts,
      nextSteps: ['Clear up what was not looked at, and run the drill again.', ...remains],
    };
  }
  const proof = `All ${count(comparison?.compared.keys ?? 0, 'key')} came back as the manifest says, and ${count(sentinels.length, 'sentinel')} opened.`;
  return { verdict: 'passed', reasons: [proof], nextSteps: remains };
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
const tail = (detail: string | undefined): string =>
  detail === undefined ? '.' : `: ${detail}${/[.!?]$/.test(detail) ? '' : '.'}`;
const duration = ({ seconds, objectiveSeconds }: MeasuredObjective): string =>
  `${printSeconds(seconds ?? 0)}, and ${printSeconds(objectiveSeconds)} are allowed`;
const secondsBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 1000;

/** `2 d 4 h`, `1 h 5 min`, `42 s`, `0.8 s`: the two largest parts. */
export function printSeconds(seconds: number): string {
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  const whole = Math.round(seconds);
  const parts = [
    [Math.floor(whole / (DAY_MS / 1000)), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
}
