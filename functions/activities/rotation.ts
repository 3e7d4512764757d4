import { hasCode, isTransient } from '../../shared/errors.ts';
import { canonicalName, type KeyFacts } from '../../shared/keys/key.ts';
import { ROTATE_TIMEOUT_MS } from '../../shared/ports/hsm-keys.ts';
import type { ActivityInput } from '../contracts/inputs.ts';
import type { CreateOutcome } from '../contracts/outcomes.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { announce, onRecord } from './acts.ts';
import { readFresh } from './keys.ts';
import {
  type LedgerVersion,
  type RotationLedger,
  readLedger,
  updateLedger,
  withoutAttempt,
  withVersion,
  writeLedger,
} from './ledger.ts';

/** The acts of a rotation. Each may run twice and crash at any line: it compares the world first. */
export const rotationActivities = (world: World) =>
  ({
    async reserveCreation({ hsm, instance }) {
      const { at } = await world.slots.reserve(hsm, instance, world.clock.now());
      return { kind: 'reserved', at };
    },

    /**
     * Makes a new version, once. A key holds 100 versions at most and none can be taken back, so the call is sent only by
     * the one caller whose attempt stands in the ledger, and after a lost reply only when the call can no longer take effect.
     */
    async createKeyVersion(input) {
      const { key, expectedVersion } = input;
      const { ledger, stored } = await readLedger(world.documents, key);
      const facts = await world.keys.rotate.read(key);
      if (facts.version !== expectedVersion) return alreadyThere(world, input, ledger, facts);

      const now = world.clock.now();
      const settlesAt = ledger.attempt
        ? Date.parse(ledger.attempt.at) + world.settleMs(key.hsm)
        : Number.NEGATIVE_INFINITY;
      if (settlesAt > now.getTime()) return unknown(new Date(settlesAt));

      const at = now.toISOString();
      const attempt = { expectedVersion, instance: input.instance, at };
      const mine = await writeLedger(world.documents, { ...ledger, attempt }, stored);
      if (mine === 'changed') return unknown(new Date(now.getTime() + world.settleMs(key.hsm)));

      const { instance, cause } = input;
      const outcome = await announce(world, {
        act: 'key.rotate',
        duty: 'rotate',
        key,
        instance,
        cause,
        detail: { expectedVersion },
      });
      // Announcing took time. Too late a call could still run when the next caller believes that this one is over.
      const settleMs = world.settleMs(key.hsm);
      if (world.clock.now().getTime() > now.getTime() + settleMs - ROTATE_TIMEOUT_MS) {
        await outcome('failed', { expectedVersion, why: 'announced too late to be sent safely' });
        return unknown(new Date(now.getTime() + settleMs));
      }
      let created: KeyFacts;
      try {
        created = await world.keys.rotate.rotate(key);
      } catch (error) {
        if (hasCode(error, 'ERR_UNKNOWN_OUTCOME')) {
          await outcome('unknown', { expectedVersion });
          return unknown(new Date(now.getTime() + world.settleMs(key.hsm)));
        }
        // The service said no before anything happened, so the attempt is over and another may follow at once.
        await updateLedger(world.documents, key, (current) =>
          current.attempt?.at === at ? withoutAttempt(current) : current,
        );
        await outcome(isTransient(error) ? 'failed' : 'refused', { expectedVersion });
        throw error;
      }
      await updateLedger(world.documents, key, (current) => withVersion(current, made(input, created, at)));
      await outcome('done', { expectedVersion, version: created.version });
      return { kind: 'created', facts: created };
    },

    /**
     * Gives a new version the tags of the one before. Whether a rotation hands them on is documented nowhere, and they carry
     * owner, class and hold: a key must not lose its owner by being rotated. What the new version says for itself stays.
     */
    async carryTags({ key, instance, cause, version, previous }) {
      const [after, before] = await Promise.all([
        readFresh(world, key, version),
        world.keys.observe.read(key, previous),
      ]);
      const missing = Object.keys(before.tags).filter((name) => !Object.hasOwn(after.tags, name));
      if (missing.length === 0) return { kind: 'carried', tags: [] };
      const detail = { version, previous, tags: missing.join(', ') };
      const act = { act: 'key.tag' as const, duty: 'rotate' as const, key, instance, cause, detail };
      return onRecord(world, act, async () => {
        await world.keys.rotate.writeTags(key, version, { ...before.tags, ...after.tags });
        return { value: { kind: 'carried', tags: missing } };
      });
    },

    async recordRotation({ key, instance, version, previous, by, proof, reason, at }) {
      await updateLedger(world.documents, key, (ledger) =>
        withVersion(ledger, { version, previous: previous ?? '', by, instance, at, proof, reason }),
      );
      return { kind: 'recorded' };
    },

    async backUpKey({ key, instance, cause, version }) {
      const path = `${key.hsm}/${canonicalName(key)}/${version}.keybackup`;
      const act = { act: 'key.backup' as const, duty: 'rotate' as const, key, instance, cause, detail: { version } };
      return onRecord(world, act, async () => {
        const blob = await world.keys.rotate.backUp(key);
        const kept = await world.documents.keep('key-backups', path, blob, { hsm: key.hsm, key: key.name, version });
        return {
          value: { kind: 'kept', path },
          detail: { version, path, bytes: blob.byteLength, kept: kept === 'kept' },
        };
      });
    },

    async writeRotationPolicy({ key, instance, cause, policy }) {
      const detail = { ...policy };
      const act = { act: 'rotationPolicy.write' as const, duty: 'rotate' as const, key, instance, cause, detail };
      return onRecord(world, act, async () => {
        await world.keys.rotate.writeRotationPolicy(key, policy);
        return { value: { kind: 'written' } };
      });
    },
  }) satisfies Partial<ActivityHandlers>;

/** The key moved on. Ours, if an attempt of ours was open for the version that it moved on from, or the ledger names it. */
async function alreadyThere(
  world: World,
  input: ActivityInput<'createKeyVersion'>,
  ledger: RotationLedger,
  facts: KeyFacts,
): Promise<CreateOutcome> {
  const found = made(input, facts, ledger.attempt?.at ?? facts.createdOn);
  const by = ledger.attempt?.expectedVersion === input.expectedVersion ? 'us' : 'hsm';
  // Whoever recorded it meanwhile knows better: what is proven must not become pending again.
  const isKnown = ({ version }: LedgerVersion) => version === facts.version;
  const { versions } = await updateLedger(world.documents, input.key, (current) =>
    current.versions.some(isKnown) ? current : withVersion(current, { ...found, by }),
  );
  return { kind: 'alreadyThere', facts, by: versions.find(isKnown)?.by ?? by };
}

const made = (input: ActivityInput<'createKeyVersion'>, facts: KeyFacts, at: string): LedgerVersion => ({
  version: facts.version,
  previous: input.expectedVersion,
  by: 'us',
  instance: input.instance,
  at,
  proof: 'pending',
  reason: input.reason,
});

const unknown = (until: Date): CreateOutcome => ({ kind: 'unknown', settleUntil: until.toISOString() });
