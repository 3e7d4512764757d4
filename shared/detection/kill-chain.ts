import type { Finding } from './finding.ts';
import { madeKeys } from './made-keys.ts';
import type { RecentFinding } from './memory.ts';
import { callerOf } from './recent.ts';
import type { Report } from './remember.ts';
import type { Scene } from './scene.ts';
import { clampScore, severityOf } from './score.ts';

/**
 * Patterns over several findings. They raise what is there and find nothing themselves:
 * C1 security domain and full backup within 30 days: the HSM can be rebuilt elsewhere.
 * C2 a grant off plan, then its first use within a day (`granted-use.ts`).
 * C3 a gap in the log within two hours of a grave act.
 * C4 a burst of refusals, then a success at the same key within an hour (`denied-burst.ts`).
 * C5 a new key, a server of SQL moved to it or a purge, and an old key deleted within a day: ransom.
 * C6 a key backed up on one HSM and restored on another.
 */
export function raiseByChains(scene: Scene, reports: readonly Report[]): Report[] {
  const live = reports.filter(({ finding }) => counts(finding));
  if (live.length === 0) return [...reports];
  const others: Seen[] = [
    ...scene.memory.recent.filter(counts),
    ...live.map(({ finding, draft }) => ({ ...finding, marks: draft.marks ?? [] })),
  ];
  return reports.map((report) => {
    if (!counts(report.finding)) return report;
    const marks = report.draft.marks ?? [];
    const found = { ...report.finding, marks };
    const chains = CHAINS.filter(({ holds }) => holds(scene, found, others));
    const told = marks.filter((mark) => /^C\d$/.test(mark));
    if (chains.length === 0 && told.length === 0) return report;
    return {
      ...report,
      finding: raise(report.finding, Math.max(0, ...chains.map(({ score }) => score)), [
        ...told,
        ...chains.map(({ id }) => id),
      ]),
    };
  });
}

type Seen = Pick<
  RecentFinding,
  'id' | 'detector' | 'caller' | 'keys' | 'from' | 'until' | 'score' | 'severity' | 'marks'
>;

interface Chain {
  id: string;
  /** At least so much, once it holds. */
  score: number;
  holds(scene: Scene, finding: Seen, others: readonly Seen[]): boolean;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const CHAINS: readonly Chain[] = [
  {
    id: 'C1',
    score: 95,
    holds: (_, finding, others) => {
      const wanted = finding.marks.includes('backup')
        ? 'downloaded'
        : finding.marks.includes('downloaded')
          ? 'backup'
          : undefined;
      return (
        wanted !== undefined &&
        others.some((other) => other.marks.includes(wanted) && within(finding, other, 30 * DAY_MS))
      );
    },
  },
  {
    id: 'C3',
    score: 80,
    holds: (_, finding, others) => {
      const gap = finding.marks.includes('gap');
      if (!gap && !GRAVE.has(finding.detector)) return false;
      return others.some(
        (other) =>
          (gap ? GRAVE.has(other.detector) : other.marks.includes('gap')) && within(finding, other, 2 * HOUR_MS),
      );
    },
  },
  { id: 'C5', score: 95, holds: isRansom },
  {
    id: 'C6',
    score: 90,
    holds: ({ facts, hsm }, finding) =>
      finding.marks.includes('key.restoreblob') &&
      (facts.elsewhere ?? []).some(
        (other) =>
          other.hsm !== hsm &&
          counts(other) &&
          other.marks.includes('key.backup') &&
          within(finding, other, 30 * DAY_MS),
      ),
  },
];

const GRAVE: ReadonlySet<string> = new Set([
  'security-domain-access',
  'unplanned-backup',
  'unplanned-restore',
  'key-material-movement',
  'role-assignment-change',
  'guard-rail-change',
  'destruction',
]);

/** The victim's services are moved to a key that the attacker made, and the way back is cut: in whichever order it is seen. */
function isRansom(scene: Scene, finding: Seen, others: readonly Seen[]): boolean {
  if (!isCut(finding) && !finding.marks.includes('repointed')) return false;
  const made = madeKeys(scene, new Date(Date.parse(finding.until) - DAY_MS).toISOString());
  const cutAfter = (moved: Seen, cut: Seen): boolean =>
    within(moved, cut, DAY_MS) &&
    moved.keys.some((key) => !cut.keys.includes(key) && made.get(key) === callerOf(cut)) &&
    moved.marks.includes('repointed') &&
    isCut(cut);
  if (isCut(finding)) {
    const own = [...made].some(([key, by]) => by === callerOf(finding) && !finding.keys.includes(key));
    return (own && finding.marks.includes('purge')) || others.some((moved) => cutAfter(moved, finding));
  }
  return others.some((cut) => cutAfter(finding, cut));
}

const isCut = ({ detector, marks }: Seen): boolean =>
  detector === 'destruction' && (marks.includes('delete') || marks.includes('purge'));

/** Medium at least, and not explained: a chain of trifles is no chain. */
const counts = ({ score, severity }: Pick<Seen, 'score' | 'severity'>): boolean =>
  severity !== 'Informational' && score > 21;

function within(a: Seen, b: Seen, spanMs: number): boolean {
  const apart = Math.max(Date.parse(a.from), Date.parse(b.from)) - Math.min(Date.parse(a.until), Date.parse(b.until));
  return a.id !== b.id && apart <= spanMs;
}

function raise(finding: Finding, least: number, chains: string[]): Finding {
  const score = clampScore(Math.max(finding.score, least));
  const response = score >= 74 && finding.response === 'notify' ? 'containByApproval' : finding.response;
  return { ...finding, score, severity: severityOf(score), response, chains };
}
