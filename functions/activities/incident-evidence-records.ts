import type { Incident } from '../../shared/incident/incident.ts';
import { isPlain } from '../../shared/incident/plan-keys.ts';
import type { World } from '../world.ts';
import { readFinding } from './incident-records.ts';
import { known as knownOrThrown, rolesReader } from './incident-world.ts';
import { presentKeys } from './present-keys.ts';

const MOST_KEYS = 50;

export type Keep = (name: string, asked: Record<string, unknown>, content: unknown) => Promise<unknown>;

/** The second time round whatever is out of reach is a gap: containment waits for no workspace. */
export const patience =
  ({ tired = [] }: Incident) =>
  <T>(read: Promise<T> | undefined, missing: (error: Error) => void) =>
    knownOrThrown(read, missing, tired.includes('evidence'));

/** A name in a log row is whatever a caller sent; only one that can be a key's is asked for. */
const plainKeys = (keys: readonly string[]): string[] => keys.filter(isPlain).slice(0, MOST_KEYS);

export async function keepFindings(
  world: World,
  { hsm, findings }: Incident,
  gaps: string[],
  keep: Keep,
): Promise<void> {
  const whole = [];
  for (const { id, foundAt } of findings) {
    const finding = await readFinding(world.documents, hsm, foundAt.slice(0, 10), id);
    if (finding) whole.push(finding);
    else gaps.push(`finding ${id}: it lies elsewhere, or was removed`);
  }
  await keep('findings', { ids: findings.map(({ id }) => id) }, whole);
}

export async function keepRoles(world: World, incident: Incident, gaps: string[], keep: Keep): Promise<void> {
  const { hsm, keys } = incident;
  const known = patience(incident);
  const access = rolesReader(world);
  if (!access) {
    gaps.push('roles: no identity may read them');
    return;
  }
  const scopes = ['/', '/keys', ...plainKeys(keys).map((key) => `/keys/${key}`)];
  const gap = (what: string) => (error: Error) => void gaps.push(`${what}: ${error.message}`);
  const assignments = await known(access.inventory(hsm, plainKeys(keys)), gap('role assignments'));
  if (assignments) await keep('role-assignments', { scopes }, assignments);
  const definitions = await known(access.roleDefinitions(hsm), gap('role definitions'));
  if (definitions) await keep('role-definitions', { scope: '/' }, definitions);
  if (!world.detection) {
    gaps.push('settings: nothing reads them');
    return;
  }
  const settings = await known(world.detection.configuration.settings(hsm), gap('settings'));
  if (settings) await keep('settings', {}, settings);
}

export async function keepKeys(world: World, incident: Incident, gaps: string[], keep: Keep): Promise<void> {
  const { hsm, keys } = incident;
  const known = patience(incident);
  const observe = world.keys.observe;
  const names = plainKeys(keys);
  const present = await presentKeys(world, hsm, names, incident.tired?.includes('evidence'));
  for (const name of names) {
    const key = { hsm, name };
    const gap = (error: Error) => void gaps.push(`key ${name}: ${error.message}`);
    if (!present.has(name)) {
      gaps.push(`key ${name}: the log names it, and the HSM has no key of this name`);
      continue;
    }
    const facts = await known(observe.read(key), gap);
    if (!facts) continue;
    const [versions, rotationPolicy] = [
      await known(observe.versions(key), gap),
      await known(observe.readRotationPolicy(key), gap),
    ];
    await keep(
      `key-${name}`,
      { key: name },
      { facts, versions: versions ?? null, rotationPolicy: rotationPolicy ?? null },
    );
  }
}
