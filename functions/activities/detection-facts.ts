import type { CallClass, CallGroup } from '../../shared/detection/audit-call.ts';
import type { DetectionFacts, KnownKey, LedgerIntent } from '../../shared/detection/detection-facts.ts';
import type { RecentFinding } from '../../shared/detection/memory.ts';
import type { DetectionRule } from '../../shared/detection/rule.ts';
import { AppError, hasCode } from '../../shared/errors.ts';
import type { JournalEntry } from '../../shared/journal/entry.ts';
import type { Log } from '../../shared/log.ts';
import { effectiveRule } from '../../shared/policy/effective-rule.ts';
import { DAY_MS } from '../../shared/time.ts';
import type { DetectionWorld, World } from '../world.ts';
import { readStanding } from './detection-state.ts';
import { announceOnHsm } from './hsm-acts.ts';
import { readIncidents } from './incident-records.ts';
import { entryOf, type Inventory, readInventory } from './inventory.ts';
import type { PolicyInForce } from './policy-in-force.ts';

/** So many announcements of one window; a journal that holds more of them is not ours to judge in one go. */
const MOST_INTENTS = 5_000;
/** Keys whose versions are read for one window. */
const MOST_VERSION_READS = 50;
/** The longest announcement: a restore waits for hours. */
const LONGEST_INTENT_MS = DAY_MS;

/** Words of older entries for what detection calls otherwise. */
const ALIASES: Record<string, CallClass> = {
  'hsm.backup.start': 'backup.start',
  'hsm.restore.start': 'restore.full',
  'key.restore': 'restore.key',
};

/** Everything our journal announced that rows of the window may belong to. */
export async function intentsOf(world: World, hsm: string, from: string, to: string): Promise<LedgerIntent[]> {
  const found = new Map<string, LedgerIntent>();
  const earliest = new Date(Date.parse(from) - LONGEST_INTENT_MS).toISOString();
  for await (const { line } of world.journal.lines({ from: earliest })) {
    const intent = intentOf(line, hsm);
    // Of two entries with one id the first counts.
    if (!intent || found.has(intent.id) || intent.to < from || intent.from > to) continue;
    found.set(intent.id, intent);
    if (found.size > MOST_INTENTS) found.delete(found.keys().next().value as string);
  }
  return [...found.values()];
}

function intentOf(line: string, hsm: string): LedgerIntent | undefined {
  let entry: JournalEntry;
  try {
    entry = JSON.parse(line) as JournalEntry;
  } catch {
    // A line that is broken announces nothing; the verifier tells of it.
    return undefined;
  }
  if (entry.kind !== 'intent' || entry.hsm !== hsm || !entry.window) return undefined;
  const approvedBy = entry.detail?.approvedBy;
  return {
    id: entry.id,
    hsm,
    target: entry.target,
    clientId: entry.identity.clientId,
    from: entry.window.from,
    to: entry.window.to,
    count: Object.fromEntries(
      Object.entries(entry.count ?? {}).map(([of, count]) => [Object.hasOwn(ALIASES, of) ? ALIASES[of] : of, count]),
    ),
    ...(typeof approvedBy === 'string' && approvedBy !== '' ? { approvedBy } : {}),
  };
}

/**
 * What the inventory knows of the keys. Versions are read where it matters: a call used a version that is not the newest, or
 * may have changed the key.
 */
export async function keysOf(
  world: World,
  hsm: string,
  {
    inForce,
    rule,
    calls,
    changed,
  }: { inForce: PolicyInForce; rule: DetectionRule; calls: readonly CallGroup[]; changed: string[] },
  context: { instance: string; step: string },
): Promise<KnownKey[]> {
  const inventory = await readInventory(world.documents, hsm);
  if (!inventory) return [];
  const names = new Map(Object.keys(inventory.keys).map((name) => [name.toLowerCase(), name]));
  const older = calls.flatMap(({ key, version }) => {
    const name = names.get(key ?? '');
    const newest = name === undefined ? undefined : entryOf(inventory, name)?.version;
    return name !== undefined && version !== undefined && version !== newest ? [name] : [];
  });
  const touched = [...new Set([...older, ...changed.flatMap((key) => names.get(key) ?? [])])].slice(
    0,
    MOST_VERSION_READS,
  );
  const versions = await readVersions(world, hsm, touched, context);
  const decoys = new Set(rule.decoyKeys.map((name) => name.toLowerCase()));
  return [...names].map(([lower, name]) => knownKey(lower, name, inventory, versions, inForce, decoys));
}

