import type { DetectionRule } from '../../shared/detection/rule.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import type { DetectionWorld, World } from '../world.ts';
import { type PolicyInForce, policyInForce } from './policy-in-force.ts';

/** A key that need not exist: that it is missing is an answer of the HSM too, and a row of its log. */
const CANARY_KEY = 'lifecycle-canary';

/**
 * The rule of an HSM, with our own call as the canary where the policy names no other, and our landing container. The emergency
 * accounts stand where the policy says how a compromise is answered, and only there.
 */
export async function detectionRuleOf(
  world: World,
  detection: DetectionWorld,
  hsm: string,
): Promise<{ rule: DetectionRule; breakGlass: string[]; inForce: PolicyInForce; canaryKey: string }> {
  const [inForce, observer] = await Promise.all([policyInForce(world), detection.observerId()]);
  const { detection: rule, response } = effectiveHsmRule(inForce.policy, hsm, inForce.version).rule;
  const canaryKey = rule.canary?.key ?? CANARY_KEY;
  const canary =
    rule.canary ?? (observer === undefined ? undefined : { oid: observer, key: canaryKey, everyMinutes: 5 });
  // Where our own backups go needs no second approval.
  const landing = world.backups === undefined ? [] : [world.backups.landingContainerUrl];
  const backupContainers = [...new Set([...rule.backupContainers, ...landing])];
  return {
    rule: { ...rule, backupContainers, ...(canary && { canary }) },
    breakGlass: response.breakGlass,
    inForce,
    canaryKey,
  };
}

export const canaryPath = (key: string): string => `/keys/${key.toLowerCase()}`;
