import type { Arrivals } from '../../shared/detection/audit-call.ts';
import { isSilence } from '../../shared/detection/detectors/logging-gap.ts';
import type { Finding } from '../../shared/detection/finding.ts';
import { opensIncident } from '../../shared/incident/join.ts';
import type { World } from '../world.ts';
import { beat, type Heartbeat, heartbeatPath } from './heartbeats.ts';

/**
 * Writes when the newest row of an HSM's log arrived, as the audit sweep saw it, and the finding that tells of the silence
 * since. Who hears of which silence: shared/heartbeat/expected.ts. A log without any row so far leaves no heartbeat.
 */
export async function beatOfLog(
  world: World,
  hsm: string,
  arrivals: readonly Arrivals[],
  findings: readonly Finding[],
): Promise<void> {
  const before = (await world.documents.read<Heartbeat>('state', heartbeatPath('logs', hsm)))?.value;
  const filled = arrivals.filter(({ rows }) => rows > 0);
  const at = latest([before?.at, ...filled.map(({ lastArrival }) => lastArrival)]);
  if (at === undefined) return;
  const lastEvent = latest(filled.map(({ lastEvent }) => lastEvent));
  // Where our own rows alone stay away, the log is not silent.
  const found = findings.find(
    (finding) => isSilence(finding) && opensIncident(finding) && (lastEvent === undefined || lastEvent <= finding.from),
  )?.id;
  const finding = found ?? (at === before?.at ? before.finding : undefined);
  if (at === before?.at && finding === before.finding) return;
  await beat(world, 'logs', hsm, at, finding === undefined ? {} : { finding });
}

const latest = (instants: readonly (string | undefined)[]): string | undefined =>
  instants.reduce(
    (newest, each) => (each !== undefined && (newest === undefined || each > newest) ? each : newest),
    undefined,
  );
