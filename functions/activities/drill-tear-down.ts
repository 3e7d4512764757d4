import { decideTearDown } from '../../shared/drill/decide-tear-down.ts';
import { hasCode, isTransient } from '../../shared/errors.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import type { ActivityHandlers } from '../implement.ts';
import { rehearsalId, tearDownId } from '../instance-ids.ts';
import type { World } from '../world.ts';
import { deletionCommand, keepDrillPart, readDrillPart, readDrills, type TornDown } from './drill-records.ts';
import { announceOnHsm } from './hsm-acts.ts';
import { removeEndpoint } from './hsm-endpoints.ts';
import { releaseHsmLock } from './hsm-lock.ts';
import { partFrom } from './joined-hsms.ts';
import { policyInForce } from './policy-in-force.ts';
import { newResourceId, readRecovery, type StoredRecovery } from './recovery-records.ts';
import { recoveryWorld } from './recovery-steps.ts';
import { closeRehearsal, creationSettlesOn } from './rehearsals.ts';

/** How often the service is asked while it deletes an HSM. */
const LOOK_AGAIN_MS = 15_000;

export const drillTearDownActivities = (world: World) =>
  ({
    /**
     * One look at the temporary HSM of a drill, and what that asks for. From the first look on nothing is made any more; what
     * is deleted carries the tags of this very drill.
     */
    async removeDrillHsm({ hsm, instance }) {
      const recovery = await readRecovery(world, rehearsalId(instance));
      const known = await readDrillPart(world.documents, hsm, instance, 'tornDown');
      if (known || !recovery) return { kind: 'gone', hsm: recovery?.newHsm ?? 'a temporary HSM', ...deletedOf(known) };
      await closeRehearsal(world, recovery, { by: 'automation', ...OVER });
      // As it was closed: a creation that came just before it is written down in it.
      const { newHsm, ...closed } = (await readRecovery(world, recovery.id)) ?? recovery;
      const resourceId = newResourceId(world, recovery);
      const { resources } = recoveryWorld(world);
      const [, , subscription = ''] = resourceId.split('/');
      const live = await resources.read(resourceId);
      const deleted = live
        ? undefined
        : (await resources.listDeleted(subscription)).find((each) => sameResource(each.resourceId, resourceId));
      const settles = creationSettlesOn(world, { newHsm, ...closed });
      const decision = decideTearDown({
        ...{ installation: world.installation, drill: instance, hsm: newHsm, now: world.clock.now() },
        ...(settles === undefined ? {} : { creationSettlesOn: settles }),
        ...(live ? { live } : {}),
        ...(deleted ? { deleted } : {}),
      });
      switch (decision.kind) {
        case 'notOurs':
          return { kind: 'remains', explanation: decision.explanation };
        case 'wait':
          return { kind: 'later', until: soon(world), why: decision.why };
        case 'delete': {
          const refusal = await remove(world, recovery, resourceId);
          if (refusal?.lasts) return { kind: 'remains', explanation: refusal.why };
          return { kind: 'later', until: soon(world), why: refusal?.why ?? `${newHsm} is being deleted` };
        }
        case 'gone': {
          if (!(await removeEndpoint(world, recovery)))
            return { kind: 'later', until: soon(world), why: `the private endpoint of ${newHsm} is being deleted` };
          await releaseHsmLock(world, newHsm, recovery.id);
          await partFrom(world, newHsm);
          // Last of all: from then on nobody looks again.
          const seen: TornDown = { hsm: newHsm, seenOn: world.clock.now().toISOString(), ...partOf(decision.deleted) };
          const kept = await keepDrillPart(world.documents, hsm, instance, 'tornDown', seen);
          return { kind: 'gone', hsm: newHsm, ...deletedOf(kept) };
        }
      }
    },

    /** The notice that a temporary HSM goes on running, with the command that ends it. */
    async describeDrillRemains({ hsm, instance, explanation }) {
      const recovery = await readRecovery(world, rehearsalId(instance));
      const inForce = await policyInForce(world);
      const { rule } = effectiveHsmRule(inForce.policy, hsm, inForce.version);
      const { pricePerHour, currency } = rule.drills;
      return {
        kind: 'described',
        id: `drill-remains-${instance}`,
        notice: {
          kind: 'DrillHsmRemains',
          ...{ at: world.clock.now().toISOString(), hsm, notify: rule.notice, drill: instance, explanation },
          target: recovery?.newHsm ?? 'a temporary HSM',
          commands: recovery ? [deletionCommand(recovery, newResourceId(world, recovery))] : [],
          ...(pricePerHour === undefined ? {} : { costPerHour: `${pricePerHour} ${currency}` }),
        },
        repeatAfter: 'P1D',
      };
    },

    /** Finds temporary HSMs whose drill was terminated, or could not remove them, and has them removed. */
    async sweepDrillHsms({ hsm }, { starter }) {
      let started = 0;
      for (const { drill } of await readDrills(world.documents, hsm)) {
        if (drill.target.kind !== 'temporary' || !(await readRecovery(world, rehearsalId(drill.id)))) continue;
        if (await readDrillPart(world.documents, hsm, drill.id, 'tornDown')) continue;
        if (await starter.isUnderWay(drill.id)) continue;
        const input = { hsm, instance: drill.id };
        if ((await starter.startOnce('tearDownDrill', tearDownId(drill.id), input)) === 'started') started += 1;
      }
      return { kind: 'swept', started };
    },
  }) satisfies Partial<ActivityHandlers>;

const OVER = { reason: 'DrillOver', explanation: 'The drill is over.', result: 'skipped' } as const;

const soon = (world: World): string => new Date(world.clock.now().getTime() + LOOK_AGAIN_MS).toISOString();

const sameResource = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

const partOf = (deleted: TornDown['deleted']): Pick<TornDown, 'deleted'> =>
  deleted === undefined
    ? {}
    : {
        deleted: {
          deletedOn: deleted.deletedOn,
          purgedOn: deleted.purgedOn,
          purgeProtection: deleted.purgeProtection,
        },
      };

const deletedOf = (kept: TornDown | undefined) =>
  kept?.deleted === undefined ? {} : { deletedOn: kept.deleted.deletedOn, goneOn: kept.deleted.purgedOn };

/** Starts the deletion; why not, where it is refused. The same request again is harmless. */
async function remove(
  world: World,
  recovery: StoredRecovery,
  resourceId: string,
): Promise<{ why: string; lasts: boolean } | undefined> {
  const { id, newHsm, by, rehearsal } = recovery;
  const outcome = await announceOnHsm(world, {
    act: 'hsm.delete',
    duty: 'restore',
    hsm: newHsm,
    target: resourceId,
    instance: id,
    cause: by,
    count: { 'hsm.delete': 1 },
    lastsMinutes: 60,
    detail: { drill: rehearsal?.drill ?? '' },
  });
  try {
    await recoveryWorld(world).resources.remove(resourceId);
    await outcome('done');
    return undefined;
  } catch (error) {
    if (isTransient(error) || !(error instanceof Error) || !('nextStep' in error)) throw error;
    // Azure refuses while the HSM is still being made, or at work: that passes.
    const lasts = !hasCode(error, 'ERR_CONFLICT');
    if (lasts) await outcome('refused', { reason: error.message });
    return { why: `${error.message} ${error.nextStep}`, lasts };
  }
}
