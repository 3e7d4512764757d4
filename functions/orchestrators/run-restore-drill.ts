import type { OrchestrationContext, Task } from 'durable-functions';
import { endedBy } from '../../shared/drill/backup-at-fault.ts';
import type { DrillStep } from '../../shared/drill/report.ts';
import type { RestoreDrillOutcome, TearDownOutcome } from '../contracts/drill-outcomes.ts';
import type { OrchestrationInputs } from '../contracts/inputs.ts';
import { type Failed, isFailed } from '../contracts/outcomes.ts';
import type { RestoreRefused } from '../contracts/restore-outcomes.ts';
import { noticeId, tearDownId } from '../instance-ids.ts';
import { run, type Step, steps } from '../steps.ts';
import type { RecoverHsmOutcome } from './recover-hsm.ts';
import { replaceContents } from './restore-hsm.ts';
import { takeHsm } from './take-hsm.ts';
import { toldAnyway } from './told-anyway.ts';

/** What a drill has come through so far. The report is made of it, however the drill ends. */
interface Course {
  steps: DrillStep[];
  /** Why the restore, or the look at it, did not come about. */
  refusal?: string;
  /** The HSM that is made for this drill, and removed after it. */
  temporary?: string;
}

/**
 * Prepare, keep sentinels, lock the drill HSM, restore, compare, open the sentinels, report, tell. One instance for each due
 * instant or request: `drill-{hsm}-{occasion}`. The HSM that the backup is of is read, and never restored to. On a temporary
 * HSM the drill rehearses a recovery instead of taking a lock, and removes the HSM in the end, however it ends.
 */
export function* runRestoreDrill(context: OrchestrationContext): Generator<Task, RestoreDrillOutcome, unknown> {
  const { hsm } = context.df.getInput<OrchestrationInputs['runRestoreDrill']>();
  const { closeDrill, describeDrill } = steps(context);
  const instance = context.df.instanceId;
  const course: Course = { steps: [] };
  try {
    yield* rehearse(context, course);
  } catch (spent) {
    // What was out of reach is told, and says nothing of the backup.
    endOpenStep(context, course, endedBy(), String(spent).slice(0, 300));
  }
  if (course.temporary !== undefined) yield* removeTemporary(context, course, course.temporary);
  context.df.setCustomStatus('writing the report');
  const endedOn = now(context);
  const refusal = course.refusal === undefined ? {} : { refusal: course.refusal };
  const closed = yield* closeDrill({ hsm, instance, endedOn, steps: course.steps, ...refusal });
  if (closed.kind !== 'closed') return closed;
  context.df.setCustomStatus('telling');
  const described = yield* toldAnyway(context, (more) => describeDrill({ hsm, instance, ...more }));
  if (described !== undefined && !isFailed(described)) {
    const { id, notice, repeatAfter } = described;
    yield* run(context, 'deliverNotification', { id, notice, repeatAfter }, noticeId(instance, 'drill'));
  }
  return closed.end;
}

function* rehearse(context: OrchestrationContext, course: Course): Step<void> {
  const input = context.df.getInput<OrchestrationInputs['runRestoreDrill']>();
  const { prepareDrill, keepDrillSentinels, unlockHsm } = steps(context);
  const { hsm } = input;
  const instance = context.df.instanceId;
  const at = begin(context, course, 'prepareTarget', 'Preparing the drill');
  const prepared = yield* prepareDrill({ ...input, instance, startedOn: at });
  if (prepared.kind !== 'prepared') return endOpenStep(context, course, 'skipped', whyOf(prepared));
  const { target } = prepared;
  endOpenStep(context, course, 'done', `${input.backup} to ${target}`);

  begin(context, course, 'keepSentinels', 'Keeping sentinels');
  const kept = yield* keepDrillSentinels({ hsm, instance });
  // Without them the drill proves less, and its report says so.
  if (kept.kind !== 'kept') endOpenStep(context, course, 'skipped', whyOf(kept));
  else endOpenStep(context, course, 'done', `${kept.sentinels} keys, ${kept.made} of them now`);
  if (prepared.rehearsal !== undefined) {
    course.temporary = target;
    return yield* recoverAndVerify(context, course, prepared.rehearsal);
  }

  begin(context, course, 'lock', `Taking ${target}`);
  const taken = yield* takeHsm(context, target, 'restore');
  if (taken.kind !== 'taken') {
    // Somebody else's work on the drill HSM says nothing of the backup.
    return endOpenStep(context, course, 'skipped', taken.kind === 'busy' ? taken.explanation : whyOf(taken));
  }
  endOpenStep(context, course, 'done');
  try {
    yield* restoreAndVerify(context, course, target);
  } finally {
    // A drill that fails gives the HSM back as well.
    yield* unlockHsm({ hsm: target, holder: instance });
  }
}

