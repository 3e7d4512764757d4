import type { Finding } from '../../shared/detection/finding.ts';
import type { FindingRecord } from '../../shared/detection/finding-record.ts';
import type { Documents } from '../../shared/ports/documents.ts';

/** Where a finding lies, by its id alone. Written before the finding, so none is stored that nobody could look up. */
export interface FindingPlace {
  hsm: string;
  /** `YYYY-MM-DD`, on which it was first found. */
  day: string;
}

const placePath = (id: string): string => `finding-places/${id}.json`;

export const findingPath = (hsm: string, day: string, id: string): string =>
  `detection/${hsm}/findings/${day}/${id}.json`;

/** Takes a place for a finding, or answers with the one that it has. */
export async function placeFinding(documents: Documents, id: string, place: FindingPlace): Promise<FindingPlace> {
  const written = await documents.create('state', placePath(id), { schema: 1, ...place });
  if (written !== 'exists') return place;
  return (await documents.read<FindingPlace>('state', placePath(id)))?.value ?? place;
}

/** Undefined where there is none, or where the writer of its place ended before it wrote it. */
export async function findFinding(documents: Documents, id: string): Promise<FindingRecord | undefined> {
  const place = await documents.read<FindingPlace>('state', placePath(id));
  if (!place) return undefined;
  const { hsm, day } = place.value;
  return (await documents.read<FindingRecord>('state', findingPath(hsm, day, id)))?.value;
}

/** Stores a finding that no window of the log made: of a person or of an alert. A repeat stores the same. */
export async function putFinding(documents: Documents, finding: Finding): Promise<void> {
  const { id, hsm, foundAt } = finding;
  const { day } = await placeFinding(documents, id, { hsm, day: foundAt.slice(0, 10) });
  const record: FindingRecord = { ...finding, windows: [] };
  await documents.put('state', findingPath(hsm, day, id), record);
}
