import { policyInForce } from '../activities/policy-in-force.ts';
import type { World } from '../world.ts';

export async function showPolicy(world: World) {
  const { policy, version, rejected, missing = false } = await policyInForce(world);
  const { jsonSchema } = await import('../../shared/policy/schema.ts');
  return { status: 200, body: { version, policy, rejected: rejected ?? null, missing, schema: jsonSchema() } };
}
