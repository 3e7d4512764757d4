import type { RestoreDrillInput } from '../contracts/drill-inputs.ts';
import type { Starter, StartOutcome } from '../start-once.ts';
import type { World } from '../world.ts';
import { readDrillPart } from './drill-records.ts';

/** Which drill of an HSM runs, or is about to be started: one at a time. */
interface DrillClaim {
  schema: 1;
  instance: string;
  at: string;
}

/** Outcomes after which the same drill is not run again. */
export const DRILL_ENDS = ['passed', 'failed', 'inconclusive', 'refused'] as const;

/** Whoever claims starts at once; a claim that is older, and whose drill is not under way, was left by a crash. */
const STARTS_WITHIN_MS = 2 * 60_000;

const path = (hsm: string): string => `drill-claims/${hsm}.json`;

/**
 * Starts a drill, unless another one of the HSM runs or was claimed in the same instant: of two, the one whose claim is written
 * first. `heldBy` says which.
 */
export async function startDrill(
  world: World,
  starter: Starter,
  instance: string,
  input: RestoreDrillInput,
): Promise<{ kind: StartOutcome } | { kind: 'held'; heldBy: string }> {
  const heldBy = await claim(world, starter, input.hsm, instance);
  if (heldBy !== undefined) return { kind: 'held', heldBy };
  return { kind: await starter.startOnce('runRestoreDrill', instance, input, DRILL_ENDS) };
}

/** Undefined when the claim is ours; else whose it is. */
async function claim(world: World, starter: Starter, hsm: string, instance: string): Promise<string | undefined> {
  for (;;) {
    const now = world.clock.now();
    const mine: DrillClaim = { schema: 1, instance, at: now.toISOString() };
    const found = await world.documents.read<DrillClaim>('state', path(hsm));
    if (!found) {
      if ((await world.documents.create('state', path(hsm), mine)) !== 'exists') return undefined;
      continue;
    }
    const { instance: holder, at } = found.value;
    if (holder === instance) return undefined;
    const isOver = (await readDrillPart(world.documents, hsm, holder, 'end')) !== undefined;
    const isStarting = now.getTime() - Date.parse(at) < STARTS_WITHIN_MS;
    if (!isOver && (isStarting || (await starter.isUnderWay(holder)))) return holder;
    if ((await world.documents.replace('state', path(hsm), mine, found.etag)) !== 'changed') return undefined;
  }
}
