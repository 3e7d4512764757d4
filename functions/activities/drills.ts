import { type CostVerdict, guardCost } from '../../shared/drill/cost-guard.ts';
import { type DrillDecision, decideDrill } from '../../shared/drill/decide-drill.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import type { DrillRule, DrillTarget } from '../../shared/policy/hsm-rule.ts';
import { addDuration } from '../../shared/time.ts';
import type { RestoreDrillInput } from '../contracts/drill-inputs.ts';
import type { NoticeDue } from '../contracts/outcomes.ts';
import type { ActivityHandlers } from '../implement.ts';
import { temporaryHsmName } from '../instance-ids.ts';
import { lookedAfter } from '../looked-after.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import { firstWatched } from './backup-watch.ts';
import { refused } from './backups.ts';
import { readRecord, readRecords } from './catalogue.ts';
import { startDrill } from './drill-claims.ts';
import { keepDrillPart, readDrills, type StoredDrill } from './drill-records.ts';
import { journalDecision } from './journaled-decision.ts';
import { planRehearsal } from './plan-rehearsal.ts';
import { policyInForce } from './policy-in-force.ts';
import { decideOnce, requestPath, restoreMatter, type StoredRestore } from './restore-requests.ts';

/** Who approves the overwriting of an HSM that the policy keeps for drills. */
const STANDING_APPROVAL = 'policy drills.target';

export const drillActivities = (world: World) =>
  ({
    async startDueDrill({ hsm }, { starter, log }) {
      if (!world.backups?.restores) return { kind: 'off', explanation: 'This installation restores nothing.' };
      const decision = await decideDrillNow(world, starter, hsm);
      switch (decision.kind) {
        case 'run': {
          const input = drillInput(hsm, decision, 'schedule', decision.explanation);
          const outcome = await startDrill(world, starter, decision.instance, input);
          return { kind: outcome.kind === 'started' ? 'started' : 'running', explanation: decision.explanation };
        }
        case 'join':
          return { kind: 'running', explanation: decision.explanation };
        case 'keep':
          return { kind: 'kept', explanation: decision.explanation };
        case 'refused': {
          log.warn('DrillRefused', { hsm, reason: decision.reason, explanation: decision.explanation });
          return {
            kind: 'refused',
            explanation: decision.explanation,
            notices: [await noticeOf(world, hsm, decision)],
          };
        }
      }
    },

    /**
     * Guards the cost, then writes down what is restored where. A standing drill HSM is named by the reviewed policy as one
     * that may be overwritten, and that stands for the approval which any other restore needs.
     */
    async prepareDrill({ hsm, instance, backup, target, by, note, startedOn }) {
      const [record, inForce] = await Promise.all([readRecord(world.documents, hsm, backup), policyInForce(world)]);
      if (!record) return refused('BackupUnknown', `The catalogue has no backup ${backup}.`, CHOOSE);
      const { rule } = effectiveHsmRule(inForce.policy, hsm, inForce.version);
      const cost = costOf(rule.drills, target);
      const drill: StoredDrill = {
        schema: 1,
        id: instance,
        hsm,
        target:
          target.kind === 'standing'
            ? { hsm: target.hsm, kind: 'standing' }
            : { hsm: temporaryHsmName(world.installation, instance), kind: 'temporary', region: target.region },
        backup,
        by,
        note,
        startedOn,
        cost: cost.estimate,
      };
      await keepDrillPart(world.documents, hsm, instance, 'drill', drill);
      if (cost.kind === 'refused') return refused(cost.reason, cost.explanation, cost.nextStep);
      if (target.kind === 'temporary') return planRehearsal(world, rule.drills, drill, target, cost);
      if (!world.hsms.some(({ name }) => name === target.hsm)) {
        return refused('TargetUnknown', `${target.hsm} is not one of the HSMs of this installation.`, ADD_TARGET);
      }
      const request: StoredRestore = {
        schema: 1,
        id: instance,
        hsm: target.hsm,
        backup,
        by,
        at: startedOn,
        reason: `Restore drill of ${hsm}: ${note}`,
        confirmation: target.hsm,
        // A drill is what clears the doubt of an earlier one; its copy was verified, or it would not be locked.
        accepts: ['unverifiedBackup'],
        preview: [`Everything in ${target.hsm} is replaced by backup ${backup}.`],
        started: true,
      };
      const approval = { by: STANDING_APPROVAL, at: startedOn, decision: 'approved' as const, note: inForce.version };
      await journalDecision(world, restoreMatter(world, request), approval);
      await world.documents.create('state', requestPath(instance), request);
      await decideOnce(world.documents, instance, approval);
      return { kind: 'prepared', target: target.hsm };
    },
  }) satisfies Partial<ActivityHandlers>;

