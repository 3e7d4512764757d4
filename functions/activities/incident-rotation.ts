import { withStep } from '../../shared/incident/decide-step.ts';
import { guardRotate } from '../../shared/incident/guards.ts';
import type { Incident } from '../../shared/incident/incident.ts';
import type { PlannedStep } from '../../shared/incident/step.ts';
import { POLICY_ALONE, type RotationCause } from '../../shared/rotation/decision.ts';
import type { ActivityHandlers } from '../implement.ts';
import { rotationId } from '../instance-ids.ts';
import type { World } from '../world.ts';
import { demandApproved } from './incident-approvals.ts';
import { notApproved, settle } from './incident-containment.ts';
import { changeIncident, incidentOf } from './incident-records.ts';
import { known, ruleOf } from './incident-world.ts';
import { readLedger } from './ledger.ts';

/** How often it is looked how the rotation stands. */
const LOOK_MS = 30_000;

export const incidentRotationActivities = (world: World) =>
  ({
    /** Rotates by the path of every rotation, so that it happens once, is proven and told; the cause says why. */
    async startIncidentRotation({ incident: id, step: stepId = '' }, { starter }) {
      const incident = await incidentOf(world, id);
      const step = stepOf(incident, stepId);
      if (!step?.key || step.state !== 'approved' || step.expectedVersion === undefined) return { kind: 'done' };
      const approved = await demandApproved(world, incident, step, (await ruleOf(world, incident)).response);
      if (approved.kind === 'refused') {
        await settle(world, id, step, notApproved(approved));
        return { kind: 'done' };
      }
      const key = { hsm: incident.hsm, name: step.key };
      const versions = await known(world.keys.observe.versions(key));
      const refusal = guardRotate(step.key, versions?.length ?? 0);
      if (refusal) {
        const { reason, explanation: detail, nextStep } = refusal;
        await settle(world, id, step, { state: 'refused', reason, detail, nextStep });
        return { kind: 'done' };
      }
      const version = step.expectedVersion;
      const cause: RotationCause = {
        kind: 'Incident',
        incident: id,
        by: approved.by[0] ?? POLICY_ALONE,
        overrides: ['window', 'blackout', 'notDue'],
      };
      await starter.startOnce('rotateKey', rotationId(key, version), { key, version, cause }, ['rotated']);
      await later(world, id, step, 'underWay');
      return { kind: 'done' };
    },

    /** Looks at the key itself: a version that follows the one planned for is the new one. */
    async followIncidentRotation({ incident: id, step: stepId = '' }, { starter }) {
      const incident = await incidentOf(world, id);
      const step = stepOf(incident, stepId);
      if (!step?.key || step.state !== 'underWay' || step.expectedVersion === undefined) return { kind: 'done' };
      const key = { hsm: incident.hsm, name: step.key };
      const instance = rotationId(key, step.expectedVersion);
      if (await starter.isUnderWay(instance)) {
        await later(world, id, step, 'underWay');
        return { kind: 'done' };
      }
      const { ledger } = await readLedger(world.documents, key);
      const made = ledger.versions.find(({ previous }) => previous === step.expectedVersion);
      if (made && (made.proof === 'proven' || made.proof === 'unproven')) {
        const detail = `Version ${made.version} was made on ${made.at}, and is ${made.proof}.`;
        await settle(world, id, step, { state: 'done', detail });
        return { kind: 'done' };
      }
      const newest = await known(world.keys.observe.read(key));
      const moved = newest !== undefined && newest.version !== step.expectedVersion;
      await settle(world, id, step, {
        state: 'failed',
        reason: moved ? 'NotProven' : 'NotRotated',
        detail: moved
          ? `Version ${newest.version} is on the HSM, and was not proven.`
          : 'The rotation ended without a new version.',
        nextStep: `Read GET /api/operations/${instance}, mend what it names, then approve the step again.`,
      });
      return { kind: 'done' };
    },
  }) satisfies Partial<ActivityHandlers>;

const stepOf = ({ plan = [] }: Incident, id: string): PlannedStep | undefined => plan.find((each) => each.id === id);

async function later(world: World, incident: string, { id }: PlannedStep, state: 'underWay'): Promise<void> {
  const now = world.clock.now();
  const retryAt = new Date(now.getTime() + LOOK_MS).toISOString();
  await changeIncident(world, incident, (current) =>
    withStep(current, id, (step) => ({ ...step, state, retryAt, startedAt: step.startedAt ?? now.toISOString() })),
  );
}
