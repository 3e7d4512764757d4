import type { CallGroup } from '../../shared/detection/audit-call.ts';
import { type Incident, keysWithoutEvidence, roundOf } from '../../shared/incident/incident.ts';
import { canonicalJson } from '../../shared/journal/canonical.ts';
import type { LogWindow } from '../../shared/ports/audit-log.ts';
import { subtractDuration } from '../../shared/time.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { type Keep, keepFindings, keepKeys, keepRoles, patience } from './incident-evidence-records.ts';
import { changeIncident, incidentOf } from './incident-records.ts';
import { keepSignIns } from './incident-sign-ins.ts';
import { keepSurroundings, type Read, suspicionOf } from './incident-surroundings.ts';
import { noted, US } from './incident-world.ts';
import { hex, utf8 } from './text.ts';

/** How far around the suspicion the log is kept. */
const AROUND = 'P1D';
const MOST_GAPS = 100;

/** Where the records of one round lie in the container `evidence`. */
export const evidencePath = ({ hsm, id, round = 1 }: Pick<Incident, 'hsm' | 'id' | 'round'>): string =>
  `incidents/${hsm}/${id}/round-${round}`;

/** One record as it lies in `evidence`. */
interface EvidenceRecord {
  schema: 1;
  name: string;
  takenAt: string;
  /** What was asked: windows, limits, scopes. */
  asked: Record<string, unknown>;
  content: unknown;
}

interface EvidenceManifest {
  schema: 1;
  incident: string;
  hsm: string;
  round: number;
  takenAt: string;
  records: { path: string; sha256: string }[];
  gaps: string[];
  /** What this installation does not have, so that nobody looked; absent: an older manifest. */
  absent?: string[];
  spans: boolean;
  /** The keys that it is about; absent: an older manifest. */
  keys?: string[];
}

export const incidentEvidenceActivities = (world: World) =>
  ({
    /**
     * Keeps what was seen before anything is changed: log, findings, roles at every scope, keys and versions. Each record is
     * written once and hashed over its canonical JSON. What cannot be read is a gap that is said, and stops nothing.
     */
    async collectEvidence({ incident: id }) {
      const incident = await incidentOf(world, id);
      if (incident.evidence?.round === roundOf(incident)) await collectMore(world, incident);
      else await collectFirst(world, incident);
      return { kind: 'done' };
    },
  }) satisfies Partial<ActivityHandlers>;

async function collectFirst(world: World, incident: Incident): Promise<void> {
  const round = roundOf(incident);
  const { path, manifest } = await manifestAt(world, incident, evidencePath(incident));
  const { takenAt, records, gaps, absent = [], spans, keys } = manifest;
  await changeIncident(world, incident.id, (current) => {
    if (current.evidence?.round === round) return current;
    const text = `${records.length} records kept${gaps.length === 0 ? '' : `; not readable: ${gaps.join('; ')}`}`;
    return {
      ...noted(current, { at: world.clock.now().toISOString(), kind: 'evidence', by: US, text }),
      evidence: {
        ...{ round, at: takenAt, manifest: path, sha256: digest(world, manifest), records: records.length },
        ...{ gaps, absent, spans, ...(keys && { keys }) },
      },
    };
  });
}

/** What joined since is kept as well before anything is done about it, in a set of its own: no record is written twice. */
async function collectMore(world: World, incident: Incident): Promise<void> {
  const keys = keysWithoutEvidence(incident);
  if (keys.length === 0) return;
  const before = incident.evidence?.more ?? [];
  const base = `${evidencePath(incident)}/more-${before.length + 1}`;
  const { path, manifest } = await manifestAt(world, { ...incident, keys, keysUsed: keys }, base);
  const about = manifest.keys ?? keys;
  await changeIncident(world, incident.id, (current) => {
    const { evidence } = current;
    if (evidence?.round !== roundOf(incident) || (evidence.more ?? []).some((each) => each.manifest === path)) {
      return current;
    }
    const { takenAt, records, gaps } = manifest;
    const set = { at: takenAt, manifest: path, sha256: digest(world, manifest), records: records.length, keys: about };
    const text = `${records.length} records kept about ${about.slice(0, 5).join(', ')}${about.length > 5 ? ', …' : ''}, which came to it later`;
    return {
      ...noted(current, { at: world.clock.now().toISOString(), kind: 'evidence', by: US, text }),
      evidence: {
        ...evidence,
        gaps: [...new Set([...evidence.gaps, ...gaps])].slice(0, MOST_GAPS),
        more: [...(evidence.more ?? []), set],
      },
    };
  });
}