/** Whether a drill of the HSM is to run now, by the catalogue and the drills so far. */
export async function decideDrillNow(
  world: World,
  starter: Starter,
  hsm: string,
  request?: { id: string; by: string; note: string; backup?: string },
): Promise<DrillDecision> {
  const [inForce, records, drills, watchedSince] = await Promise.all([
    policyInForce(world),
    readRecords(world.documents, hsm),
    readDrills(world.documents, hsm),
    firstWatched(world, hsm),
  ]);
  const { rule, origin } = effectiveHsmRule(inForce.policy, hsm, inForce.version);
  const open = drills.find(({ end }) => end === undefined)?.drill.id;
  const running = open !== undefined && (await starter.isUnderWay(open)) ? open : undefined;
  const lastDrillOn = drills.flatMap(({ end }) => end?.endedOn ?? []).sort((a, b) => Date.parse(b) - Date.parse(a))[0];
  return decideDrill({
    hsm,
    rule: rule.drills,
    records,
    watchedSince,
    now: world.clock.now(),
    reachesNewHsm: world.recovery?.endpoints !== undefined,
    hsms: lookedAfter(world.hsms).map(({ name }) => name),
    targetField: fieldFrom(origin['drills.target']),
    ...(lastDrillOn === undefined ? {} : { lastDrillOn }),
    ...(running === undefined ? {} : { running }),
    ...(request === undefined ? {} : { request }),
  });
}

/** `hsms[0] contoso` as a place in the document. */
const fieldFrom = (origin: string | undefined): string =>
  `${/^hsms\[\d+\]/.exec(origin ?? '')?.[0].concat('.') ?? ''}drills.target`;

/** A drill that cannot run, or will not, is told until somebody mends the cause: nothing else would say so for months. */
async function noticeOf(
  world: World,
  hsm: string,
  { reason, explanation, nextStep, dueOn }: Extract<DrillDecision, { kind: 'refused' }>,
): Promise<NoticeDue> {
  const inForce = await policyInForce(world);
  const { notice: notify } = effectiveHsmRule(inForce.policy, hsm, inForce.version).rule;
  const at = world.clock.now().toISOString();
  return {
    // What is told before it is due is told anew once it is.
    id: `drill-refused-${hsm}-${reason}${dueOn === undefined ? '' : `-before-${dueOn}`}`,
    notice: {
      kind: 'DrillRefused',
      ...{ at, hsm, notify, reason, explanation, nextStep },
      ...(dueOn === undefined ? {} : { dueOn }),
    },
    repeatAfter: 'P7D',
  };
}

export const drillInput = (
  hsm: string,
  { backup, target }: Extract<DrillDecision, { kind: 'run' }>,
  by: string,
  note: string,
): RestoreDrillInput => ({ hsm, backup, target, by, note });

/** What a drill by this rule would cost, and whether it may. */
export const costOf = (rule: DrillRule, target: DrillTarget): CostVerdict =>
  guardCost({
    rule,
    target: priced(target),
    expectedHours: hoursOf(rule.rto),
    longestHours: hoursOf(rule.holdersWithin),
  });

/** A temporary HSM is never made with purge protection: it could not be removed before its retention ends. */
const priced = (target: DrillTarget) =>
  target.kind === 'standing'
    ? ({ kind: 'standing' } as const)
    : { kind: 'temporary' as const, purgeProtection: false, softDeleteDays: target.softDeleteDays };

const hoursOf = (duration: string): number => addDuration(new Date(0), duration).getTime() / 3_600_000;

const CHOOSE = 'Choose one of the catalogue.';
const ADD_TARGET = 'Add the drill HSM to MHSM_HSMS, or name another one in drills.target.';
