import { type Action, ActionType, activityInput, describeAction, type RetryOptions } from './actions.ts';
import { EventType, type HistoryEvent, isScheduling } from './history.ts';
import { retryDelayMs } from './retry.ts';
import { callOf, entityOf, isCancelledTimer, matches, mismatch, requestId, type Scheduled } from './scheduled.ts';

export interface Replay {
  scheduled: Scheduled[];
  /** Which action each id belongs to, for messages: same length as `scheduled`. */
  owners: Action[];
  /** Every action was awaited to its end. */
  finished: boolean;
  /** Ids without a completion; cancelled timers and one-way signals do not count. */
  open: Set<number>;
  /** Set once a ContinueAsNew action was reached: its input, and events that came too late for this execution. */
  continueAsNew?: { input: string | null; carriedOver: HistoryEvent[] };
}

export interface TimerLimits {
  maximumShortTimerMs: number;
  longTimerIntervalMs: number;
}

/** As the extension: three-day pieces for timers longer than six days. */
export const azureTimerLimits: TimerLimits = {
  maximumShortTimerMs: 6 * 24 * 3_600_000,
  longTimerIntervalMs: 3 * 24 * 3_600_000,
};

/** The history cannot have come from these actions. */
export class NonDeterministicError extends Error {}

/** The orchestrator asked for something this engine leaves out, or broke a rule of the framework. */
export class UnsupportedActionError extends Error {}

/**
 * Walks the orchestrator's actions the way the extension does (each awaited before the next is looked at, user errors
 * ignored, WhenAll waiting for every child) against a history, and says what is scheduled under which id.
 *
 * `asJavaScript` walks them the way the library does instead: Task.all gives up at the first failure, and an action
 * begins no earlier than the episode that first returned it. Comparing both finds orchestrations whose ids drift apart.
 */
