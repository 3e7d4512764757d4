import type { EstateOptions } from '../../infra/local/estate-options.ts';
import { type RunningEstate, startEstate } from '../../infra/local/estate-run.ts';
import { createObserver, type Observer } from '../../infra/local/scenarios/observer.ts';

/** A started estate with the built bundle, as a user runs it, on free ports and with state of its own. */
export async function bootEstate(options: EstateOptions = {}): Promise<{ estate: RunningEstate; look: Observer }> {
  const estate = await startEstate({ seed: 'empty', port: 0, ...options });
  return { estate, look: createObserver(estate) };
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
