import { readdirSync } from 'node:fs';
import type { EstateOptions } from '../../infra/local/estate-options.ts';
import { type RunningEstate, startEstate } from '../../infra/local/estate-run.ts';
import { createObserver, MORNING, type Observer } from '../../infra/local/scenarios/observer.ts';

/** The timer functions, each in a file of its name. */
const TIMERS = readdirSync(new URL('../../functions/triggers', import.meta.url)).flatMap((file) => {
  const name = /^(.+)\.timer\.ts$/.exec(file)?.[1];
  return name === undefined
    ? []
    : [`${name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())}Timer`];
});
const BY_REQUEST = Object.fromEntries(TIMERS.map((timer) => [`AzureWebJobs.${timer}.Disabled`, 'true']));

interface Boot extends EstateOptions {
  /** What the policy document says beside its version and owners; absent: that of the seed. */
  policy?: Record<string, unknown>;
  /**
   * `byRequest`, the default: a timer runs when the test asks, so that what is seen does not hang on the time of day and on
   * how fast the machine is. `byClock`: on schedule as well.
   */
  timers?: 'byRequest' | 'byClock';
}

/** A started estate with the built bundle, as a user runs it, on free ports and with state of its own. */
export async function bootEstate({
  policy,
  timers = 'byRequest',
  ...options
}: Boot = {}): Promise<{ estate: RunningEstate; look: Observer }> {
  const settings = { ...(timers === 'byRequest' ? BY_REQUEST : {}), ...options.settings };
  const estate = await startEstate({ seed: 'empty', port: 0, startAt: MORNING, ...options, settings });
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
