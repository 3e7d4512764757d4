import type { EstateOptions } from '../../infra/local/estate-options.ts';
import { type RunningEstate, startEstate } from '../../infra/local/estate-run.ts';
import { createObserver, type Observer } from '../../infra/local/scenarios/observer.ts';

/**
 * A started estate with the built bundle, as a user runs it, on free ports and with state of its own. `policy` is what the
 * policy document says beside its version and owners; absent: that of the seed.
 */
export async function bootEstate({
  policy,
  ...options
}: EstateOptions & { policy?: Record<string, unknown> } = {}): Promise<{ estate: RunningEstate; look: Observer }> {
  const estate = await startEstate({ seed: 'empty', port: 0, ...options });
  const look = createObserver(estate);
  const owners = { fallback: ['keys@contoso.example'] };
  if (policy) await look.writePolicy(JSON.stringify({ version: 1, owners, ...policy }));
  return { estate, look };
}

/** One call of a consumer with a key, over the HSM's own address: the status of its answer, 200 where it was done. */
export async function useKey(
  estate: RunningEstate,
  use: { key: string; operation?: 'wrap' | 'unwrap'; version?: string; hsm?: string },
): Promise<number> {
  const { hsm = 'contoso', operation = 'wrap', ...rest } = use;
  const reply = await estate.call({
    method: 'POST',
    url: new URL(`/hsms/${hsm}/traffic`, estate.ready.control),
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...rest, operation, count: 1, identity: 'consumer' }),
  });
  const { succeeded, failures } = JSON.parse(reply.body.toString('utf8')) as {
    succeeded: number;
    failures: { status: number }[];
  };
  return failures[0]?.status ?? (succeeded > 0 ? 200 : 0);
}

/** A small generator with a seed, so that a failing run can be repeated. https://prng.di.unimi.it/splitmix64.c, 32 bit */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/**
 * Kills the host with SIGKILL when each of these activities starts or ends, one after the other, and starts it again. An
 * activity that runs again after a kill is not killed twice.
 */
export function killAt(estate: RunningEstate, activities: readonly string[], phase: 'start' | 'end') {
  const killed: string[] = [];
  let working: Promise<void> = Promise.resolve();
  const stop = estate.onHappening((happening) => {
    if (happening.kind !== 'host' || happening.change.kind !== 'told') return;
    const { message } = happening.change;
    if (message.type !== 'invocation' || message.phase !== phase) return;
    if (!activities.includes(message.name) || killed.includes(message.name)) return;
    killed.push(message.name);
    working = working.then(async () => {
      await estate.host?.kill('SIGKILL');
      await estate.host?.start();
    });
  });
  return {
    steps: killed,
    async done() {
      await working;
      stop();
    },
  };
}
