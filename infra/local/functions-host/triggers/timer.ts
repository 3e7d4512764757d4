import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EstateClock } from '../../clock.ts';
import type { FunctionMetadata, Registry } from '../core-module.ts';
import { type Invoke, messageOf, type Trigger } from '../invocation.ts';
import { isSubMinute, parseSchedule, type Schedule } from '../schedule.ts';
import { expandSettings, type Settings } from '../settings.ts';
import { triggerOf } from './trigger-of.ts';

interface ScheduleStatus {
  Last: string;
  Next: string;
  LastUpdated: string;
}

interface TimerFunction {
  name: string;
  schedule: Schedule;
  useMonitor: boolean;
  runOnStartup: boolean;
  retry: FunctionMetadata['retryOptions'];
}

export interface TimerTriggers {
  names: string[];
  start(): void;
  /** One run outside the schedule; resolves when it ended. */
  runNow(name: string): Promise<void>;
  stop(): void;
}

/** What `Last` says of a timer that never ran. */
const NEVER = '0001-01-01T00:00:00+00:00';

/**
 * Timer functions on estate time. One run at a time each; occurrences missed while the host was down, busy, or jumped over
 * by the clock collapse into one. Source: azure-webjobs-sdk-extensions, Extensions/Timers.
 */
export function createTimerTriggers(options: {
  registry: Registry;
  invoke: Invoke;
  clock: EstateClock;
  settings: Settings;
  stateDir: string;
  log(level: string, message: string): void;
}): TimerTriggers {
  const { clock, invoke, log } = options;
  const folder = join(options.stateDir, 'timers');
  mkdirSync(folder, { recursive: true });
  const timers = new Map<string, TimerFunction>();
  for (const { metadata } of options.registry.functions.values()) {
    const timer = timerFunction(metadata, options.settings, clock.now());
    if (timer) timers.set(timer.name, timer);
  }
  const cancels = new Map<string, () => void>();
  let stopped = false;

  /** By app setting, as the portal does it. https://learn.microsoft.com/azure/azure-functions/disable-function */
  const isDisabled = (name: string) => /^(true|1)$/i.test(options.settings[`AzureWebJobs.${name}.Disabled`] ?? '');

  const statusFile = (name: string) => join(folder, `${name}.json`);

  const readStatus = (timer: TimerFunction): ScheduleStatus | null => {
    if (!timer.useMonitor) return null;
    try {
      return JSON.parse(readFileSync(statusFile(timer.name), 'utf8')) as ScheduleStatus;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  };

  const writeStatus = (timer: TimerFunction, last: string, next: Date | undefined): void => {
    if (!timer.useMonitor || !next) return;
    const status: ScheduleStatus = { Last: last, Next: next.toISOString(), LastUpdated: clock.now().toISOString() };
    writeFileSync(`${statusFile(timer.name)}.new`, JSON.stringify(status));
    renameSync(`${statusFile(timer.name)}.new`, statusFile(timer.name));
  };

  const arm = (timer: TimerFunction, at: Date | undefined): void => {
    if (stopped || !at) return;
    cancels.set(
      timer.name,
      clock.at(at, () => void runScheduled(timer, false)),
    );
  };

  const runScheduled = async (timer: TimerFunction, isPastDue: boolean): Promise<void> => {
    const began = clock.now();
    await runWithRetries(timer, isPastDue);
    if (stopped) return;
    // Counted from the start of this run: an occurrence that fell into it runs now, several of them as one.
    const next = timer.schedule.next(began);
    writeStatus(timer, began.toISOString(), next);
    arm(timer, next);
  };

  const runWithRetries = async (timer: TimerFunction, isPastDue: boolean): Promise<void> => {
    const data = { json: timerInfo(readStatus(timer), isPastDue) };
    const allowed = timer.retry?.maxRetryCount ?? 0;
    let failure: unknown;
    for (let retryCount = 0; retryCount === 0 || allowed < 0 || retryCount <= allowed; retryCount++) {
      if (retryCount > 0 && !(await wait(retryDelayMs(timer.retry ?? {}, retryCount)))) return;
      const retry = { retryCount, maxRetryCount: allowed, exception: { message: messageOf(failure) } };
      const trigger: Trigger = { kind: 'timer', data, metadata: {}, ...(retryCount > 0 ? { retry } : {}) };
      try {
        await invoke(timer.name, trigger);
        return;
      } catch (error) {
        // Reported by the invocation; the schedule goes on whatever happens.
        failure = error;
      }
    }
  };

  /** On estate time. False when the host stopped meanwhile. */
  const wait = (ms: number): Promise<boolean> =>
    new Promise((resolve) => {
      clock.at(new Date(clock.now().getTime() + ms), () => resolve(!stopped));
    });

  const startTimer = (timer: TimerFunction): void => {
    const now = clock.now();
    const status = readStatus(timer);
    const isPastDue = status !== null && Date.parse(status.Next) <= now.getTime();
    if (isPastDue) log('information', `Function '${timer.name}' is past due on startup. Executing now.`);
    if (isPastDue || timer.runOnStartup) {
      void runScheduled(timer, isPastDue);
      return;
    }
    const next = timer.schedule.next(now);
    writeStatus(timer, status?.Last ?? NEVER, next);
    arm(timer, next);
  };

  return {
    names: [...timers.keys()],
    start() {
      for (const timer of timers.values()) {
        if (isDisabled(timer.name)) log('information', `Function '${timer.name}' is disabled.`);
        else startTimer(timer);
      }
    },
    async runNow(name) {
      const timer = timers.get(name);
      if (timer) await runWithRetries(timer, false);
    },
    stop() {
      stopped = true;
      for (const cancel of cancels.values()) cancel();
    },
  };
}

function timerFunction(metadata: FunctionMetadata, settings: Settings, now: Date): TimerFunction | undefined {
  const binding = triggerOf(metadata);
  if (binding?.type.toLowerCase() !== 'timertrigger') return undefined;
  try {
    const schedule = parseSchedule(expandSettings(String(binding.schedule ?? ''), settings));
    return {
      name: metadata.name,
      schedule,
      useMonitor: binding.useMonitor !== false && !isSubMinute(schedule, now),
      runOnStartup: binding.runOnStartup === true,
      retry: metadata.retryOptions,
    };
  } catch (error) {
    throw new Error(`Function '${metadata.name}': ${messageOf(error)}`, { cause: error });
  }
}

const timerInfo = (status: ScheduleStatus | null, isPastDue: boolean): string =>
  JSON.stringify({ Schedule: { AdjustForDST: true }, ScheduleStatus: status, IsPastDue: isPastDue });

/** Fixed, or doubling from the minimum up to the maximum. */
function retryDelayMs(retry: NonNullable<FunctionMetadata['retryOptions']>, retryCount: number): number {
  if (retry.retryStrategy === 'fixedDelay') return (retry.delayInterval?.seconds ?? 0) * 1000;
  const minimum = (retry.minimumInterval?.seconds ?? 0) * 1000;
  const maximum = (retry.maximumInterval?.seconds ?? 0) * 1000;
  return Math.min(minimum * 2 ** (retryCount - 1), maximum);
}
