import type { Finding } from '../../shared/detection/finding.ts';
import { AppError } from '../../shared/errors.ts';
import { type Incident, type IncidentSubject, subjectKey } from '../../shared/incident/incident.ts';
import type { Documents, Stored } from '../../shared/ports/documents.ts';
import { incidentId } from '../instance-ids.ts';
import type { World } from '../world.ts';
import { findingPath } from './finding-places.ts';
import { hex, utf8 } from './text.ts';

const path = (id: string): string => `incidents/${id}.json`;

/** The newest incident of a subject: whoever finds something of the subject joins it there. */
interface SubjectPointer {
  schema: 1;
  incident: string;
}

const pointerPath = (world: World, hsm: string, subject: IncidentSubject): string =>
  `incident-subjects/${hsm}/${digest(world, subjectKey(subject))}.json`;

/** Deterministic for what opens it, so that a repeat opens nothing twice. */
export const idOf = (world: World, hsm: string, subject: IncidentSubject, opening: string): string =>
  incidentId(hsm, digest(world, `${hsm} ${subjectKey(subject)} ${opening}`));

const digest = (world: World, text: string): string => hex(world.crypto.digest('SHA-256', utf8(text))).slice(0, 16);

export const readIncident = async (documents: Documents, id: string): Promise<Incident | undefined> =>
  (await documents.read<Incident>('state', path(id)))?.value;

/** The incident, or a fault that says it is gone. */
export async function incidentOf(world: World, id: string): Promise<Incident> {
  const incident = await readIncident(world.documents, id);
  if (incident) return incident;
  throw new AppError('ERR_INPUT', `There is no incident ${id}.`, {
    nextStep: 'Use an id that GET /api/incidents lists.',
  });
}

/** Every incident, the newest first. */
export async function readIncidents(documents: Documents, hsm?: string): Promise<Incident[]> {
  const found: Incident[] = [];
  for await (const listed of documents.list('state', hsm === undefined ? 'incidents/' : `incidents/incident-${hsm}-`)) {
    const incident = (await documents.read<Incident>('state', listed))?.value;
    if (incident && (hsm === undefined || incident.hsm === hsm)) found.push(incident);
  }
  return found.sort((a, b) => Date.parse(b.openedAt) - Date.parse(a.openedAt));
}

/** Reads, changes and writes until no other writer was in between. `change` may run several times. */
export async function changeIncident(
  world: World,
  id: string,
  change: (incident: Incident) => Incident,
): Promise<Incident> {
  for (;;) {
    const stored = await world.documents.read<Incident>('state', path(id));
    if (!stored) return incidentOf(world, id);
    const next = change(stored.value);
    if (next === stored.value) return next;
    const written = await world.documents.replace('state', path(id), next, stored.etag);
    if (written !== 'changed') return next;
  }
}

/** Writes a new incident, or answers with the one that is there. */
export async function createIncident(world: World, incident: Incident): Promise<Incident> {
  const written = await world.documents.create('state', path(incident.id), incident);
  return written === 'exists' ? ((await readIncident(world.documents, incident.id)) ?? incident) : incident;
}

export interface FoundSubject {
  /** Where the subject points; absent: nothing was ever found of it. */
  pointer?: Stored<SubjectPointer>;
  /** Absent as well where the writer of the pointer ended before it wrote the incident. */
  incident?: Incident;
}

export async function findBySubject(world: World, hsm: string, subject: IncidentSubject): Promise<FoundSubject> {
  const pointer = await world.documents.read<SubjectPointer>('state', pointerPath(world, hsm, subject));
  if (!pointer) return {};
  const incident = await readIncident(world.documents, pointer.value.incident);
  return { pointer, ...(incident ? { incident } : {}) };
}

/** Points the subject at an incident before that is written; false when somebody else pointed it elsewhere meanwhile. */
export async function pointSubject(
  world: World,
  hsm: string,
  subject: IncidentSubject,
  pointer: Stored<SubjectPointer> | undefined,
  incident: string,
): Promise<boolean> {
  const next: SubjectPointer = { schema: 1, incident };
  const at = pointerPath(world, hsm, subject);
  const written = pointer
    ? await world.documents.replace('state', at, next, pointer.etag)
    : await world.documents.create('state', at, next);
  return typeof written !== 'string';
}

export const readFinding = async (documents: Documents, hsm: string, day: string, id: string) =>
  (await documents.read<Finding>('state', findingPath(hsm, day, id)))?.value;
