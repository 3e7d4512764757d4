import { createHash } from 'node:crypto';
import { createDetect } from '../../shared/detection/detect.ts';
import type { DetectionFacts } from '../../shared/detection/detection-facts.ts';
import type { Finding } from '../../shared/detection/finding.ts';
import { type DetectionMemory, emptyMemory } from '../../shared/detection/memory.ts';
import { BUILT_IN_DETECTION_RULE, type DetectionRule, type KnownIdentity } from '../../shared/detection/rule.ts';
import { HOUR } from '../traffic/calendar.ts';
import type { Strand } from '../traffic/call.ts';
import type { Consumer, Site } from '../traffic/site.ts';
import { type Alert, type Judgement, worseOf } from './alert.ts';
import { createReader, type Reader } from './reader.ts';

const detect = createDetect((text) => createHash('sha256').update(text).digest('hex'));

/** What an owner would have told detection of this HSM: who uses it, its calendar, its network, its backups. */
export function ruleFor(site: Site): DetectionRule {
  const known = (kind: KnownIdentity['kind'], { caller, key }: Consumer): KnownIdentity => ({
    oid: caller.oid,
    name: key,
    kind,
  });
  return {
    ...BUILT_IN_DETECTION_RULE,
    calendar: {
      ...BUILT_IN_DETECTION_RULE.calendar,
      timeZone: site.calendar.zone.name,
      holidays: site.calendar.holidays,
      monthEnd: { lastDays: 1, firstDays: 0, factor: site.parameters.batch.monthEnd },
    },
    backupContainers: [site.approvedContainer],
    identities: [
      ...site.storage.map((each) => known('storage', each)),
      ...site.sql.map((each) => ({ ...known('sql', each), databases: each.databases })),
      known('app', site.signing),
      known('app', site.envelope),
      known('batch', site.batch),
    ],
    network: {
      privateOnly: site.privateOnly,
      allowedRanges: site.privateOnly ? [] : ['203.0.113.0/24'],
      threatRanges: [],
      trustedServices: ['AzureStorage', 'AzureSQL', 'AzurePolicy'],
    },
    canary: { oid: site.own.canary.caller.oid, key: site.canary, everyMinutes: 5 },
  };
}

/** The history, judged once for all runs of a site, hour by hour as an app that is new reads what a workspace has kept. */
export function learn(site: Site, clean: Strand): DetectionMemory {
  const reader = createReader(site, clean);
  const rule = ruleFor(site);
  let memory = emptyMemory();
  while (reader.now() < site.judged) {
    const facts = reader.next(HOUR);
    if (!facts) break;
    ({ memory } = detect(facts, memory, rule));
  }
  return memory;
}

export function judgeWithOurs(
  site: Site,
  strand: Strand,
  learnt: DetectionMemory,
): Judgement & { memoryBytes: number } {
  const reader: Reader = createReader(site, strand);
  const rule = ruleFor(site);
  reader.skipTo(site.judged);
  const before = reader.rows();
  const alerts = new Map<string, Alert>();
  let memory = learnt;
  let groups = 0;
  let bytes = 0;
  for (let facts = reader.next(); facts; facts = reader.next()) {
    const judged = detect(facts, memory, rule);
    memory = judged.memory;
    for (const finding of judged.findings) take(alerts, finding);
    const read = groupsOf(facts);
    groups += read.groups;
    bytes += read.bytes;
  }
  const rows = reader.rows() - before;
  return {
    alerts: [...alerts.values()],
    cost: { rows, groups, bytes },
    memoryBytes: JSON.stringify(memory).length,
  };
}

/** Bytes are those of the answer's JSON, of a typical row of each query. */
function groupsOf(facts: DetectionFacts): { groups: number; bytes: number } {
  const { calls, hours, arrivals, controlPlane } = facts;
  const groups = calls.length + hours.length + arrivals.length + controlPlane.length;
  const ids = calls.reduce((sum, { correlationIds }) => sum + correlationIds.length, 0);
  return {
    groups,
    bytes: calls.length * 420 + ids * 39 + hours.length * 190 + arrivals.length * 170 + controlPlane.length * 400,
  };
}

function take(alerts: Map<string, Alert>, finding: Finding): void {
  const repeat = finding.suppressed !== undefined;
  const known = alerts.get(finding.id);
  if (known && (known.repeat || !repeat)) {
    known.severity = worseOf(finding.severity, known.severity);
    known.score = Math.max(known.score, finding.score);
    known.repeat = repeat;
  }
  if (known) return;
  const { id, detector, severity, score, keys, caller, title } = finding;
  const callers = [caller?.oid, caller?.upn].flatMap((name) => (name ? [name] : []));
  alerts.set(id, { id, detector, at: Date.parse(finding.foundAt), severity, score, callers, keys, title, repeat });
}
