import { type Adoption, judgeAdoption, type VersionUse } from '../../shared/adoption/judge-adoption.ts';
import { AppError, isTransient } from '../../shared/errors.ts';
import { canonicalName, type KeyFacts, type KeyRef } from '../../shared/keys/key.ts';
import { effectiveRule } from '../../shared/policy/effective-rule.ts';
import type { KeyRule } from '../../shared/policy/rule.ts';
import type { VersionAnswer, VersionQuestion } from '../../shared/ports/audit-log.ts';
import { subtractDuration } from '../../shared/time.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { beat } from './heartbeats.ts';
import type { RotationLedger } from './ledger.ts';
import { policyInForce } from './policy-in-force.ts';

/** Keys whose use one question to the workspace is about. */
const KEYS_PER_CALL = 200;
/** Documents and keys read at once. */
const AT_ONCE = 8;
/** Told from one page: what an orchestration keeps of it stays small, and the next page goes on behind the last of them. */
const MOST_ADOPTED = 25;

/** Told once for each version. */
interface AdoptionRecord {
  schema: 1;
  version: string;
  adoptedOn: string;
}

const recordPath = (key: KeyRef) => `adoption/${key.hsm}/${canonicalName(key)}.json`;

/** Who still uses which version, as far as the logs say; unknown where there are none, or they cannot be read. */
export async function adoptionOf(world: World, facts: KeyFacts, hsm: string, rule: KeyRule): Promise<Adoption> {
  const question = { hsm, keys: [{ name: facts.name, since: lookBackOf(facts, rule) }] };
  return judged(world, facts, rule, (await versionUse(world, question)).get(facts.name));
}

const lookBackOf = ({ createdOn }: KeyFacts, { rotation }: KeyRule): string =>
  subtractDuration(new Date(createdOn), rotation.adoption.lookBack).toISOString();

function judged(world: World, facts: KeyFacts, rule: KeyRule, use: readonly VersionUse[] | undefined): Adoption {
  const { version, createdOn } = facts;
  const own = ownClients(world);
  return judgeAdoption({ version, createdOn, use, own, rule: rule.rotation.adoption, now: world.clock.now() });
}

export const ownClients = (world: World): string[] => Object.values(world.identities).map(({ clientId }) => clientId);

/** Of a key that is missing nobody knows. What may come right by asking again is thrown on where `patient`. */
export async function versionUse(
  world: World,
  question: Omit<VersionQuestion, 'upTo'>,
  patient = false,
): Promise<VersionAnswer> {
  try {
    return (await world.auditLog?.versionUse({ ...question, upTo: world.clock.now().toISOString() })) ?? new Map();
  } catch (error) {
    if (patient && isTransient(error)) throw error;
    return new Map();
  }
}

type Looked = Extract<Awaited<ReturnType<ActivityHandlers['lookAtAdoption']>>, { kind: 'looked' }>;

/** A key whose newest version was not told as adopted yet. */
interface Untold {
  path: string;
  key: KeyRef;
  facts: KeyFacts;
  rule: KeyRule;
}

export const adoptionActivities = (world: World) =>
  ({
    /** The next keys with a rotation whose adoption was not told yet, with one question to the log. Changes nothing. */
    async lookAtAdoption({ hsm, after }) {
      if (!world.auditLog) return { kind: 'off' };
      const { paths, more } = await nextLedgers(world, hsm, after);
      const untold = await untoldOf(world, hsm, paths);
      const keys = untold.map(({ key, facts, rule }) => ({ name: key.name, since: lookBackOf(facts, rule) }));
      const use = await versionUse(world, { hsm, keys });
      const adopted: Looked['adopted'] = [];
      let checked = 0;
      let last = paths.at(-1);
      let early = false;
      for (const { path, key, facts, rule } of untold) {
        const adoption = judged(world, facts, rule, use.get(key.name));
        checked += 1;
        if (adoption.kind === 'unknown' || !adoption.adopted) continue;
        adopted.push(told(world, key, facts, rule, adoption));
        early = adopted.length === MOST_ADOPTED && path !== last;
        if (!early) continue;
        last = path;
        break;
      }
      if (!more && !early) await beat(world, 'adoption', hsm);
      return { kind: 'looked', checked, adopted, ...((more || early) && last !== undefined ? { after: last } : {}) };
    },

    async recordAdoption({ key, version, at }) {
      const record: AdoptionRecord = { schema: 1, version, adoptedOn: at };
      await world.documents.put('state', recordPath(key), record);
      return { kind: 'recorded' };
    },
  }) satisfies Partial<ActivityHandlers>;

function told(
  world: World,
  key: KeyRef,
  { version, createdOn, keyType, tags }: KeyFacts,
  rule: KeyRule,
  { callers, unprotect, explanation }: Extract<Adoption, { kind: 'judged' }>,
): Looked['adopted'][number] {
  const at = world.clock.now().toISOString();
  return {
    key,
    version,
    at,
    callers: callers.length,
    due: {
      id: `adopted-${key.hsm}-${canonicalName(key)}-${version}`,
      notice: {
        kind: 'KeyVersionAdopted',
        at,
        key: { ...key, keyType, tags },
        notify: rule.notice,
        version,
        since: createdOn,
        explanation,
        callers: callers.slice(0, 20),
        unprotect: unprotect.length,
      },
      repeatAfter: 'P365D',
    },
  };
}

async function untoldOf(world: World, hsm: string, paths: readonly string[]): Promise<Untold[]> {
  const { policy, version: policyVersion } = await policyInForce(world);
  const lookAt = async (path: string): Promise<Untold[]> => {
    const key = (await world.documents.read<RotationLedger>('state', path))?.value.key;
    if (!key) return [];
    const [told, facts] = await Promise.all([
      world.documents.read<AdoptionRecord>('state', recordPath(key)),
      world.keys.observe.read(key).catch((error: unknown) => {
        // Deleted since, or not to be read: nobody can say that it is adopted, and the others are looked at.
        if (error instanceof AppError && !isTransient(error)) return undefined;
        throw error;
      }),
    ]);
    if (!facts || told?.value.version === facts.version) return [];
    return [{ path, key, facts, rule: effectiveRule(policy, hsm, key.name, facts.tags, policyVersion).rule }];
  };
  const found: Untold[] = [];
  for (let start = 0; start < paths.length; start += AT_ONCE)
    found.push(...(await Promise.all(paths.slice(start, start + AT_ONCE).map(lookAt))).flat());
  return found;
}

/** Ledgers of rotations in order of path: only a key that was rotated has something to adopt. */
async function nextLedgers(world: World, hsm: string, after: string | undefined) {
  const later: string[] = [];
  for await (const path of world.documents.list('state', `rotations/${hsm}/`)) {
    if (after === undefined || path > after) later.push(path);
  }
  later.sort();
  return { paths: later.slice(0, KEYS_PER_CALL), more: later.length > KEYS_PER_CALL };
}
