import { drillTags } from '../../shared/drill/decide-tear-down.ts';
import type { HsmResource } from '../../shared/ports/hsm-resources.ts';
import type { World } from '../world.ts';
import { announceOnHsm } from './hsm-acts.ts';
import { newResourceId, readRecovery, type StoredRecovery } from './recovery-records.ts';
import { announceStep, later, recoveryWorld, type StepResult, stepRefused } from './recovery-steps.ts';

/** How often the service is asked while it makes or removes an endpoint. */
const LOOK_AGAIN_MS = 15_000;

/** Beside the HSM that it leads to, under the same name. */
const endpointId = (hsmId: string): string =>
  hsmId.replace(/Microsoft\.KeyVault\/managedHSMs\/([^/]+)$/i, 'Microsoft.Network/privateEndpoints/$1');

/**
 * Sees to it that the app reaches an HSM that it made, whose public network is closed: by a private endpoint in the subnet that
 * the settings name. Undefined once it does. Without the setting a person makes one, and the step is looked at again.
 */
export async function reachNewHsm(
  world: World,
  recovery: StoredRecovery,
  hsm: HsmResource,
): Promise<StepResult | undefined> {
  const { endpoints } = recoveryWorld(world);
  const resourceId = newResourceId(world, recovery);
  const approved = hsm.network.privateEndpoints.some(({ status }) => status === 'Approved');
  if (!endpoints) {
    return approved || hsm.network.publicAccess
      ? undefined
      : stepRefused(
          `${recovery.newHsm} has no private endpoint, and MHSM_HSM_ENDPOINT names no subnet to make one in: make one that this app resolves.`,
        );
  }
  const id = endpointId(resourceId);
  const { subnetId, region, zoneId, service } = endpoints;
  const found = await service.read(id);
  if (!found) {
    // What is removed after the HSM must not come once more behind it.
    if ((await readRecovery(world, recovery.id))?.closing) return stepRefused('The drill is over: nothing is made.');
    const outcome = await announceStep(world, recovery, 'endpoint.create');
    await service.create({ resourceId: id, region, subnetId, hsmId: resourceId, tags: tagsOf(world, recovery) });
    await outcome('done');
    return later(world, LOOK_AGAIN_MS, `the private endpoint of ${recovery.newHsm} is being made`);
  }
  if (found.provisioningState === 'Failed') {
    return stepRefused(`Azure could not make the private endpoint ${id}: look at the subnet ${subnetId}.`);
  }
  if (found.provisioningState !== 'Succeeded') {
    return later(world, LOOK_AGAIN_MS, `the private endpoint of ${recovery.newHsm} is being made`);
  }
  if (found.connection !== 'Approved') {
    return stepRefused(
      `The private endpoint of ${recovery.newHsm} is ${found.connection}: approve its connection on the HSM, or let the identity of restoring do it (managedHSMs/PrivateEndpointConnectionsApproval/action).`,
    );
  }
  if (zoneId === undefined) return undefined;
  const zones = await service.readZones(id);
  if (zones.some((zone) => zone.toLowerCase() === zoneId.toLowerCase())) return undefined;
  const outcome = await announceStep(world, recovery, 'endpoint.name');
  await service.nameIn(id, zoneId);
  await outcome('done');
  return later(world, LOOK_AGAIN_MS, `the name of ${recovery.newHsm} is being written into ${zoneId}`);
}

/** Removes the endpoint of a temporary HSM that is gone; true once there is none of ours. */
export async function removeEndpoint(world: World, recovery: StoredRecovery): Promise<boolean> {
  const { endpoints } = recoveryWorld(world);
  if (!endpoints) return true;
  const id = endpointId(newResourceId(world, recovery));
  const found = await endpoints.service.read(id);
  const ours = Object.entries(tagsOf(world, recovery)).every(([tag, value]) => found?.tags[tag] === value);
  if (!found || !ours) return true;
  if (found.provisioningState === 'Deleting') return false;
  const outcome = await announceOnHsm(world, {
    ...{ act: 'endpoint.delete', duty: 'restore', hsm: recovery.newHsm, target: id },
    ...{ instance: recovery.id, cause: recovery.by, lastsMinutes: 60 },
  });
  await endpoints.service.remove(id);
  await outcome('done');
  return false;
}

/** As on the HSM, so that nothing but what this very drill made is ever removed. */
const tagsOf = ({ installation }: World, { rehearsal, hsm }: StoredRecovery): Record<string, string> =>
  rehearsal ? drillTags(installation, rehearsal.drill) : { recovers: hsm };
