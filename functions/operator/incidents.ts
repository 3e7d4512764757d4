import type * as z from 'zod';
import type { Finding } from '../../shared/detection/finding.ts';
import { obstaclesToClosing } from '../../shared/incident/closing.ts';
import { describeSubject, type Incident, subjectOf } from '../../shared/incident/incident.ts';
import { openIncident } from '../../shared/incident/join.ts';
import { waitingFor } from '../../shared/incident/turn.ts';
import { isWatched, showWatch } from '../../shared/incident/watch.ts';
import { putFinding } from '../activities/finding-places.ts';
import { joinOne, respondTo } from '../activities/incident-joining.ts';
import { freshPlan } from '../activities/incident-planning.ts';
import { changeIncident, idOf, readIncident, readIncidents } from '../activities/incident-records.ts';
import { hex, utf8 } from '../activities/text.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './authorise.ts';
import { keyUsedBefore } from './backups.ts';
import type { incidentDeclaration } from './incident-routes.ts';
import { notListed } from './problem.ts';
import { requestDigest } from './request-digest.ts';

export async function listIncidents(world: World): Promise<Answer> {
  const incidents = await readIncidents(world.documents);
  return { status: 200, body: { incidents: incidents.map(summaryOf) } };
}

const summaryOf = (incident: Incident) => {
  const { id, hsm, status, severity, score, openedAt, openedBy, lastFindingAt, keys, containment, verdict } = incident;
  return {
    ...{ id, hsm, status, severity, score, class: incident.class, openedAt, openedBy, lastFindingAt, keys },
    about: describeSubject(incident.subject, hsm),
    findings: incident.findingsInAll ?? incident.findings.length,
    contained: containment?.kind ?? null,
    verdict: verdict?.verdict ?? null,
    waitsFor: status === 'closed' ? [] : waitingFor(incident).map((step) => step.id),
  };
};

export async function showIncident(world: World, id: string): Promise<Answer> {
  const incident = await readIncident(world.documents, id);
  if (!incident) throw notListed('incident', id);
  const { version: _, told: __, unpublished: ___, publishAfter: ____, tired: _____, ...shown } = incident;
  const now = world.clock.now();
  const obstacles = incident.status === 'closed' ? [] : obstaclesToClosing(incident, now);
  const watch = showWatch(incident);
  return {
    status: 200,
    body: {
      ...summaryOf(incident),
      ...shown,
      ...(watch && { watch: { ...watch, active: isWatched(incident, now) } }),
      obstaclesToClosing: obstacles,
    },
  };
}

type Declaration = z.infer<typeof incidentDeclaration>;

export interface How {
  dryRun: boolean;
  idempotencyKey?: string;
}

interface DeclarationReceipt {
  schema: 1;
  asked: Declaration;
  finding: Finding;
}

/**
 * A person's suspicion is a finding like any other, so it joins what was found of the same subject. A repeat with the same
 * Idempotency-Key finds its finding known, and starts what the first did not come to start.
 */
export async function declareIncident(
  world: World,
  starter: Starter,
  caller: Caller,
  asked: Declaration,
  { dryRun, idempotencyKey }: How,
): Promise<Answer> {
  const request = requestDigest(world, caller, dryRun ? undefined : idempotencyKey);
  const finding = declaredFinding(world, caller, asked, request);
  if (dryRun) {
    const subject = subjectOf(finding);
    const incident = openIncident(idOf(world, asked.hsm, subject, finding.id), `operator ${caller.name}`, finding);
    const { fresh } = await freshPlan(world, { ...incident, declared: declaredBy(caller, asked) });
    return { status: 200, body: { dryRun: true, about: describeSubject(subject, asked.hsm), steps: fresh } };
  }
  const path = `incident-requests/${request}.json`;
  const receipt: DeclarationReceipt = { schema: 1, asked, finding };
  let stands = receipt;
  if ((await world.documents.create('state', path, receipt)) === 'exists') {
    stands = (await world.documents.read<DeclarationReceipt>('state', path))?.value ?? receipt;
    if (JSON.stringify(stands.asked) !== JSON.stringify(asked)) throw keyUsedBefore('a declared incident');
  }
  const { id, foundAt } = stands.finding;
  await putFinding(world.documents, stands.finding);
  const joined = await joinOne(world, stands.finding, `operator ${caller.name}`);
  if (!joined) throw new Error('a declared compromise opens an incident');
  const incident = await changeIncident(world, joined.incident.id, (current) => {
    const { declared, declaredToo = [] } = current;
    if (!declared) return { ...current, declared: declaredBy(caller, asked) };
    if ([declared.by, ...declaredToo].includes(caller.oid)) return current;
    return { ...current, declaredToo: [...declaredToo, caller.oid] };
  });
  await world.journal.append({
    id: `${incident.id}:incident.declare:${id}`,
    kind: 'note',
    class: 'incident.declare',
    at: foundAt,
    hsm: asked.hsm,
    target: asked.key === undefined ? `incidents/${incident.id}` : `keys/${asked.key}`,
    identity: world.identities.observe,
    cause: caller.oid,
    instance: incident.id,
    detail: { reason: asked.reason, class: asked.class },
  });
  await respondTo(starter, incident, true);
  return {
    status: 202,
    headers: { location: `/api/operations/${incident.id}`, 'retry-after': '10' },
    body: { id: incident.id, status: 'accepted', joined: !joined.opened },
  };
}

const declaredBy = ({ oid, name }: Caller, { reason }: Declaration) => ({ by: oid, name, note: reason });

const SCORE = { Medium: 40, High: 65, Critical: 90 } as const;

function declaredFinding(world: World, { name }: Caller, asked: Declaration, request: string): Finding {
  const { hsm, key, caller, severity, since, reason } = asked;
  const at = world.clock.now().toISOString();
  const digest = world.crypto.digest('SHA-256', utf8(`declared ${request}`));
  return {
    version: 1,
    id: hex(digest).slice(0, 32),
    detector: 'operator',
    detectorVersion: 1,
    hsm,
    ...(caller === undefined ? {} : { caller: { oid: caller.toLowerCase() } }),
    keys: key === undefined ? [] : [key],
    keysInAll: key === undefined ? 0 : 1,
    keysUsed: key === undefined ? [] : [key],
    classes: [],
    from: since === undefined ? at : new Date(since).toISOString(),
    until: at,
    foundAt: at,
    title: `${name} declared a compromise of ${key === undefined ? (caller ?? hsm) : `${hsm}/${key}`}`,
    explanation: reason,
    nextStep: 'Look at what the response found, then decide its steps.',
    score: SCORE[severity],
    severity,
    class: asked.class,
    response: 'containByApproval',
    techniques: [],
    assignments: [],
    facts: {},
    correlationIds: [],
    intents: [],
  };
}
