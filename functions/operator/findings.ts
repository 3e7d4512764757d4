import type { Severity } from '../../shared/detection/finding.ts';
import type { FindingRecord } from '../../shared/detection/finding-record.ts';
import { compareSeverity } from '../../shared/detection/score.ts';
import { verdictsByDetector } from '../../shared/incident/verdicts.ts';
import { DAY_MS } from '../../shared/time.ts';
import { findFinding } from '../activities/finding-places.ts';
import { readIncidents } from '../activities/incident-records.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import { notListed } from './problem.ts';

export type FindingOperation = 'listFindings' | 'showFinding';

const MOST = 500;
const USUAL_DAYS = 7;

export async function listFindings(
  world: World,
  { hsm, severity, since }: { hsm?: string; severity?: string; since?: string },
): Promise<Answer> {
  const least = (severity ?? 'Low') as Severity;
  const from = new Date(since ?? world.clock.now().getTime() - USUAL_DAYS * DAY_MS).toISOString();
  const paths: string[] = [];
  for (const { name } of world.hsms.filter((each) => hsm === undefined || each.name === hsm)) {
    for await (const path of world.documents.list('state', folderOf(name))) {
      if (dayOf(path) >= from.slice(0, 10)) paths.push(path);
    }
  }
  paths.sort((a, b) => (dayOf(a) < dayOf(b) ? 1 : -1));
  const found: FindingRecord[] = [];
  for (const path of paths) {
    // Of the day on which the limit is reached all are read, so that the newest of it are shown.
    if (found.length >= MOST && dayOf(path) < (found.at(-1)?.foundAt.slice(0, 10) ?? '')) break;
    const finding = (await world.documents.read<FindingRecord>('state', path))?.value;
    if (finding && finding.foundAt >= from && compareSeverity(finding.severity, least) >= 0) found.push(finding);
  }
  found.sort((a, b) => (a.foundAt < b.foundAt ? 1 : -1));
  const incidents = (await readIncidents(world.documents, hsm)).filter((each) =>
    world.hsms.some(({ name }) => name === each.hsm),
  );
  const verdicts = verdictsByDetector(incidents, world.clock.now());
  return { status: 200, body: { findings: found.slice(0, MOST).map(inBrief), more: found.length > MOST, verdicts } };
}

export async function showFinding(world: World, id: string): Promise<Answer> {
  const finding = await findFinding(world.documents, id);
  if (finding && world.hsms.some(({ name }) => name === finding.hsm)) return { status: 200, body: shown(finding) };
  throw notListed('finding', id);
}

const folderOf = (hsm: string) => `detection/${hsm}/findings/`;
const dayOf = (path: string): string => path.split('/').at(-2) ?? '';

const shown = ({ windows, ...finding }: FindingRecord) => ({ ...finding, windows: windows.length });

const inBrief = (finding: FindingRecord) => {
  const { id, hsm, detector, severity, score, title, caller, address, keys, keysInAll, from, until, foundAt } = finding;
  const known = { ...(caller && { caller }), ...(address && { address }) };
  return { id, hsm, detector, severity, score, title, ...known, keys, keysInAll, from, until, foundAt };
};
