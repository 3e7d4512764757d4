import { effectiveHsmRule, explainHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import { policyInForce } from '../activities/policy-in-force.ts';
import type { World } from '../world.ts';

/** The document in force; for one HSM also each field of its rule with where it came from. */
export async function showPolicy(world: World, hsm?: string) {
  const { policy, version, rejected, missing = false } = await policyInForce(world);
  const { jsonSchema } = await import('../../shared/policy/schema.ts');
  const rule = hsm === undefined ? undefined : explainHsmRule(effectiveHsmRule(policy, hsm, version));
  return {
    status: 200,
    body: { version, policy, rejected: rejected ?? null, missing, ...(rule && { rule }), schema: jsonSchema() },
  };
}
