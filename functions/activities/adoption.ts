import { type Adoption, judgeAdoption, type VersionUse } from '../../shared/adoption/judge-adoption.ts';
import { AppError, isTransient } from '../../shared/errors.ts';
import { canonicalName, type KeyFacts, type KeyRef } from '../../shared/keys/key.ts';
import { effectiveRule } from '../../shared/policy/effective-rule.ts';
import type { KeyRule } from '../../shared/policy/rule.ts';
import { subtractDuration } from '../../shared/time.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { beat } from './heartbeats.ts';
import type { RotationLedger } from './ledger.ts';
import { policyInForce } from './policy-in-force.ts';

/** A query of the workspace for each key: few enough for the time that an activity has. */
const KEYS_PER_CALL = 25;

/** Told once for each version. */
interface AdoptionRecord {
  schema: 1;
  version: string;
  adoptedOn: string;
}

const recordPath = (key: KeyRef) => `adoption/${key.hsm}/${canonicalName(key)}.json`;

/** Who still uses which version, as far as the logs say; unknown where there are none, or they cannot be read. */
export async function adoptionOf(world: World, facts: KeyFacts, hsm: string, rule: KeyRule): Promise<Adoption> {
  const { adoption } = rule.rotation;
  const { version, createdOn } = facts;
  const since = subtractDuration(new Date(createdOn), adoption.lookBack).toISOString();
  const use = await versionUse(world, { hsm, name: facts.name }, since);
  const own = ownClients(world);
  return judgeAdoption({ version, createdOn, use, own, rule: adoption, now: world.clock.now() });
}

export const ownClients = (world: World): string[] => Object.values(world.identities).map(({ clientId }) => clientId);

/** Undefined: nobody knows. What may come right by asking again is thrown on where `patient`. */
export async function versionUse(
  world: World,
  key: KeyRef,
  since: string,
  patient = false,
): Promise<readonly VersionUse[] | undefined> {
  try {
    return await world.auditLog?.versionUse(key.hsm, key.name, since);
  } catch (error) {
    if (patient && isTransient(error)) throw error;
    return undefined;
  }
}

export const adoptionActivities = (world: World) =>
  ({
    /** The next keys with a rotation whose adoption was not told yet. Changes nothing. */
    async lookAtAdoption({ hsm, after }) {
      if (!world.auditLog) return { kind: 'off' };
      const { policy, version: policyVersion } = await policyInForce(world);
      const { paths, more } = await nextLedgers(world, hsm, after);
      const adopted: Extract<Awaited<ReturnType<ActivityHandlers['lookAtAdoption']>>, { kind: 'looked' }>['adopted'] =
        [];
      let checked = 0;
      for (const path of paths) {
        const key = (await world.documents.read<RotationLedger>('state', path))?.value.key;
        if (!key) continue;
        const facts = await world.keys.observe.read(key).catch((error: unknown) => {
          // Deleted since, or not to be read: nobody can say that it is adopted, and the others are looked at.
          if (error instanceof AppError && !isTransient(error)) return undefined;
          throw error;
        });
        const told = (await world.documents.read<AdoptionRecord>('state', recordPath(key)))?.value;
        if (!facts || told?.version === facts.version) continue;
        const { rule } = effectiveRule(policy, hsm, key.name, facts.tags, policyVersion);
        const adoption = await adoptionOf(world, facts, hsm, rule);
        checked += 1;
        if (adoption.kind === 'unknown' || !adoption.adopted) continue;
        const { version, callers, unprotect, explanation } = adoption;
        const at = world.clock.now().toISOString();
        adopted.push({
          key,
          version,
          at,
          callers: callers.length,
          due: {
            id: `adopted-${hsm}-${canonicalName(key)}-${version}`,
            notice: {
              kind: 'KeyVersionAdopted',
              at,
              key: { ...key, keyType: facts.keyType, tags: facts.tags },
              notify: rule.notice,
              version,
              since: facts.createdOn,
              explanation,
              callers: callers.slice(0, 20),
              unprotect: unprotect.length,
            },
            repeatAfter: 'P365D',
          },
        });
      }
      if (!more) await beat(world, 'adoption', hsm);
      const last = paths.at(-1);
      return { kind: 'looked', checked, adopted, ...(more && last !== undefined ? { after: last } : {}) };
    },

    async recordAdoption({ key, version, at }) {
      const record: AdoptionRecord = { schema: 1, version, adoptedOn: at };
      await world.documents.put('state', recordPath(key), record);
      return { kind: 'recorded' };
    },
  }) satisfies Partial<ActivityHandlers>;

/** Ledgers of rotations in order of path: only a key that was rotated has something to adopt. */
async function nextLedgers(world: World, hsm: string, after: string | undefined) {
  const later: string[] = [];
  for await (const path of world.documents.list('state', `rotations/${hsm}/`)) {
    if (after === undefined || path > after) later.push(path);
  }
  later.sort();
  return { paths: later.slice(0, KEYS_PER_CALL), more: later.length > KEYS_PER_CALL };
}
