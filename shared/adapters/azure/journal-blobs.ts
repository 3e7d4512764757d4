/** One blob of the journal: a day's first, or a further part of it when a part was full. */
export interface JournalBlob {
  /** `2030-01-31`, UTC. */
  day: string;
  /** 1 for the first. */
  part: number;
}

export const JOURNAL_CONTAINER = 'journal';

/** `2030/01/31.jsonl`, further parts `2030/01/31-2.jsonl`. */
export const blobName = ({ day, part }: JournalBlob): string =>
  `${day.replaceAll('-', '/')}${part === 1 ? '' : `-${part}`}.jsonl`;

/** Undefined when the name is not one of the journal's. */
export function parseBlobName(name: string): JournalBlob | undefined {
  const [, year, month, date, part] = /^(\d{4})\/(\d{2})\/(\d{2})(?:-([1-9]\d*))?\.jsonl$/.exec(name) ?? [];
  return year ? { day: `${year}-${month}-${date}`, part: Number(part ?? 1) } : undefined;
}

/** The order of the chain, which is not the order of the names: `-10` comes after `-2`, and both after none. */
export const compareBlobs = (a: JournalBlob, b: JournalBlob): number =>
  a.day === b.day ? a.part - b.part : a.day < b.day ? -1 : 1;

/** Names of the journal's blobs in the order of the chain; other names are left out. */
export const inChainOrder = (names: string[]): JournalBlob[] =>
  names.flatMap((name) => parseBlobName(name) ?? []).toSorted(compareBlobs);

/** The blob that follows: never of an earlier day, even when this instance's clock is behind. */
export const followingBlob = (current: JournalBlob, today: string): JournalBlob =>
  today > current.day ? { day: today, part: 1 } : { day: current.day, part: current.part + 1 };
