import { judgeQuorum } from '../../shared/custody/quorum.ts';
import { endedBy } from '../../shared/drill/backup-at-fault.ts';
import { AppError, isTransient } from '../../shared/errors.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import { judgePrerequisites, mayBegin } from '../../shared/recovery/prerequisites.ts';
import type { Runbook, RunbookStep } from '../../shared/recovery/runbook.ts';
import type { NoticeDue } from '../contracts/outcomes.ts';
import type { AutomatedStep } from '../contracts/recovery-inputs.ts';
import type { RecoveryActivityOutcomes } from '../contracts/recovery-outcomes.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import { readRecords } from './catalogue.ts';
import { custodyOf } from './custody-ledger.ts';
import { type HsmLock, releaseHsmLock, takeHsmLock } from './hsm-lock.ts';
import { knownHsm } from './joined-hsms.ts';
import { policyInForce } from './policy-in-force.ts';
import { attachIdentities, awaitActivation, createNewHsm, enterRecovery } from './recovery-hsm.ts';
import { changeRecovery, recoveryOf, reportStep, runbookOf, type StoredRecovery } from './recovery-records.ts';
import { restoreBackup, takeSafetyBackup, verifyRestore } from './recovery-restore.ts';
import { BUSY_PAUSE_MS, later, recoveryWorld, type StepResult } from './recovery-steps.ts';
import { closeRehearsal, endOfRehearsal, stageForRehearsal } from './rehearsals.ts';

/** A step that the service refused is tried again after so long; a person who mends the cause need not ask. */
const RETRY_MS = 15 * 60_000;
/** How long a recovery sleeps when only people can go on. A report wakes it at once. */
const LOOK_AGAIN_MS = 60 * 60_000;

const STEPS: Record<AutomatedStep, (world: World, recovery: StoredRecovery) => Promise<StepResult>> = {
  prerequisites: checkPrerequisites,
  createHsm: createNewHsm,
  enterRecovery,
  awaitActivation,
  attachIdentity: attachIdentities,
  safetyBackup: takeSafetyBackup,
  restore: restoreBackup,
  verify: verifyRestore,
  stageBackup: stageForRehearsal,
};

/** Steps that are a job of the new HSM, which does one at a time. */
const EXCLUSIVE: Partial<Record<AutomatedStep, HsmLock['kind']>> = { safetyBackup: 'backup', restore: 'restore' };

/** Who reports what the app did; people are named by their object ids. */
const US = 'automation';

const isAutomated = (step: string): step is AutomatedStep => Object.hasOwn(STEPS, step);

export const recoveryActivities = (world: World) =>
  ({
    /** What goes on now. Everything is read from what was reported, so that a recovery goes on after days as after seconds. */
    async nextRecoveryStep({ recovery: id }) {
      const recovery = await recoveryOf(world, id);
      const runbook = await runbookOf(world, recovery);
      const ended = await endOfRehearsal(world, recovery, runbook);
      if (ended) return { kind: 'ended', reason: ended.reason, explanation: ended.explanation, result: ended.result };
      if (runbook.complete) return { kind: 'complete' };
      const now = world.clock.now().getTime();
      const ready = runbook.steps.filter(({ name }) => runbook.ready.includes(name) && isAutomated(name));
      const retryOn = (step: RunbookStep) =>
        // A person who reports a failure of ours has mended its cause, and asks for the step again.
        step.state === 'failed' && step.report?.by === US ? Date.parse(step.report.at) + RETRY_MS : now;
      const due = ready.find((step) => retryOn(step) <= now);
      if (due && isAutomated(due.name)) return { kind: 'act', step: due.name };
      const limits = recovery.rehearsal ? [Date.parse(recovery.rehearsal.until)] : [];
      const until = Math.min(now + LOOK_AGAIN_MS, ...ready.map(retryOn), ...limits);
      return {
        kind: 'wait',
        for: [...runbook.waiting, ...ready.map(({ name }) => name)],
        until: new Date(until).toISOString(),
        notices: await noticesOf(world, recovery, runbook),
      };
    },

    /** Does one step, or goes on with it. Every effect compares the world first, so that it may run twice. */
    async performRecoveryStep({ recovery: id, step }, { starter }) {
      const recovery = await recoveryOf(world, id);
      const { steps } = await runbookOf(world, recovery);
      const isDone = steps.some(({ name, state }) => name === step && state === 'done');
      const outcome = isDone ? { kind: 'done' as const } : await perform(world, starter, recovery, step);
      if (EXCLUSIVE[step] && outcome.kind !== 'later') await releaseHsmLock(world, recovery.newHsm, id);
      return outcome;
    },
  }) satisfies Partial<ActivityHandlers>;

