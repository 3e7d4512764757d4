import type { BackupRecord } from '../backup/backup.ts';
import type { DrillRule, DrillTarget } from '../policy/hsm-rule.ts';
import type { RestoreComparison } from '../restore/compare-with-manifest.ts';
import { addDuration } from '../time.ts';
import type { CostEstimate } from './cost-guard.ts';
import { judgeDrill } from './judge-drill.ts';

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

/** What a drill says of the backup itself, whatever became of the objectives. */
export type BackupProof = 'proven' | 'contradicted' | 'undecided';

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
  /** Absent in reports of earlier builds. A drill that failed with a proven backup has missed its objectives alone. */
  proof?: BackupProof;
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

/** The report of a drill, made of its course however it ended. */
export function buildDrillReport(facts: DrillFacts): DrillReport {
  const { rule, backup, sentinels, comparison, cost } = facts;
  const steps = [...facts.steps].sort((a, b) => Date.parse(a.startedOn) - Date.parse(b.startedOn));
  const rpo = measureRpo(facts);
  const rto = measureRto(steps, facts, rule.drills.rto);
  const judged = judgeDrill({ steps, rpo, rto, sentinels, ...(comparison === undefined ? {} : { comparison }) });
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

const secondsBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 1000;
