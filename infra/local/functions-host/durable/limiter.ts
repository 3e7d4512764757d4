/** Runs at most `limit` jobs at a time, in order of arrival. After `stop`, waiting jobs never begin. */
export function createLimiter(limit: number): { run(job: () => Promise<void>): void; stop(): void } {
  const waiting: (() => Promise<void>)[] = [];
  let running = 0;
  let stopped = false;
  const next = (): void => {
    if (stopped || running >= limit) return;
    const job = waiting.shift();
    if (!job) return;
    running += 1;
    job().finally(() => {
      running -= 1;
      next();
    });
    next();
  };
  return {
    run(job) {
      waiting.push(job);
      // Not at once: whatever dispatched the job may still be applying its commit.
      setImmediate(next);
    },
    stop() {
      stopped = true;
      waiting.length = 0;
    },
  };
}
