import { AppError, hasCode, isTransient } from '../../shared/errors.ts';
import type { HsmRotationPolicy, KeyRef, KeySummary } from '../../shared/keys/key.ts';
import { digestDrift } from '../../shared/notification/digest-drift.ts';
import type { Notice } from '../../shared/notification/notice.ts';
import { effectiveRule } from '../../shared/policy/effective-rule.ts';
import type { Hold } from '../../shared/policy/rule.ts';
import type { Refusal } from '../../shared/rotation/decision.ts';
import { dueOn } from '../../shared/rotation/due.ts';
import { comparePolicy, expectedHsmPolicy, type PolicyDifference } from '../../shared/rotation/reconcile-policy.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { onRecord } from './acts.ts';
import { beat } from './heartbeats.ts';
import { policyInForce } from './policy-in-force.ts';
import { holdsForAll, isOfOneKey, type SetAside, unreadableNotices } from './set-aside.ts';

/** Keys compared by one call: small enough to end well within an activity, and to lose little when it is repeated. */
const KEYS_PER_CALL = 500;
/** Get calls at once: far below what the HSM serves. */
const AT_ONCE = 8;

export const reconcileActivities = (world: World) =>
  ({
    /**
     * Compares the policies of the next keys by name, after `after`. A repair is written only when the HSM's policy still
     * differs, so running twice writes once. A key whose policy cannot be read or written is set aside and told; where that may
     * pass by itself, only when it has not passed by the end of this part.
     */
    async reconcilePolicies({ hsm, instance, after }) {
      const inForce = await policyInForce(world);
      const now = world.clock.now();
      const { keys, more } = await nextKeys(world, hsm, after);
      const total = { checked: 0, repaired: 0, drifted: 0, notices: [] as DriftFound[] };
      const ruleOf = ({ name, tags }: KeySummary) => effectiveRule(inForce.policy, hsm, name, tags, inForce.version);
      const compare = async (some: readonly KeySummary[]) => {
        const asides: SetAside[] = [];
        for (let start = 0; start < some.length; start += AT_ONCE) {
          const outcomes = await Promise.all(
            some
              .slice(start, start + AT_ONCE)
              .map((summary) => reconcileOne(world, { hsm, name: summary.name }, summary, ruleOf(summary), instance)),
          );
          for (const outcome of outcomes) {
            if ('fault' in outcome) {
              asides.push(outcome);
              continue;
            }
            total.checked += 1;
            total.drifted += outcome.drifted ? 1 : 0;
            total.repaired += outcome.repaired ? 1 : 0;
            total.notices.push(...outcome.notices);
          }
          holdsForAll(asides, total.checked);
        }
        return asides;
      };
      const compared = keys.filter((summary) => isCompared(hsm, summary, ruleOf(summary), now));
      const first = await compare(compared);
      const passing = new Set(first.filter(({ fault }) => isTransient(fault)).map(({ key }) => key.name));
      const asides = [
        ...first.filter(({ key }) => !passing.has(key.name)),
        ...(await compare(compared.filter(({ name }) => passing.has(name)))),
      ];
      const last = keys.at(-1)?.name;
      if (!more) await beat(world, 'reconcile', hsm);
      const notices = [
        ...digestDrift(total.notices).map((due) => ({ ...due, repeatAfter: REPEAT_AFTER })),
        ...unreadableNotices(hsm, asides, now, 'reconciliation'),
      ];
      return { kind: 'reconciled', ...total, notices, ...(more && last !== undefined ? { after: last } : {}) };
    },
  }) satisfies Partial<ActivityHandlers>;

type Effective = ReturnType<typeof effectiveRule>;

/**
 * Whether the HSM's policy of the key is ours to compare. A key that is due is about to be rotated, and its policy is seen to
 * there: a backstop written now would make the HSM rotate it at once.
 */
function isCompared(hsm: string, summary: KeySummary, { rule, hold }: Effective, now: Date): boolean {
  if (rule.rotation.mode !== 'rotate' || !summary.enabled || isHeld(hold, now)) return false;
  const due = dueOn({ hsm, ...summary }, rule.rotation);
  return due === undefined || due.on > now;
}