/** What an earlier run kept stands. */
async function manifestAt(world: World, incident: Incident, base: string) {
  const path = `${base}/manifest.json`;
  const kept = await world.documents.read<EvidenceManifest>('evidence', path);
  return { path, manifest: kept?.value ?? (await takeEvidence(world, incident, base)) };
}

const digest = (world: World, value: unknown): string =>
  hex(world.crypto.digest('SHA-256', utf8(canonicalJson(value))));

async function takeEvidence(world: World, incident: Incident, base: string): Promise<EvidenceManifest> {
  const takenAt = world.clock.now().toISOString();
  const gaps: string[] = [];
  const absent: string[] = [];
  const records: EvidenceManifest['records'] = [];
  const keep = async (name: string, asked: Record<string, unknown>, content: unknown) => {
    const path = `${base}/${name}.json`;
    const record: EvidenceRecord = { schema: 1, name, takenAt, asked, content };
    const written = await world.documents.create('evidence', path, record);
    // What an earlier run wrote stands, and its hash with it.
    const stands =
      written === 'exists' ? (await world.documents.read<EvidenceRecord>('evidence', path))?.value : undefined;
    records.push({ path, sha256: digest(world, stands ?? record) });
    return (stands ?? record).content;
  };
  const spans = await keepLog(world, incident, gaps, keep);
  await keepFindings(world, incident, gaps, keep);
  await keepRoles(world, incident, gaps, keep);
  await keepKeys(world, incident, gaps, keep);
  const known = patience(incident);
  const read: Read = (reading, what) => known(reading, (error) => void gaps.push(`${what}: ${error.message}`));
  await keepSurroundings(world, incident, read, { keep, absent });
  await keepSignIns(world, incident, read, { keep, absent });
  const manifest: EvidenceManifest = {
    schema: 1,
    incident: incident.id,
    hsm: incident.hsm,
    round: roundOf(incident),
    takenAt,
    records,
    gaps,
    absent,
    spans,
    keys: incident.keys,
  };
  const written = await world.documents.create('evidence', `${base}/manifest.json`, manifest);
  if (written !== 'exists') return manifest;
  return (await world.documents.read<EvidenceManifest>('evidence', `${base}/manifest.json`))?.value ?? manifest;
}

interface LogExtract {
  calls: CallGroup[];
  more: number;
  earliest: string | null;
}

/** Rows of the caller and of the keys. True where the log reaches back to before the suspicion. */
async function keepLog(world: World, incident: Incident, gaps: string[], keep: Keep): Promise<boolean> {
  const { hsm } = incident;
  const known = patience(incident);
  const log = world.auditLog;
  if (!log) {
    gaps.push('the audit log: no workspace is set');
    return false;
  }
  const now = world.clock.now();
  const suspicion = suspicionOf(incident, now);
  const window: LogWindow = {
    hsm,
    after: subtractDuration(suspicion, AROUND).toISOString(),
    upTo: now.toISOString(),
  };
  const gap = (what: string) => (error: Error) => void gaps.push(`${what}: ${error.message}`);
  const sensitive = await known(log.sensitiveCalls(window), gap('sensitive calls'));
  const refused = await known(log.refusedCalls(window), gap('refused calls'));
  const use = await known(log.keyUse(window), gap('use of keys'));
  const control = await known(log.controlPlane(window), gap('acts on the resource'));
  const all = [...(sensitive?.calls ?? []), ...(refused?.calls ?? []), ...(use?.calls ?? [])];
  const firsts = all.map(({ first }) => Date.parse(first)).filter((each) => !Number.isNaN(each));
  const extract: LogExtract = {
    calls: all.filter((call) => concerns(incident, call)),
    more: (sensitive?.more ?? 0) + (refused?.more ?? 0) + (use?.more ?? 0),
    earliest: firsts.length === 0 ? null : new Date(Math.min(...firsts)).toISOString(),
  };
  const queries = ['sensitiveCalls', 'refusedCalls', 'keyUse'];
  const kept = (await keep(
    'log',
    { window, queries, subject: incident.subject, keys: incident.keys },
    extract,
  )) as LogExtract;
  if (control) await keep('control-plane', { window }, control);
  if (kept.more > 0) gaps.push(`${kept.more} groups of log rows beyond the limit`);
  const spans = kept.earliest !== null && Date.parse(kept.earliest) < suspicion.getTime();
  if (!spans) gaps.push('the log does not reach back to before the first finding');
  return spans;
}

/** Whatever the caller did, and whatever was done with the keys. */
function concerns({ subject, keys }: Incident, { caller, key }: CallGroup): boolean {
  const touched = key !== undefined && keys.some((each) => each.toLowerCase() === key.toLowerCase());
  if (subject.kind === 'hsm') return true;
  if (subject.kind === 'key') return touched;
  return touched || caller.oid.toLowerCase() === subject.caller.oid.toLowerCase();
}
