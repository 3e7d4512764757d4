import { canonicalJson } from '../../shared/journal/canonical.ts';
import {
  type Agreement,
  type Asked,
  type Decision,
  firstDecision,
  judgeStoredDecision,
  type Matter,
  notJournaled,
  wasAsked,
} from '../../shared/journal/decisions.ts';
import type { JournalEntry } from '../../shared/journal/entry.ts';
import { createInstanceReader, type InstanceRead } from '../../shared/journal/read-instance.ts';
import type { World } from '../world.ts';
import { sha256Of } from './text.ts';

/** What binds a decision to what was decided about. */
export const digestOf = (world: World, value: unknown): string => sha256Of(world)(canonicalJson(value));

/** What the journal holds of an instance since a day; bounded by the days, so name the instant when it was asked for. */
export async function readJournalOf(world: World, instance: string, from: string): Promise<InstanceRead> {
  const reader = createInstanceReader(instance, sha256Of(world));
  for await (const { blob, line } of world.journal.lines({ from })) {
    if (!reader.feed(blob, line)) break;
  }
  return reader.finish();
}

/** Before what is asked for is stored: nobody can decide about what the journal does not hold. */
export const journalRequest = (world: World, matter: Asked, detail: Record<string, string>): Promise<void> =>
  world.journal.append(
    // Two requests of one moment are told apart: the one that is stored must stand here.
    entryOf(world, matter, `request:${matter.digest.slice(0, 16)}`, matter.asks, matter.by, matter.at, detail),
  );

export const journalDecision = (world: World, matter: Matter, { by, at, decision, note }: Decision): Promise<void> =>
  world.journal.append(entryOf(world, matter, 'decision', matter.decides, by, at, { decision, note: note ?? '' }));

/**
 * Enters a person's decision in the journal, and answers with the one that counts: the first. It is journaled before it is
 * stored, so that a crash between the two leaves a decision that nobody acts on until its decider repeats it.
 */
export async function decideOnRecord(
  world: World,
  matter: Matter,
  wanted: Decision,
): Promise<{ kind: 'counts'; decision: Decision } | Extract<Agreement, { kind: 'refused' }>> {
  const before = await readJournalOf(world, matter.id, matter.at);
  if (before.kind === 'broken') return notJournaled(before.explanation);
  if (!wasAsked(before.entries, matter)) {
    return notJournaled(`The journal does not hold that ${matter.by} asked for ${matter.id} as it is stored.`);
  }
  const earlier = firstDecision(before.entries, matter);
  if (earlier) return { kind: 'counts', decision: earlier };
  await journalDecision(world, matter, wanted);
  // Somebody else may have decided in the same moment.
  const after = await readJournalOf(world, matter.id, matter.at);
  const decision = after.kind === 'read' ? firstDecision(after.entries, matter) : undefined;
  return decision
    ? { kind: 'counts', decision }
    : notJournaled(`The decision about ${matter.id} was written and is not found.`);
}

/** Whether a stored decision stands in the journal, about exactly what is stored. Asked before every act that it permits. */
export const demandJournaled = async (world: World, matter: Matter, stored: Decision): Promise<Agreement> =>
  judgeStoredDecision(await readJournalOf(world, matter.id, matter.at), matter, stored);

function entryOf(
  world: World,
  { id, hsm, target, digest }: Asked,
  what: string,
  kind: string,
  cause: string,
  at: string,
  detail: Record<string, string>,
): JournalEntry {
  return {
    id: `${id}:${what}`,
    kind: 'note',
    class: kind,
    at,
    hsm,
    target,
    identity: world.identities.observe,
    cause,
    instance: id,
    detail: { ...detail, digest },
  };
}
