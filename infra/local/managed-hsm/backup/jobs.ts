import type { EstateClock } from '../../clock.ts';
import { unixSeconds } from '../model.ts';
import { type Job, JobFailure } from './job.ts';

/** What a job comes to: applied when its time has come, and only then. May throw JobFailure. */
export type Finish = () => { statusDetails?: string };

export interface Jobs {
  /** The one under way: an HSM runs one at a time. */
  readonly running: Job | undefined;
  find(jobId: string): Job | undefined;
  all(): Job[];
  /** Starts a job whose fields are filled in, or keeps one that has failed already. The caller has made sure that none runs. */
  start(job: Job): void;
  /** When the job's time has come, waits for what is left of its work, at most ten real seconds: a slow machine writes a backup no faster. */
  settle(job: Job): Promise<void>;
  /** Ends the running job as failed. False when there is none. */
  fail(failure: JobFailure): boolean;
  /** Halts without ending: what is under way goes on after `load`. */
  suspend(): void;
  load(jobs: readonly Job[]): void;
}

const SETTLE_MS = 10_000;

/** Runs jobs in estate time: the work begins at once, its outcome waits for the clock. */
export function createJobs(options: {
  clock: EstateClock;
  /** Reads or writes the storage. Rejects with JobFailure when the job must fail. */
  perform(job: Job, signal: AbortSignal): Promise<Finish>;
  /** Told when a job starts, goes on after a load, or has ended. */
  onChange(job: Job): void;
}): Jobs {
  const { clock } = options;
  let jobs = new Map<string, Job>();
  let current: { job: Job; done: Promise<void>; abort: AbortController } | undefined;

  const end = (job: Job, change: Pick<Job, 'status' | 'statusDetails' | 'error'>) => {
    Object.assign(job, change, { endTime: unixSeconds(clock.now()) });
    current = undefined;
    options.onChange(job);
  };
  const endFailed = (job: Job, error: unknown) => {
    const failure =
      error instanceof JobFailure ? error : new JobFailure('InternalError', 'InternalError', String(error));
    const { code, message, statusDetails } = failure;
    end(job, { status: 'Failed', statusDetails, error: { code, message } });
  };

  const run = async (job: Job, signal: AbortSignal): Promise<void> => {
    try {
      const finish = await options.perform(job, signal);
      await arrival(clock, job, signal);
      if (signal.aborted) return;
      const { statusDetails = null } = finish();
      end(job, { status: 'Succeeded', statusDetails, error: null });
    } catch (error) {
      if (!signal.aborted) endFailed(job, error);
    }
  };
  const begin = (job: Job) => {
    const abort = new AbortController();
    options.onChange(job);
    current = { job, abort, done: Promise.resolve() };
    current.done = run(job, abort.signal);
  };
  const suspend = () => {
    current?.abort.abort();
    current = undefined;
  };

  return {
    get running() {
      return current?.job;
    },
    find: (jobId) => jobs.get(jobId),
    all: () => [...jobs.values()],
    start(job) {
      jobs.set(job.jobId, job);
      if (job.status === 'InProgress') begin(job);
    },
    async settle(job) {
      if (current?.job !== job || clock.now().getTime() < job.dueAt) return;
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, job.effect === 'stuckJob' ? 0 : SETTLE_MS);
      });
      await Promise.race([current.done, patience]);
      clearTimeout(timer);
    },
    fail(failure) {
      if (!current) return false;
      const { job } = current;
      suspend();
      endFailed(job, failure);
      return true;
    },
    suspend,
    load(saved) {
      suspend();
      jobs = new Map(structuredClone([...saved]).map((job) => [job.jobId, job]));
      for (const job of jobs.values()) if (job.status === 'InProgress') begin(job);
    },
  };
}

/** Resolves at the job's time, or when it is given up; never for a job that is stuck. */
function arrival(clock: EstateClock, job: Job, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = job.effect === 'stuckJob' ? () => undefined : clock.at(new Date(job.dueAt), resolve);
    signal.addEventListener(
      'abort',
      () => {
        cancel();
        resolve();
      },
      { once: true },
    );
  });
}