/** As in an emergency: a new HSM, the holders of its security domain, the restore. People take days, and the drill waits. */
function* recoverAndVerify(context: OrchestrationContext, course: Course, rehearsal: string): Step<void> {
  begin(context, course, 'rehearsal', 'Recovering to a new HSM');
  const recovered = yield* run<RecoverHsmOutcome, 'recoverHsm'>(
    context,
    'recoverHsm',
    { recovery: rehearsal },
    rehearsal,
  );
  if (recovered.kind !== 'recovered') {
    if (recovered.kind === 'ended') course.refusal = recovered.reason;
    const result = recovered.kind === 'ended' ? recovered.result : 'skipped';
    return endOpenStep(context, course, result, recovered.kind === 'goesOn' ? undefined : whyOf(recovered));
  }
  endOpenStep(context, course, 'done');
  yield* verify(context, course);
}

function* removeTemporary(context: OrchestrationContext, course: Course, target: string): Step<void> {
  const { hsm } = context.df.getInput<OrchestrationInputs['runRestoreDrill']>();
  const instance = context.df.instanceId;
  begin(context, course, 'tearDown', `Removing ${target}`);
  try {
    const removed = yield* run<TearDownOutcome, 'tearDownDrill'>(
      context,
      'tearDownDrill',
      { hsm, instance },
      tearDownId(instance),
    );
    if (removed.kind === 'remains') return endOpenStep(context, course, 'failed', removed.explanation);
    endOpenStep(context, course, 'done', removed.goneOn === undefined ? undefined : `purged on ${removed.goneOn}`);
  } catch (spent) {
    // The report is owed all the same; the watch of backups goes on removing.
    endOpenStep(context, course, 'failed', String(spent).slice(0, 300));
  }
}

function* restoreAndVerify(context: OrchestrationContext, course: Course, target: string): Step<void> {
  begin(context, course, 'restore', `Restoring to ${target}`);
  const restored = yield* replaceContents(context, target);
  if (restored.kind !== 'done') {
    return stop(context, course, restored);
  }
  endOpenStep(context, course, 'done');
  yield* verify(context, course);
}

function* verify(context: OrchestrationContext, course: Course): Step<void> {
  const { hsm } = context.df.getInput<OrchestrationInputs['runRestoreDrill']>();
  const { compareDrill, tryDrillSentinels } = steps(context);
  const instance = context.df.instanceId;
  context.df.setCustomStatus('comparing with the manifest');
  begin(context, course, 'compare', 'Comparing with the manifest');
  const compared = yield* compareDrill({ hsm, instance });
  if (compared.kind !== 'compared') stop(context, course, compared);
  else endOpenStep(context, course, 'done', `${compared.keys} keys, ${compared.versions} versions`);

  context.df.setCustomStatus('opening what was made before');
  begin(context, course, 'sentinels', 'Opening the sentinels');
  const tried = yield* tryDrillSentinels({ hsm, instance });
  if (tried.kind !== 'tried') stop(context, course, tried);
  else endOpenStep(context, course, 'done', `${tried.ok} of ${tried.ok + tried.failed + tried.notTried}`);
}

/** Ends the open step of what did not come about; the first reason that blames the backup is the drill's. */
function stop(context: OrchestrationContext, course: Course, stopped: RestoreRefused | Failed): undefined {
  const reason = stopped.kind === 'refused' ? stopped.reason : stopped.code;
  const result = endedBy(reason);
  if (course.refusal === undefined || result === 'failed') course.refusal = reason;
  return endOpenStep(context, course, result, whyOf(stopped));
}

function begin(context: OrchestrationContext, course: Course, name: string, title: string): string {
  const startedOn = now(context);
  course.steps.push({ name, title, startedOn, result: 'running' });
  return startedOn;
}

function endOpenStep(
  context: OrchestrationContext,
  course: Course,
  result: DrillStep['result'],
  detail?: string,
): undefined {
  const open = course.steps.at(-1);
  if (open?.result !== 'running') return undefined;
  Object.assign(open, { result, endedOn: now(context), ...(detail === undefined ? {} : { detail }) });
  return undefined;
}

const now = (context: OrchestrationContext): string => context.df.currentUtcDateTime.toISOString();

const whyOf = (stopped: { explanation: string } | { message: string }): string =>
  'explanation' in stopped ? stopped.explanation : stopped.message;