/** A hold that has lapsed holds nothing, though its tag is still there. */
const isHeld = (hold: Hold | undefined, now: Date): boolean =>
  hold !== undefined && (hold.until === undefined || Date.parse(hold.until) > now.getTime());

/** While a drift lasts it is told again after so long. */
const REPEAT_AFTER = 'P7D';

interface DriftFound {
  id: string;
  notice: Extract<Notice, { kind: 'PolicyDrift' }>;
}

interface OneReconciled {
  drifted: boolean;
  repaired: boolean;
  notices: DriftFound[];
}

async function reconcileOne(
  world: World,
  key: KeyRef,
  summary: KeySummary,
  effective: Effective,
  instance: string,
): Promise<OneReconciled | SetAside> {
  const found = await world.keys.observe.readRotationPolicy(key).catch((error: unknown) => {
    // The key was deleted since it was listed: there is nothing to compare.
    if (hasCode(error, 'ERR_NOT_FOUND')) return 'gone' as const;
    if (isOfOneKey(error)) return error;
    throw error;
  });
  if (found === 'gone') return { drifted: false, repaired: false, notices: [] };
  const notify = effective.rule.notice;
  if (found instanceof AppError) return { key, notify, fault: found };
  const rule = effective.rule.rotation;
  const comparison = comparePolicy(rule, found);
  const drift = (
    action: 'repaired' | 'told' | 'refused',
    differences: PolicyDifference[],
    refusal?: Refusal,
  ): DriftFound => ({
    id: `policy-drift-${key.hsm}-${key.name}`,
    notice: {
      kind: 'PolicyDrift',
      at: world.clock.now().toISOString(),
      key: { ...key, tags: summary.tags },
      notify,
      differences,
      action,
      ...(refusal ? { refusal } : {}),
    },
  });
  switch (comparison.kind) {
    case 'inStep':
      return { drifted: false, repaired: false, notices: [] };
    case 'refused':
      return { drifted: true, repaired: false, notices: [drift('refused', [], comparison)] };
    case 'drifted': {
      const { differences } = comparison;
      if (comparison.action === 'tell') {
        return { drifted: true, repaired: false, notices: [drift('told', differences)] };
      }
      const unwritten = await repair(world, key, expectedHsmPolicy(rule), differences, instance).catch(
        (error: unknown) => {
          if (isOfOneKey(error)) return error;
          throw error;
        },
      );
      if (hasCode(unwritten, 'ERR_NOT_FOUND')) return { drifted: false, repaired: false, notices: [] };
      if (unwritten) return { key, notify, fault: unwritten, unwritten: true };
      return { drifted: true, repaired: true, notices: [drift('repaired', differences)] };
    }
  }
}

async function repair(
  world: World,
  key: KeyRef,
  policy: HsmRotationPolicy,
  differences: PolicyDifference[],
  instance: string,
): Promise<undefined> {
  const act = {
    act: 'rotationPolicy.write' as const,
    duty: 'rotate' as const,
    key,
    instance,
    cause: { kind: 'Sweep' as const },
    step: key.name,
    detail: Object.fromEntries(
      differences.map(({ attribute, expected, found }) => [attribute, `${found ?? 'none'} -> ${expected ?? 'none'}`]),
    ),
  };
  await onRecord(world, act, async () => ({ value: await world.keys.rotate.writeRotationPolicy(key, policy) }));
  return undefined;
}

/** The next keys in order of name. Pages come in no promised order, so all are read and the few that are next are kept. */
async function nextKeys(world: World, hsm: string, after: string | undefined) {
  const later: KeySummary[] = [];
  for await (const page of world.keys.observe.pages(hsm)) {
    later.push(...page.filter(({ name }) => after === undefined || name > after));
  }
  later.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { keys: later.slice(0, KEYS_PER_CALL), more: later.length > KEYS_PER_CALL };
}
