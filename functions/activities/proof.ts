import { hasCode } from '../../shared/errors.ts';
import type { KeyRef } from '../../shared/keys/key.ts';
import { judgeProof, type ProofResult } from '../../shared/rotation/judge-proof.ts';
import { planProof, planSentinel } from '../../shared/rotation/plan-proof.ts';
import type { ProofCheck, Sentinel } from '../../shared/rotation/proof.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { onRecord } from './acts.ts';
import { learnKeySize, withKeySize } from './key-size.ts';
import { readFresh } from './keys.ts';
import { keepSentinel, makeSentinel, readSentinel } from './sentinels.ts';
import { base64url, fromBase64url } from './text.ts';

/** Proofs use a key for real. They change nothing that anybody else sees, so they may run any number of times. */
export const proofActivities = (world: World) =>
  ({
    /** Lets the version that is about to be replaced make something, unless it already has, so that it can be proven later. */
    async keepSentinel({ key, instance, cause, version }) {
      if (await readSentinel(world.documents, key, version)) return { kind: 'kept' };
      const read = await world.keys.observe.read(key, version);
      const facts = withKeySize(read, await learnKeySize(world, key, read));
      const plan = planSentinel(facts, world.clock.now());
      if (plan.kind === 'skip') return { kind: 'skipped', why: plan.explanation };
      const detail = { version, operation: plan.operation };
      const act = {
        act: 'key.prove' as const,
        duty: 'rotate' as const,
        key,
        instance,
        cause,
        step: 'sentinel',
        detail,
      };
      return onRecord(world, act, async () => {
        await keepSentinel(world.documents, key, await makeSentinel(world, key, version, plan));
        return { value: { kind: 'kept' } };
      });
    },

    /** Uses the new version for everything that it permits, and the old one for what it once made. */
    async proveKeyVersion({ key, instance, cause, version, previous, proof }) {
      const [made, before, sentinel] = await Promise.all([
        readFresh(world, key, version),
        previous === undefined ? undefined : world.keys.observe.read(key, previous),
        previous === undefined ? undefined : readSentinel(world.documents, key, previous),
      ]);
      const size = await learnKeySize(world, key, made);
      const fresh = withKeySize(made, size);
      const old = before && withKeySize(before, size);
      const plan = planProof(fresh, old, sentinel, world.clock.now());
      const act = {
        act: 'key.prove' as const,
        duty: 'rotate' as const,
        key,
        instance,
        cause,
        detail: { version, previous: previous ?? null, checks: plan.checks.length },
        count: callsOf(plan.checks),
      };
      return onRecord(world, act, async () => {
        const results = await carryOut(world, key, plan.checks, sentinel);
        const verdict = judgeProof(plan, results, proof);
        const ownSentinel = planSentinel(fresh, world.clock.now());
        if (verdict.kind !== 'failed' && ownSentinel.kind === 'keep') {
          const kept = await readSentinel(world.documents, key, version);
          if (!kept) await keepSentinel(world.documents, key, await makeSentinel(world, key, version, ownSentinel));
        }
        const explanation = verdict.kind === 'proven' ? verdict.explanation : verdict.why;
        return {
          value: { kind: 'proof', verdict: verdict.kind, explanation, checks: verdict.checks },
          result: verdict.kind === 'failed' ? 'failed' : 'done',
          detail: { verdict: verdict.kind },
        };
      });
    },
  }) satisfies Partial<ActivityHandlers>;

/** A sentinel is made beside the checks, and an AES key tells its size at the third guess at the latest. */
const BESIDE_THE_CHECKS = 4;

/** The calls that the log may show of a proof. One more than announced would be an intruder's. */
function callsOf(checks: readonly ProofCheck[]) {
  const counted = (operations: readonly ProofCheck['operation'][]) =>
    checks.filter(({ operation }) => operations.includes(operation)).length;
  return {
    'crypto.protect': counted(['wrapKey', 'encrypt', 'sign']) + BESIDE_THE_CHECKS,
    'crypto.unprotect': counted(['unwrapKey', 'decrypt']),
    'crypto.verify': counted(['verify']),
  };
}

/** What a check made: bytes to open or verify again, and what must come out. */
interface Material {
  secret: Uint8Array;
  made: Uint8Array;
  iv?: Uint8Array;
  tag?: Uint8Array;
}

