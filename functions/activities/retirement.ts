import { judgeAdoption } from '../../shared/adoption/judge-adoption.ts';
import {
  judgeRetirement,
  missedBy,
  type RetirementVerdict,
  windowStart,
} from '../../shared/adoption/judge-retirement.ts';
import type { KeyFacts } from '../../shared/keys/key.ts';
import { effectiveRule } from '../../shared/policy/effective-rule.ts';
import type { EffectiveRule } from '../../shared/policy/rule.ts';
import { addDuration, subtractDuration } from '../../shared/time.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { onRecord } from './acts.ts';
import { ownClients, versionUse } from './adoption.ts';
import { demandJournaled } from './journaled-decision.ts';
import { policyInForce } from './policy-in-force.ts';
import { retirementNotice } from './retirement-notices.ts';
import {
  putRetirementOutcome,
  putRetirementProgress,
  readRetirement,
  readRetirementDecision,
  readRetirementProgress,
  retirementMatter,
  type StoredRetirement,
} from './retirement-records.ts';

/** Rows of the log may lag by so much, and the watch ends only when those of its last minute are in. */
const LOG_LAG_MS = 30 * 60_000;

export const retirementActivities = (world: World) =>
  ({
    async judgeRetirement({ instance }) {
      return (await judgeStored(world, await requestOf(world, instance))).verdict;
    },

    /**
     * Disables the version, after everything was judged once more from what is so now. A version that is found disabled after
     * the call was sent was disabled by it.
     */
    async disableKeyVersion({ instance }) {
      const request = await requestOf(world, instance);
      const { hsm, name, version, by, reason } = request;
      const key = { hsm, name };
      const [progress, facts] = await Promise.all([
        readRetirementProgress(world.documents, instance),
        world.keys.rotate.read(key, version),
      ]);
      const { rule } = (await ruleOf(world, request)).effective;
      const done = (at: string) => ({ kind: 'disabled', at, watchedUntil: watchedUntil(at, rule) }) as const;
      if (progress && !facts.enabled) return done(progress.sentOn);
      const { verdict, decision } = await judgeStored(world, request);
      if (verdict.kind === 'refused') return verdict;
      if (verdict.kind !== 'proceed' || !decision) throw new Error(`the retirement ${instance} was not approved`);
      const sentOn = world.clock.now().toISOString();
      const detail = { version, approvedBy: decision.by };
      const cause = { kind: 'Operator' as const, by, note: reason, overrides: [] };
      await onRecord(world, { act: 'key.disable', duty: 'rotate', key, instance, cause, detail }, async () => {
        await putRetirementProgress(world.documents, instance, { schema: 1, sentOn });
        return { value: await world.keys.rotate.setEnabled(key, version, false) };
      });
      return done(sentOn);
    },

    async lookForMissed({ instance, disabledOn }) {
      const { hsm, name, version } = await requestOf(world, instance);
      const question = { hsm, keys: [{ name, since: disabledOn }], refused: version };
      const use = (await versionUse(world, question, true)).get(name);
      if (use === undefined) return { kind: 'unknown' };
      const callers = missedBy(version, use, ownClients(world), disabledOn);
      return callers.length === 0 ? { kind: 'quiet' } : { kind: 'missed', callers: callers.slice(0, 20) };
    },

    async enableKeyVersion({ instance, callers }) {
      const { hsm, name, version } = await requestOf(world, instance);
      const key = { hsm, name };
      if ((await world.keys.rotate.read(key, version)).enabled) return { kind: 'enabled' };
      const detail = { version, missedBy: callers.join(', ').slice(0, 500) };
      await onRecord(
        world,
        { act: 'key.enable', duty: 'rotate', key, instance, cause: { kind: 'Sweep' }, detail },
        async () => ({ value: await world.keys.rotate.setEnabled(key, version, true) }),
      );
      return { kind: 'enabled' };
    },

    async endRetirement({ instance, outcome }) {
      await putRetirementOutcome(world.documents, instance, outcome);
      return { kind: 'ended' };
    },

    async describeRetirement({ instance, at, told }) {
      const request = await requestOf(world, instance);
      const [{ facts, effective }, decision] = await Promise.all([
        ruleOf(world, request),
        readRetirementDecision(world.documents, instance),
      ]);
      const notice = retirementNotice(request, { at, told, facts, notify: effective.rule.notice, decision });
      return { kind: 'described', id: `${told.kind}-${instance}`, notice, repeatAfter: 'P1D' };
    },
  }) satisfies Partial<ActivityHandlers>;

const watchedUntil = (disabledOn: string, { rotation }: EffectiveRule['rule']): string =>
  new Date(addDuration(new Date(disabledOn), rotation.retirement.watch).getTime() + LOG_LAG_MS).toISOString();

/** Everything that the judgement looks at, as it is now. Logs that may come back are asked again by the caller's retries. */
export async function judgeStored(world: World, request: StoredRetirement) {
  const { id, hsm, name, version, by, until } = request;
  const key = { hsm, name };
  const now = world.clock.now();
  const [{ facts, effective }, versions, decision] = await Promise.all([
    ruleOf(world, request),
    world.keys.observe.versions(key),
    readRetirementDecision(world.documents, id),
  ]);
  const { adoption, retirement } = effective.rule.rotation;
  const rule = { silence: adoption.silence, grace: retirement.grace };
  const since = Math.min(
    windowStart(rule, now).getTime(),
    subtractDuration(new Date(facts.createdOn), adoption.lookBack).getTime(),
  );
  const question = { hsm, keys: [{ name, since: new Date(since).toISOString() }], refused: version };
  const use = (await versionUse(world, question, true)).get(name);
  const own = ownClients(world);
  const { version: newest, createdOn } = facts;
  const verdict: RetirementVerdict = judgeRetirement({
    version,
    versions,
    held: isHeld(effective, now),
    adoption: judgeAdoption({ version: newest, createdOn, use, own, rule: adoption, now }),
    use,
    own,
    rule,
    asked: { by, until },
    ...(decision ? { decision } : {}),
    now,
  });
  if (!decision || (verdict.kind === 'refused' && verdict.reason !== 'Denied')) return { verdict, decision };
  const recorded = await demandJournaled(world, retirementMatter(world, request), decision);
  return recorded.kind === 'agrees' ? { verdict, decision: recorded.decision } : { verdict: recorded, decision };
}

/** A hold whose end does not parse still holds. */
const isHeld = ({ hold }: EffectiveRule, now: Date): boolean =>
  hold !== undefined && !(hold.until !== undefined && Date.parse(hold.until) <= now.getTime());

/** The rule of the key is that of its newest version. */
async function ruleOf(
  world: World,
  { hsm, name }: StoredRetirement,
): Promise<{ facts: KeyFacts; effective: EffectiveRule }> {
  const [facts, { policy, version }] = await Promise.all([
    world.keys.observe.read({ hsm, name }),
    policyInForce(world),
  ]);
  return { facts, effective: effectiveRule(policy, hsm, name, facts.tags, version) };
}

async function requestOf(world: World, instance: string): Promise<StoredRetirement> {
  const request = await readRetirement(world.documents, instance);
  if (request) return request;
  throw new Error(`nobody asked for ${instance}`);
}
