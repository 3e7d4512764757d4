import type { RefusalCause } from '../../ports/hsm-backups.ts';

/**
 * By which words a refusal is recognised: each list is a set of words that must all occur. The texts of the service are not
 * published but for `busy`, so these are readings of its documentation, and an installation may give its own.
 */
export type RefusalWords = Record<Exclude<RefusalCause, 'refused'>, string[][]>;

/**
 * The documentation said "within the last 30 minutes" until 2022-09 and says "at least 30 minutes" since.
 * Source: https://learn.microsoft.com/azure/key-vault/managed-hsm/backup-restore and its history; `busy` from
 * https://github.com/Azure/azure-cli/pull/33783.
 */
export const REFUSAL_WORDS: RefusalWords = {
  busy: [['operation is in progress']],
  tooSoon: [
    ['at least', '30 minutes'],
    ['30 minutes', 'after'],
    ['30 minutes', 'before'],
    ['wait', 'minutes'],
  ],
  tooLate: [['within', '30 minutes'], ['last 30 minutes'], ['older than', '30 minutes'], ['30 minutes', 'ago']],
};

/** The cause that the service's text names; `refused` when its words are not known. */
export function causeOf(text: string, words: RefusalWords): RefusalCause {
  const found = text.toLowerCase();
  const names = (sets: string[][]) => sets.some((set) => set.every((word) => found.includes(word.toLowerCase())));
  if (names(words.busy)) return 'busy';
  // `within … 30 minutes` is the narrower wording, and may speak of "before" as well.
  if (names(words.tooLate)) return 'tooLate';
  return names(words.tooSoon) ? 'tooSoon' : 'refused';
}