export function replay(
  actions: Action[],
  history: HistoryEvent[],
  limits: TimerLimits = azureTimerLimits,
  asJavaScript = false,
): Replay {
  const scheduled: Scheduled[] = [];
  const owners: Action[] = [];
  const open = new Map<number, (completion: HistoryEvent) => void>();
  const requests = new Map<string, number>();
  const waiters = new Map<string, (() => void)[]>();
  const buffered = new Map<string, number>();
  const emitted = asJavaScript ? emittedPerEpisode(history, actions.length) : [actions.length];
  let continued: Replay['continueAsNew'];
  let now = 0;
  let episode = -1;
  let next = 0;
  let awaiting = false;

  const schedule = (owner: Action, task: Scheduled, completed: (completion: HistoryEvent) => void): void => {
    owners.push(owner);
    open.set(scheduled.push(task) - 1, completed);
  };

  const startTimer = (action: Action, finalFireAt: number, done: () => void): void => {
    const long = finalFireAt - now > limits.maximumShortTimerMs;
    const fireAt = new Date(long ? now + limits.longTimerIntervalMs : finalFireAt).toISOString();
    // A cancelled timer never completes: whoever cancelled it was woken by something else.
    const cancelled = action.isCanceled === true;
    schedule(action, { kind: 'timer', fireAt, cancelled }, () => {
      if (long && finalFireAt > now) startTimer(action, finalFireAt, done);
      else done();
    });
  };

  const startWithRetry = (
    action: Action,
    options: RetryOptions,
    task: Scheduled,
    done: (ok: boolean) => void,
    attempt = 1,
  ) => {
    schedule(action, task, (completion) => {
      if (!isFailure(completion)) {
        done(true);
        return;
      }
      // The framework makes one timer even after the last attempt, and JavaScript throws only when that one fired.
      const fireAt = new Date(now + retryDelayMs(options, attempt)).toISOString();
      schedule(action, { kind: 'timer', fireAt, cancelled: false }, () => {
        if (attempt >= options.maxNumberOfAttempts) done(false);
        else startWithRetry(action, options, task, done, attempt + 1);
      });
    });
  };

  const waitForEvent = (name: string, done: () => void): void => {
    const key = name.toLowerCase();
    const kept = buffered.get(key) ?? 0;
    if (kept > 0) {
      buffered.set(key, kept - 1);
      done();
    } else waiters.set(key, [...(waiters.get(key) ?? []), done]);
  };

  const startAll = (children: Action[], done: (ok: boolean) => void): void => {
    let left = children.length;
    let allOk = true;
    for (const child of children)
      start(child, (ok) => {
        left -= 1;
        const gaveUp = asJavaScript && allOk && !ok;
        allOk &&= ok;
        if (gaveUp || (left === 0 && (allOk || !asJavaScript))) done(allOk);
      });
  };

  const startAny = (children: Action[], done: (ok: boolean) => void): void => {
    let won = false;
    for (const child of children)
      start(child, () => {
        if (won) return;
        won = true;
        done(true);
      });
  };

  const start = (action: Action, done: (ok: boolean) => void): void => {
    switch (action.actionType) {
      case ActionType.CallActivity:
      case ActionType.CallSubOrchestrator:
        schedule(action, callOf(action), (completion) => done(!isFailure(completion)));
        break;
      case ActionType.CallActivityWithRetry:
      case ActionType.CallSubOrchestratorWithRetry:
        startWithRetry(action, checkedRetryOptions(action), callOf(action), done);
        break;
      case ActionType.CreateTimer:
        startTimer(action, Date.parse(action.fireAt ?? ''), () => done(true));
        break;
      case ActionType.WaitForExternalEvent:
        waitForEvent(action.externalEventName ?? '', () => done(true));
        break;
      case ActionType.CallEntity:
        schedule(action, entityOf('entityCall', action), () => done(true));
        break;
      case ActionType.SignalEntity:
        schedule(action, entityOf('entitySignal', action), () => done(true));
        open.delete(scheduled.length - 1);
        done(true);
        break;
      case ActionType.WhenAll:
        startAll(action.compoundActions ?? [], done);
        break;
      case ActionType.WhenAny:
        startAny(action.compoundActions ?? [], done);
        break;
      case ActionType.ContinueAsNew:
        continued = { input: activityInput(action.input), carriedOver: [] };
        done(true);
        break;
      default:
        throw new UnsupportedActionError(
          `${describeAction(action)} is not emulated by the local durable engine; see the table in its README.`,
        );
    }
  };

  const advance = (): void => {
    while (!awaiting) {
      const action = next < (emitted[Math.max(episode, 0)] ?? actions.length) ? actions[next] : undefined;
      if (!action) return;
      next += 1;
      awaiting = true;
      start(action, () => {
        awaiting = false;
      });
    }
  };

  const complete = (id: number | undefined, completion: HistoryEvent): void => {
    const completed = id === undefined ? undefined : open.get(id);
    // Late and duplicate results are normal after a crash: the framework drops them as well.
    if (id === undefined || !completed) return;
    open.delete(id);
    completed(completion);
    advance();
  };

  const raise = (raised: HistoryEvent): void => {
    const request = requests.get(raised.Name ?? '');
    if (request !== undefined) {
      complete(request, raised);
      return;
    }
    if (continued) {
      continued.carriedOver.push(raised);
      return;
    }
    const key = (raised.Name ?? '').toLowerCase();
    // The latest waiter gets the event, in the extension as in the library.
    const wake = waiters.get(key)?.pop();
    if (wake) {
      wake();
      advance();
    } else buffered.set(key, (buffered.get(key) ?? 0) + 1);
  };

  for (const past of history) {
    if (isScheduling(past)) {
      const made = scheduled[past.EventId];
      if (!asJavaScript && !matches(made, past)) throw new NonDeterministicError(mismatch(past, made));
      if (made?.kind === 'entityCall') requests.set(requestId(past), past.EventId);
      continue;
    }
    switch (past.EventType) {
      case EventType.OrchestratorStarted:
        now = Math.max(now, Date.parse(past.Timestamp));
        if (asJavaScript) episode += 1;
        if (episode > 0) advance();
        break;
      case EventType.ExecutionStarted:
        advance();
        break;
      case EventType.TaskCompleted:
      case EventType.TaskFailed:
      case EventType.SubOrchestrationInstanceCompleted:
      case EventType.SubOrchestrationInstanceFailed:
        complete(past.TaskScheduledId, past);
        break;
      case EventType.TimerFired:
        complete(past.TimerId, past);
        break;
      case EventType.EventRaised:
        raise(past);
        break;
      default:
        break;
    }
  }

  return {
    scheduled,
    owners,
    finished: !awaiting && next === actions.length,
    open: new Set([...open.keys()].filter((id) => !isCancelledTimer(scheduled[id]))),
    ...(continued ? { continueAsNew: continued } : {}),
  };
}

const isFailure = (completion: HistoryEvent): boolean =>
  completion.EventType === EventType.TaskFailed || completion.EventType === EventType.SubOrchestrationInstanceFailed;

/** With a retry time-out the framework can stop without its last timer, and the JavaScript orchestrator never resumes. */
function checkedRetryOptions(action: Action): RetryOptions {
  const options = action.retryOptions;
  if (!options) throw new UnsupportedActionError(`${describeAction(action)} carries no retryOptions.`);
  if (options.retryTimeoutInMilliseconds !== undefined)
    throw new UnsupportedActionError(
      `${describeAction(action)} sets retryTimeoutInMilliseconds. Once exceeded, the orchestrator stops for ever on Azure ` +
        '(Azure/azure-functions-durable-js issue 629); limit attempts, or race the call against a timer.',
    );
  return options;
}

/** How many actions were known after each episode; the episode under way knows them all. */
function emittedPerEpisode(history: HistoryEvent[], total: number): number[] {
  const counts = history.filter((past) => past.EventType === EventType.OrchestratorCompleted);
  return [...counts.map((past) => past.ActionCount ?? total), total];
}
