import type { ManifestKey, ManifestVersion } from '../../shared/backup/manifest.ts';
import { chance } from '../../shared/drill/decide-drill.ts';
import type { SentinelResult } from '../../shared/drill/report.ts';
import { hasCode } from '../../shared/errors.ts';
import type { KeyRef } from '../../shared/keys/key.ts';
import { planSentinel } from '../../shared/rotation/plan-proof.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { refused } from './backups.ts';
import { type KeptSentinel, keepDrillPart, readDrillPart } from './drill-records.ts';
import { announceOnHsm } from './hsm-acts.ts';
import { knownHsm } from './joined-hsms.ts';
import { learnKeySize, withKeySize } from './key-size.ts';
import { openSentinel } from './proof.ts';
import { findBackup, manifestOf } from './restore-requests.ts';
import { keepSentinel, makeSentinel, readSentinel } from './sentinels.ts';

/** Keys that a drill tries. Each is a proof of the whole chain; more of them prove little more. */
const MOST_KEYS = 12;

export const drillSentinelActivities = (world: World) =>
  ({
    /**
     * Chooses the keys to try and sees to it that each has something to open: what a rotation kept when the version was new,
     * or else something that the source makes now. The choice is the drill's own, so a repeat chooses the same.
     */
    async keepDrillSentinels({ hsm, instance }) {
      const known = await readDrillPart(world.documents, hsm, instance, 'sentinels');
      if (known) return { kind: 'kept', sentinels: known.length, made: 0 };
      const drill = await readDrillPart(world.documents, hsm, instance, 'drill');
      const record = drill && (await findBackup(world.documents, drill.backup));
      if (!record) return refused('BackupUnknown', 'The catalogue does not know the backup any more.', LOOK);
      const found = await manifestOf(world, record);
      if (found.kind === 'refused') return found;

      const keys = inDrillOrder(found.manifest.keys, instance);
      const outcome = await announceOnHsm(world, {
        act: 'drill.sentinels',
        duty: 'rotate',
        hsm,
        target: 'keys',
        instance,
        cause: drill.by,
        count: { 'crypto.protect': MOST_KEYS * 4, 'read.key': keys.length },
        detail: { backup: record.id },
      });
      const kept: KeptSentinel[] = [];
      let made = 0;
      for (const key of keys) {
        if (kept.length === MOST_KEYS) break;
        const ready = (await keptBefore(world, hsm, key)) ?? (await makeNow(world, { hsm, name: key.name }, key));
        if (!ready) continue;
        kept.push({ key: key.name, version: ready.version, operation: ready.operation });
        if (ready.fresh) made += 1;
      }
      await keepDrillPart(world.documents, hsm, instance, 'sentinels', kept);
      await outcome('done', { kept: kept.length, made });
      return { kind: 'kept', sentinels: kept.length, made };
    },

    /** Opens, on the HSM that was restored, what the source made before. */
    async tryDrillSentinels({ hsm, instance }) {
      const earlier = await readDrillPart(world.documents, hsm, instance, 'tried');
      if (earlier) return counted(earlier);
      const [drill, kept] = await Promise.all([
        readDrillPart(world.documents, hsm, instance, 'drill'),
        readDrillPart(world.documents, hsm, instance, 'sentinels'),
      ]);
      if (!drill) throw new Error(`the drill ${instance} of ${hsm} was never prepared`);
      const target = drill.target.hsm;
      await knownHsm(world, target);
      const outcome = await announceOnHsm(world, {
        act: 'drill.try',
        duty: 'rotate',
        hsm: target,
        target: 'keys',
        instance,
        cause: drill.by,
        count: { 'crypto.unprotect': MOST_KEYS, 'crypto.verify': MOST_KEYS },
      });
      const results: SentinelResult[] = [];
      for (const one of kept ?? []) results.push({ ...one, ...(await tryOne(world, hsm, target, one)) });
      const tried = counted(await keepDrillPart(world.documents, hsm, instance, 'tried', results));
      await outcome(tried.failed > 0 ? 'failed' : 'done', { ok: tried.ok, failed: tried.failed });
      return tried;
    },
  }) satisfies Partial<ActivityHandlers>;

/** The order is drawn from the drill's id: over time every key has its turn, and a repeat draws the same. */
const inDrillOrder = (keys: readonly ManifestKey[], instance: string): ManifestKey[] =>
  [...keys].sort((a, b) => chance(`${instance} ${a.name}`) - chance(`${instance} ${b.name}`));

interface Ready {
  version: string;
  operation: string;
  fresh: boolean;
}

const newestFirst = ({ versions }: ManifestKey): ManifestVersion[] =>
  versions
    .filter(({ enabled, uncertain }) => enabled && !uncertain)
    .sort((a, b) => Date.parse(b.createdOn) - Date.parse(a.createdOn));

/** What rotations kept while a version was new is older than the backup, and so proves more than anything made now. */
async function keptBefore(world: World, hsm: string, key: ManifestKey): Promise<Ready | undefined> {
  for (const { version } of newestFirst(key)) {
    const sentinel = await readSentinel(world.documents, { hsm, name: key.name }, version);
    if (sentinel) return { version, operation: sentinel.operation, fresh: false };
  }
  return undefined;
}

/** Undefined for a key that makes nothing: it is disabled, expired, permits no pair, or is gone since. */
async function makeNow(world: World, key: KeyRef, held: ManifestKey): Promise<Ready | undefined> {
  const [newest] = newestFirst(held);
  if (!newest) return undefined;
  try {
    const read = await world.keys.observe.read(key, newest.version);
    const facts = withKeySize(read, await learnKeySize(world, key, read));
    const plan = planSentinel(facts, world.clock.now());
    if (plan.kind === 'skip') return undefined;
    await keepSentinel(world.documents, key, await makeSentinel(world, key, newest.version, plan));
    return { version: newest.version, operation: plan.operation, fresh: true };
  } catch (error) {
    // Another key takes its turn: a drill needs some keys that work, not this one.
    if (UNFIT.some((code) => hasCode(error, code))) return undefined;
    throw error;
  }
}

const UNFIT = ['ERR_NOT_FOUND', 'ERR_REFUSED_BY_SERVICE'] as const;

async function tryOne(
  world: World,
  source: string,
  target: string,
  { key: name, version }: KeptSentinel,
): Promise<Pick<SentinelResult, 'result' | 'detail'>> {
  const sentinel = await readSentinel(world.documents, { hsm: source, name }, version);
  if (!sentinel) return { result: 'notTried', detail: 'what was kept is gone' };
  try {
    const { algorithm } = sentinel;
    const { ok, detail } = await openSentinel(world, { hsm: target, name }, { version, algorithm }, sentinel);
    return { result: ok ? 'ok' : 'failed', ...(detail === undefined ? {} : { detail }) };
  } catch (error) {
    if (hasCode(error, 'ERR_DENIED')) return { result: 'notTried', detail: error.message };
    if (UNFIT.some((code) => hasCode(error, code))) return { result: 'failed', detail: (error as Error).message };
    throw error;
  }
}

const counted = (results: readonly SentinelResult[]) => {
  const count = (wanted: SentinelResult['result']) => results.filter(({ result }) => result === wanted).length;
  return { kind: 'tried' as const, ok: count('ok'), failed: count('failed'), notTried: count('notTried') };
};

const LOOK = 'Look at the catalogue, and ask for the drill again with a backup that is in it.';
