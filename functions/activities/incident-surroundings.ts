import type { DiagnosticSetting } from '../../shared/detection/diagnostic-setting.ts';
import { lookedAgain, type Seen, stoodAt } from '../../shared/detection/seen.ts';
import type { Incident } from '../../shared/incident/incident.ts';
import type { LoggingFacts } from '../../shared/incident/plan-logging.ts';
import type { HsmResource } from '../../shared/ports/hsm-resources.ts';
import type { World } from '../world.ts';
import { readStanding } from './detection-state.ts';

/** How something stood before the first finding, how it stands, and every state that followed, as far as anybody looked. */
export interface Surrounding<T> {
  before?: Seen<T>;
  now?: T;
  since: Seen<T>[];
}

export interface Surroundings {
  network: Surrounding<HsmResource['network']>;
  diagnostics: Surrounding<DiagnosticSetting[]>;
}

/** Reads with the patience of whoever asks: undefined is what could not be read. */
export type Read = <T>(read: Promise<T> | undefined, what: string) => Promise<T | undefined>;

/** Where evidence is put, and where is said what there was none of. */
export interface Keeping {
  keep(name: string, asked: Record<string, unknown>, content: unknown): Promise<unknown>;
  absent: string[];
}

/** The instant of the earliest call that the findings speak of. */
export function suspicionOf({ findings }: Pick<Incident, 'findings'>, now: Date): Date {
  const starts = findings.map(({ from }) => Date.parse(from)).filter((each) => !Number.isNaN(each));
  return new Date(Math.min(now.getTime(), ...starts));
}

/** What stands around the HSM, from the looks of detection and one of now. */
export async function surroundingsOf(world: World, incident: Incident, read: Read): Promise<Surroundings> {
  const now = world.clock.now();
  const suspicion = suspicionOf(incident, now).toISOString();
  const resourceId = resourceIdOf(world, incident.hsm);
  const standing = await read(readStanding(world.documents, incident.hsm), 'earlier looks at the HSM');
  const resources = world.detection?.resources ?? world.backups?.resources;
  const network = (await read(resources?.read(resourceId), 'network rules'))?.network;
  const diagnostics = await read(world.detection?.diagnostics.list(resourceId), 'diagnostic settings');
  const sighted = standing?.judgement.sighted;
  return {
    network: surrounding(sighted?.network ?? [], network, suspicion, now),
    diagnostics: surrounding(sighted?.diagnostics ?? [], diagnostics, suspicion, now),
  };
}

export const resourceIdOf = (world: World, hsm: string): string =>
  world.hsms.find(({ name }) => name === hsm)?.resourceId ?? '';

function surrounding<T>(seen: readonly Seen<T>[], value: T | undefined, suspicion: string, now: Date): Surrounding<T> {
  const before = stoodAt(seen, suspicion);
  const all = value === undefined ? [...seen] : lookedAgain(seen, value, now.toISOString());
  return {
    ...(before ? { before } : {}),
    ...(value === undefined ? {} : { now: value }),
    since: all.filter(({ from }) => before === undefined || from > before.from),
  };
}

/** What a plan needs to know of the log: as it went before the first finding, or at the first look. */
export function loggingOf(resourceId: string, { diagnostics }: Surroundings): LoggingFacts | undefined {
  const { before, since, now } = diagnostics;
  const stood = before ?? since[0];
  if (!stood) return undefined;
  return { resourceId, before: stood.value, seenOn: stood.until, ...(now ? { now } : {}) };
}

/** Network rules, private endpoints and diagnostic settings: as they stood before the first finding, and what changed since. */
export async function keepSurroundings(
  world: World,
  incident: Incident,
  read: Read,
  { keep, absent }: Keeping,
): Promise<void> {
  const resourceId = resourceIdOf(world, incident.hsm);
  const { network, diagnostics } = await surroundingsOf(world, incident, read);
  for (const [name, what, seen, reader] of [
    ['network', 'network rules', network, world.detection?.resources ?? world.backups?.resources],
    ['diagnostic-settings', 'diagnostic settings', diagnostics, world.detection?.diagnostics],
  ] as const) {
    if (!reader) absent.push(`${what}: nothing reads them here`);
    else if (!seen.before) absent.push(`${what} before the first finding: nobody had looked by then`);
    if (seen.now !== undefined || seen.since.length > 0) await keep(name, { resourceId }, seen);
  }
}
