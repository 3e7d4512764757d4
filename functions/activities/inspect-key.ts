import type { KeyRef } from '../../shared/keys/key.ts';
import { effectiveRule } from '../../shared/policy/effective-rule.ts';
import type { Inspected } from '../contracts/outcomes.ts';
import type { World } from '../world.ts';
import { readHsmLock } from './hsm-lock.ts';
import { policyInForce } from './policy-in-force.ts';

/** Gathers everything that a decision about a key looks at, with the observing identity and without changing anything. */
export async function inspectKey(world: World, key: KeyRef): Promise<Inspected> {
  const observe = world.keys.observe;
  const [facts, versions, hsmPolicy, lock, policy] = await Promise.all([
    observe.read(key),
    observe.versions(key),
    observe.readRotationPolicy(key),
    readHsmLock(world.documents, key.hsm),
    policyInForce(world),
  ]);
  const position = versions.findIndex((each) => each.version === facts.version);
  const previous = versions[position - 1]?.version;
  // A version that has just been made may have no tags yet; until they are carried over, those before it speak for the key.
  const tags =
    previous !== undefined && Object.keys(facts.tags).length === 0
      ? (await observe.read(key, previous)).tags
      : facts.tags;
  return {
    kind: 'inspected',
    facts: { ...facts, tags },
    versionsUsed: versions.length,
    versionsCreatedOn: versions.map((each) => each.createdOn),
    effective: effectiveRule(policy.policy, key.hsm, key.name, tags, policy.version),
    ...(previous === undefined ? {} : { previous }),
    ...(hsmPolicy ? { hsmPolicy } : {}),
    ...(lock ? { busy: { kind: lock.kind, since: lock.since, holder: lock.holder } } : {}),
  };
}