function knownKey(
  lower: string,
  name: string,
  inventory: Inventory,
  versions: Map<string, KnownKey['versions']>,
  inForce: PolicyInForce,
  decoys: ReadonlySet<string>,
): KnownKey {
  const entry = entryOf(inventory, name);
  const { createdOn = '', enabled = true, version } = entry ?? {};
  const tags = entry?.class === undefined ? {} : { class: entry.class };
  const { class: of } = effectiveRule(inForce.policy, inventory.hsm, name, tags, inForce.version);
  return {
    name: lower,
    createdOn: versions.get(name)?.[0]?.createdOn ?? createdOn,
    versions: versions.get(name) ?? (version === undefined ? [] : [{ version, createdOn, enabled }]),
    ...(of === undefined ? {} : { class: of }),
    decoy: decoys.has(lower),
  };
}

async function readVersions(
  world: World,
  hsm: string,
  names: string[],
  { instance, step }: { instance: string; step: string },
): Promise<Map<string, KnownKey['versions']>> {
  const found = new Map<string, KnownKey['versions']>();
  if (names.length === 0) return found;
  await announceOnHsm(world, {
    act: 'detection.readVersions',
    duty: 'observe',
    hsm,
    target: 'keys/*',
    instance,
    cause: 'audit log',
    step: `${step}:${world.clock.now().toISOString()}`,
    // Four pages of 25 versions each at most.
    count: { 'read.list': names.length * 8 },
  });
  for (const name of names) {
    try {
      found.set(name, await world.keys.observe.versions({ hsm, name }));
    } catch (error) {
      // Deleted since, or not to be read: what the inventory says stands.
      if (!hasCode(error, 'ERR_NOT_FOUND') && !hasCode(error, 'ERR_DENIED')) throw error;
    }
  }
  return found;
}

/**
 * What the platform counted apart from the log, by quarters. A count that cannot be read is unknown, and nobody's fault: the
 * canary still tells whether rows arrive.
 */
export async function serviceHitsOf(
  world: World,
  { metrics }: DetectionWorld,
  hsm: string,
  { from, to, log }: { from: string; to: string; log: Log },
): Promise<Pick<DetectionFacts, 'serviceHits'>> {
  const resourceId = world.hsms.find(({ name }) => name === hsm)?.resourceId;
  if (!resourceId) return {};
  try {
    return { serviceHits: await metrics.serviceHits(resourceId, from, to) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    log.warn('CallsNotCounted', { hsm, code: error.code, message: error.message });
    return {};
  }
}

/** Incidents under way, so that what belongs to them is not learnt as usual. */
export async function openIncidentsOf(
  world: World,
  hsm: string,
): Promise<NonNullable<DetectionFacts['openIncidents']>> {
  const incidents = await readIncidents(world.documents, hsm);
  return incidents
    .filter(({ status }) => status !== 'closed')
    .map(({ subject, openedAt: from }) => ({
      from,
      ...(subject.kind === 'caller' ? { caller: subject.caller.oid } : {}),
      ...(subject.kind === 'key' ? { key: subject.key } : {}),
    }));
}

/** What was found on the other HSMs of this installation. */
export async function foundElsewhere(world: World, hsm: string, now: Date): Promise<RecentFinding[]> {
  const since = new Date(now.getTime() - 30 * DAY_MS).toISOString();
  const found: RecentFinding[] = [];
  for (const { name } of world.hsms) {
    if (name === hsm) continue;
    const recent = (await readStanding(world.documents, name))?.judgement.memory.recent ?? [];
    found.push(...recent.filter(({ until }) => until >= since));
  }
  return found;
}
