import type { Report } from './remember.ts';
import type { Scene } from './scene.ts';

/** Raises what belongs to a larger pattern. */
export function raiseByChains(_scene: Scene, reports: readonly Report[]): Report[] {
  return [...reports];
}