/**
 * Carries out the checks in order. A refusal by the service is a result; a missing permission or an unreachable HSM is not,
 * and leaves as it is: it says nothing about the key.
 */
async function carryOut(
  world: World,
  key: KeyRef,
  checks: ProofCheck[],
  sentinel: Sentinel | undefined,
): Promise<ProofResult[]> {
  const materials = new Map<string, Material>();
  const results: ProofResult[] = [];
  for (const check of checks) {
    try {
      results.push({ id: check.id, ...(await carryOutOne(world, key, check, materials, sentinel)) });
    } catch (error) {
      if (!hasCode(error, 'ERR_REFUSED_BY_SERVICE')) throw error;
      results.push({ id: check.id, ok: false, detail: error.message });
    }
  }
  return results;
}

async function carryOutOne(
  world: World,
  key: KeyRef,
  check: ProofCheck,
  materials: Map<string, Material>,
  sentinel: Sentinel | undefined,
): Promise<Omit<ProofResult, 'id'>> {
  const { crypto } = world;
  const { operation, version, algorithm, digest = 'SHA-256' } = check;
  if (check.input.from === 'fresh') {
    const secret = crypto.randomBytes(32);
    const reduced = crypto.digest(digest, secret);
    switch (operation) {
      case 'wrapKey':
        materials.set(check.id, { secret, made: await crypto.wrap(key, version, algorithm, secret) });
        return { ok: true };
      case 'encrypt': {
        const { value: made, ...rest } = await crypto.encrypt(key, version, algorithm, secret);
        materials.set(check.id, { secret, made, ...rest });
        return { ok: true };
      }
      default:
        materials.set(check.id, { secret: reduced, made: await crypto.sign(key, version, algorithm, reduced) });
        return { ok: true };
    }
  }
  if (check.input.from === 'sentinel') {
    return sentinel ? openSentinel(world, key, check, sentinel) : { ok: false, detail: 'the kept material is gone' };
  }
  const material = materials.get(check.input.id);
  if (!material) return { ok: false, detail: 'the step before made nothing' };
  const { secret, made, iv, tag } = material;
  switch (operation) {
    case 'unwrapKey':
      return compare(await crypto.unwrap(key, version, algorithm, made), secret);
    case 'decrypt': {
      const ciphertext = { value: made, ...(iv ? { iv } : {}), ...(tag ? { tag } : {}) };
      return compare(await crypto.decrypt(key, version, algorithm, ciphertext), secret);
    }
    default:
      return (await crypto.verify(key, version, algorithm, secret, made))
        ? { ok: true }
        : { ok: false, detail: 'the signature was not accepted' };
  }
}

/** What a version once made, opened or verified with `version` of the key, on whichever HSM the key names. */
export async function openSentinel(
  world: World,
  key: KeyRef,
  { version, algorithm }: Pick<ProofCheck, 'version' | 'algorithm'>,
  sentinel: Sentinel,
): Promise<Omit<ProofResult, 'id'>> {
  const { crypto } = world;
  if (sentinel.operation === 'sign') {
    const [digest, signature] = [fromBase64url(sentinel.digest), fromBase64url(sentinel.signature)];
    return (await crypto.verify(key, version, algorithm, digest, signature))
      ? { ok: true }
      : { ok: false, detail: `the signature of ${sentinel.madeOn} was not accepted` };
  }
  const value = fromBase64url(sentinel.ciphertext);
  const opened =
    sentinel.operation === 'wrapKey'
      ? await crypto.unwrap(key, version, algorithm, value)
      : await crypto.decrypt(key, version, algorithm, {
          value,
          ...(sentinel.iv === undefined ? {} : { iv: fromBase64url(sentinel.iv) }),
          ...(sentinel.tag === undefined ? {} : { tag: fromBase64url(sentinel.tag) }),
        });
  return base64url(crypto.digest('SHA-256', opened)) === sentinel.plaintextSha256
    ? { ok: true }
    : { ok: false, detail: `what was made on ${sentinel.madeOn} opened to something else` };
}

const compare = (opened: Uint8Array, secret: Uint8Array): Omit<ProofResult, 'id'> =>
  base64url(opened) === base64url(secret) ? { ok: true } : { ok: false, detail: 'it opened to something else' };
