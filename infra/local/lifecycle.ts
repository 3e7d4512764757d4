/** Services that have started, so that they can be stopped again when a later one does not start. */
export interface Lifecycle {
  /** Resolves with the service once it runs, and remembers it. */
  running<T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T>;
  /** Stops all of them, the last one first. */
  stop(): Promise<void>;
}

export function createLifecycle(): Lifecycle {
  const services: { stop(): Promise<unknown> }[] = [];
  return {
    async running(starting) {
      const service = await starting;
      services.push(service);
      return service;
    },
    async stop() {
      for (const service of services.splice(0).reverse()) await service.stop();
    },
  };
}

/** Like Promise.all, but rejects only when nothing is under way any more: what still starts could not be stopped. */
export async function together<T extends readonly unknown[]>(
  starting: readonly [...{ [Index in keyof T]: Promise<T[Index]> }],
): Promise<T> {
  await Promise.allSettled(starting);
  return (await Promise.all(starting)) as unknown as T;
}
