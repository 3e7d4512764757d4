import type { Finding } from '../../shared/detection/finding.ts';
import { type FindingRecord, isToBeTold, mergeFinding } from '../../shared/detection/finding-record.ts';
import { AppError } from '../../shared/errors.ts';
import type { LifecycleEvent } from '../../shared/events/lifecycle-event.ts';
import type { StoredFindingRef } from '../contracts/detection-outcomes.ts';
import type { World } from '../world.ts';
import { findingPath, placeFinding } from './finding-places.ts';

/** Findings keep their place for so long: the longest window of a detector is a week. */
export const PLACES_KEPT = 'P8D';
/** Somebody who tells of a finding writes to it as well. */
const MOST_TRIES = 10;

/**
 * Stores a finding, or adds to it what this window saw. It lies under the day on which it was first found, which `places` knows,
 * or its own place where a crash lost that.
 */
export async function storeFinding(
  world: World,
  finding: Finding,
  window: string,
  places: Record<string, string>,
): Promise<StoredFindingRef> {
  const { hsm, id, foundAt } = finding;
  const day = places[id] ?? (await placeFinding(world.documents, id, { hsm, day: foundAt.slice(0, 10) })).day;
  const path = findingPath(hsm, day, id);
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const stored = await world.documents.read<FindingRecord>('state', path);
    const next = mergeFinding(stored?.value, finding, window);
    if (stored && JSON.stringify(next) === JSON.stringify(stored.value)) return { id, day };
    const written = stored
      ? await world.documents.replace('state', path, next, stored.etag)
      : await world.documents.create('state', path, next);
    if (typeof written !== 'string') return { id, day };
  }
  throw busy(id);
}

/** Publishes a finding that is to be told, journals that, and marks it as told. Told already: nothing happens. */
export async function raiseFinding(
  world: World,
  hsm: string,
  instance: string,
  ref: StoredFindingRef,
): Promise<boolean> {
  const path = findingPath(hsm, ref.day, ref.id);
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const stored = await world.documents.read<FindingRecord>('state', path);
    if (!stored || !isToBeTold(stored.value)) return false;
    const { severity, detector, score } = stored.value;
    await world.events.publish([eventOf(world, stored.value)]);
    await world.journal.append({
      id: `finding:${hsm}:${ref.id}:${severity}`,
      kind: 'note',
      class: 'finding.raised',
      at: world.clock.now().toISOString(),
      hsm,
      target: `findings/${ref.id}`,
      identity: world.identities.observe,
      cause: 'audit log',
      instance,
      detail: { detector, severity, score },
    });
    const told: FindingRecord = { ...stored.value, told: severity };
    if ((await world.documents.replace('state', path, told, stored.etag)) !== 'changed') return true;
  }
  throw busy(ref.id);
}

/** One event for each band that it is told in. */
function eventOf(world: World, finding: Finding): LifecycleEvent {
  const { hsm, id, severity, title, score, detector, keys, keysInAll } = finding;
  const settings = world.hsms.find(({ name }) => name === hsm);
  if (!settings) throw new Error(`no HSM named ${hsm} in the settings`);
  const data = { hsm, summary: title, reference: id, severity, score, detector, class: finding.class };
  return {
    id: `FindingRaised/${hsm}/${id}/${severity}`,
    type: 'FindingRaised',
    source: settings.resourceId,
    subject: `findings/${id}`,
    time: finding.foundAt,
    data: { ...data, keys, keysInAll, from: finding.from, until: finding.until },
  };
}

const busy = (id: string) =>
  new AppError('ERR_TRANSIENT', `The finding ${id} could not be written: others write.`, {
    nextStep: 'Nothing to do: it is tried again.',
  });
