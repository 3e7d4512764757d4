import type { CostVerdict } from '../../shared/drill/cost-guard.ts';
import type { DrillRule, DrillTarget } from '../../shared/policy/hsm-rule.ts';
import { addDuration, toIso } from '../../shared/time.ts';
import type { DrillActivityOutcomes } from '../contracts/drill-outcomes.ts';
import { rehearsalId } from '../instance-ids.ts';
import type { World } from '../world.ts';
import { refused } from './backups.ts';
import type { StoredDrill } from './drill-records.ts';
import { knownHsm } from './joined-hsms.ts';
import { journalRecoveryRequest } from './recovery-approvals.ts';
import { createRecovery, type StoredRecovery } from './recovery-records.ts';

/**
 * Writes down the recovery that a drill on a temporary HSM rehearses, once. It is made beside its source, reaches its backups
 * with the same identities, and has the same first administrators and those that the policy names for drills.
 */
export async function planRehearsal(
  world: World,
  rule: DrillRule,
  { id: drill, hsm, target: { hsm: newHsm }, backup, by, note, startedOn }: StoredDrill,
  { region, softDeleteDays }: Extract<DrillTarget, { kind: 'temporary' }>,
  cost: CostVerdict,
): Promise<DrillActivityOutcomes['prepareDrill']> {
  if (!world.recovery) return refused('NoDutyOfRestoring', NOBODY, SET_IDENTITY);
  if (!world.recovery.endpoints) return refused('NoWayToTarget', CLOSED, NAME_SUBNET);
  const { subnetId, service } = world.recovery.endpoints;
  if (!(await service.hasSubnet(subnetId))) {
    const explanation = `The subnet ${subnetId} is not there, or the identity of restoring may not read it.`;
    return refused('NoWayToTarget', explanation, LOOK_AT_SUBNET);
  }
  const { resourceId } = await knownHsm(world, hsm);
  const source = await world.recovery.resources.read(resourceId);
  if (!source) return refused('SourceUnknown', `Azure shows no HSM ${hsm} to the identity of restoring.`, LOOK);
  const administrators = [...new Set([...(source.administrators ?? []), ...(rule.administratorIds ?? [])])];
  if (administrators.length === 0) {
    return refused('NoAdministrators', `Nobody is known who could administer ${newHsm}.`, NAME_THEM);
  }
  if (source.tenantId === undefined) return refused('SourceUnknown', `Azure does not show the tenant of ${hsm}.`, LOOK);
  const warnings = cost.kind === 'allowed' ? cost.warnings : [];
  const recovery: StoredRecovery = {
    schema: 1,
    id: rehearsalId(drill),
    ...{ hsm, newHsm, region, tenantId: source.tenantId, administrators, identities: source.identities },
    reason: `Restore drill ${drill}: ${note}`,
    ...{ by, at: startedOn, reports: [], consumers: [], answers: [], backup },
    rehearsal: {
      ...{ drill, softDeleteDays },
      until: toIso(addDuration(new Date(startedOn), rule.holdersWithin)),
      cost: [cost.estimate.text, ENDPOINT_COSTS, ...warnings],
    },
  };
  await journalRecoveryRequest(world, recovery);
  await createRecovery(world, recovery);
  return { kind: 'prepared', target: newHsm, rehearsal: recovery.id };
}

/** https://azure.microsoft.com/pricing/details/private-link */
const ENDPOINT_COSTS =
  'Its private endpoint is billed beside it, by the hour and by gigabyte, until the drill removes it.';
const NOBODY = 'This installation recovers nothing: no identity has the duty of restoring.';
const SET_IDENTITY = 'Set MHSM_IDENTITY_RESTORE, and let it create and delete Managed HSMs in the resource group.';
const LOOK = 'See whether the HSM exists, and whether the identity of restoring holds Managed HSM contributor on it.';
const CLOSED = 'The HSM of a drill is closed to the public network, and no subnet is named for its private endpoint.';
const NAME_SUBNET = 'Set MHSM_HSM_ENDPOINT, and let the identity of restoring make private endpoints.';
const LOOK_AT_SUBNET = 'Look at MHSM_HSM_ENDPOINT, and at the role of that identity on the subnet.';
const NAME_THEM =
  'Set drills.administratorIds to the object ids of those who administer a temporary HSM, the identity of restoring among them.';
