import type { ControlPlaneAct } from './audit-call.ts';
import { lookUp, type Scene } from './scene.ts';

/** Keys that were made since an instant, and by whom, as far as calls show it; without those that identities of ours made. */
export function madeKeys({ memory, calls, own }: Scene, since: string): Map<string, string> {
  const made = new Map<string, string>();
  for (const [key, { created }] of Object.entries(memory.keys)) {
    if (created === undefined || created.at < since) continue;
    const { by } = created;
    if (!own.has(by) && !own.has(lookUp(memory.callers, by)?.app ?? '')) made.set(key, by);
  }
  for (const { class: of, outcome, key, who, ours, first } of calls)
    if (of === 'key.create' && outcome === 'ok' && key !== undefined && !ours && first >= since) made.set(key, who);
  return made;
}

const SERVER_KEY = /^microsoft\.sql\/(servers|managedinstances)\/keys\/write$/i;

/**
 * The HSM's key that an act gave to a server of SQL. The activity log holds no bodies, so what an account of storage or a disk
 * was pointed at is not known; a server's key alone is named after the key that it stands for, `{hsm}_{key}_{version}`.
 * https://learn.microsoft.com/rest/api/sql/server-keys/create-or-update
 */
export function keyGivenToServer({ operation, resource, succeeded }: ControlPlaneAct): string | undefined {
  if (!succeeded || !SERVER_KEY.test(operation)) return undefined;
  return resource.toLowerCase().split('/').at(-1)?.split('_')[1];
}
