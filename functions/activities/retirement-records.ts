import type { RetirementDecision } from '../../shared/adoption/judge-retirement.ts';
import type { Matter } from '../../shared/journal/decisions.ts';
import type { Documents } from '../../shared/ports/documents.ts';
import type { RetirementOutcome } from '../contracts/retirement-outcomes.ts';
import type { World } from '../world.ts';
import { digestOf } from './journaled-decision.ts';

/** What a person asked for; written once, but for `started`. */
export interface StoredRetirement {
  schema: 1;
  id: string;
  hsm: string;
  name: string;
  version: string;
  /** Object id of whoever asked. */
  by: string;
  at: string;
  reason: string;
  /** Until when it can be decided. */
  until: string;
  started: boolean;
}

/** Written before the call is sent, so that a version found disabled is known for ours. */
export interface RetirementProgress {
  schema: 1;
  sentOn: string;
}

const path = (id: string, what: string) => `retirements/${id}/${what}.json`;
const read = async <T>(documents: Documents, id: string, what: string): Promise<T | undefined> =>
  (await documents.read<T>('state', path(id, what)))?.value;

export const retirementPath = (id: string): string => path(id, 'request');
export const readRetirement = (documents: Documents, id: string) => read<StoredRetirement>(documents, id, 'request');
export const readRetirementDecision = (documents: Documents, id: string) =>
  read<RetirementDecision>(documents, id, 'decision');
export const readRetirementOutcome = (documents: Documents, id: string) =>
  read<RetirementOutcome>(documents, id, 'outcome');
export const readRetirementProgress = (documents: Documents, id: string) =>
  read<RetirementProgress>(documents, id, 'progress');
export const putRetirementProgress = (documents: Documents, id: string, progress: RetirementProgress) =>
  documents.put('state', path(id, 'progress'), progress);
export const putRetirementOutcome = (documents: Documents, id: string, outcome: RetirementOutcome) =>
  documents.put('state', path(id, 'outcome'), outcome);

/** What is decided about: everything that was asked for, as it was asked. */
export function retirementMatter(world: World, { started: _, ...asked }: StoredRetirement): Matter {
  const { id, hsm, name, by, at } = asked;
  const classes = { asks: 'retirement.request', decides: 'retirement.decide' } as const;
  return { id, hsm, target: `keys/${name}`, by, at, ...classes, digest: digestOf(world, asked) };
}

/** The first decision counts; the answer is the one that stands. */
export async function decideRetirementOnce(
  documents: Documents,
  id: string,
  decision: RetirementDecision,
): Promise<RetirementDecision> {
  const written = await documents.create('state', path(id, 'decision'), decision);
  return written === 'exists' ? ((await readRetirementDecision(documents, id)) ?? decision) : decision;
}

export async function retirementIds(documents: Documents): Promise<string[]> {
  const ids: string[] = [];
  for await (const found of documents.list('state', 'retirements/')) {
    const id = /^retirements\/([^/]+)\/request\.json$/.exec(found)?.[1];
    if (id !== undefined) ids.push(id);
  }
  return ids;
}
