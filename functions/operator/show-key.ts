import { cadenceInDays } from '../../shared/policy/check-rule.ts';
import { explainRule } from '../../shared/policy/effective-rule.ts';
import { forecastVersionBudget } from '../../shared/rotation/version-budget.ts';
import { adoptionOf } from '../activities/adoption.ts';
import { inspectKey } from '../activities/inspect-key.ts';
import { readLedger } from '../activities/ledger.ts';
import type { World } from '../world.ts';

/** Everything known of one key, with the rule in force and where each of its fields came from. */
export async function showKey(world: World, hsm: string, name: string) {
  const key = { hsm, name };
  const [seen, { ledger }] = await Promise.all([inspectKey(world, key), readLedger(world.documents, key)]);
  const { rule } = seen.effective;
  return {
    status: 200,
    body: {
      key,
      facts: seen.facts,
      hsmPolicy: seen.hsmPolicy ?? null,
      rule: explainRule(seen.effective),
      hold: seen.effective.hold ?? null,
      notes: seen.effective.notes,
      policyVersion: seen.effective.policyVersion,
      versionBudget: forecastVersionBudget({
        used: seen.versionsUsed,
        cadence: cadenceInDays(rule.rotation),
        now: world.clock.now(),
        plannedLife: rule.rotation.plannedLife,
        bornOn: new Date(seen.versionsCreatedOn[0] ?? seen.facts.createdOn),
        warning: rule.rotation.budgetWarning,
      }),
      rotations: ledger.versions,
      adoption: await adoptionOf(world, seen.facts, hsm, rule),
    },
  };
}