/**
 * The new HSM is looked after from its first day, so its schedule may want a backup meanwhile: a job holds the lock, while the
 * rule of the 30 minutes is waited out as well.
 */
async function perform(
  world: World,
  starter: Starter,
  recovery: StoredRecovery,
  step: AutomatedStep,
): Promise<RecoveryActivityOutcomes['performRecoveryStep']> {
  const { id, newHsm: hsm } = recovery;
  const operation = EXCLUSIVE[step];
  const lock = operation && (await takeHsmLock(world, starter, { hsm, holder: id, operation }));
  if (lock?.kind === 'held') return later(world, BUSY_PAUSE_MS, `waiting for ${lock.by}`);
  const result = await STEPS[step](world, recovery).catch((error: unknown): StepResult => {
    if (!(error instanceof AppError) || isTransient(error)) throw error;
    return refusedBy(error);
  });
  if (result.kind === 'later') return result;
  const at = world.clock.now().toISOString();
  const now = await recoveryOf(world, id);
  if (result.kind === 'refused') {
    const { explanation, final } = result;
    // First of all, so that a crash in between does not make it be tried once more.
    if (recovery.rehearsal && final !== undefined) {
      await closeRehearsal(world, recovery, { by: US, reason: final, explanation, result: endedBy(final) });
    }
    await reportStep(world, now, { step, result: 'failed', by: US, at, evidence: explanation });
    return result;
  }
  await reportStep(world, now, { step, result: 'done', by: US, at, evidence: result.evidence });
  return { kind: 'done' };
}

const refusedBy = ({ message, nextStep }: AppError): StepResult => ({
  kind: 'refused',
  explanation: `${message} ${nextStep}`,
});

async function checkPrerequisites(world: World, recovery: StoredRecovery): Promise<StepResult> {
  const { hsm, region, administrators } = recovery;
  const [inForce, custody, records] = await Promise.all([
    policyInForce(world),
    custodyOf(world, hsm),
    readRecords(world.documents, hsm),
  ]);
  const { rule } = effectiveHsmRule(inForce.policy, hsm, inForce.version);
  const now = world.clock.now();
  const prerequisites = judgePrerequisites({
    hsm,
    region: await regionOf(world, hsm),
    rule,
    records,
    quorum: judgeQuorum(custody, rule.custody, now),
    fileCopies: custody.files,
    administrators,
    targetRegion: region,
    now,
  });
  await changeRecovery(world, recovery.id, (current) => ({ ...current, prerequisites }));
  const count = (state: string) => prerequisites.filter((each) => each.state === state).length;
  const text = `${count('met')} met, ${count('unmet')} unmet, ${count('unknown')} unknown`;
  if (mayBegin(prerequisites)) return { kind: 'done', evidence: text };
  const missing = prerequisites.filter(({ blocking, state }) => blocking && state === 'unmet');
  return { kind: 'refused', explanation: missing.map(({ found, nextStep = '' }) => `${found} ${nextStep}`).join(' ') };
}

/** Where the lost HSM stands or stood. One that left no trace has no region, and the policy has to name those allowed. */
async function regionOf(world: World, hsm: string): Promise<string> {
  const { resources } = recoveryWorld(world);
  const { resourceId } = await knownHsm(world, hsm);
  const found = await resources.read(resourceId);
  if (found) return found.region;
  const [, , subscription = ''] = resourceId.split('/');
  return (await resources.listDeleted(subscription)).find(({ name }) => name === hsm)?.region ?? '';
}

/** One notice for each step that only a person can do, and for each that failed; told daily while it waits. */
async function noticesOf(world: World, recovery: StoredRecovery, runbook: Runbook): Promise<NoticeDue[]> {
  const { id, hsm } = recovery;
  const inForce = await policyInForce(world);
  const { notice } = effectiveHsmRule(inForce.policy, hsm, inForce.version).rule;
  const progress = `${runbook.done} of ${runbook.total}`;
  return runbook.steps
    .filter(({ name, state }) => runbook.waiting.includes(name) || (state === 'failed' && runbook.ready.includes(name)))
    .map(({ name, title, who, what, commands, state, report }) => ({
      id: `recovery-${id}-${name}-${state}`,
      notice: {
        kind: 'RecoveryStepWaiting',
        ...{ at: world.clock.now().toISOString(), hsm, notify: notice, recovery: id, step: name, title, who, progress },
        ...(recovery.rehearsal ? { drill: recovery.rehearsal.drill, until: recovery.rehearsal.until } : {}),
        instructions: [...(state === 'failed' && report?.evidence !== undefined ? [report.evidence] : []), ...what],
        commands,
      },
      repeatAfter: 'P1D',
    }));
}
