import { AppError } from '../../shared/errors.ts';
import type { KeyRef } from '../../shared/keys/key.ts';
import type { Notice } from '../../shared/notification/notice.ts';
import type { NoticeRule } from '../../shared/policy/rule.ts';
import type { NoticeDue } from '../contracts/outcomes.ts';

/** A key that could not be read, or repaired. The work on its HSM goes on without it. */
export interface SetAside {
  key: KeyRef;
  notify: NoticeRule;
  fault: AppError;
  /** It was read, and its rotation policy could not be written. */
  unwritten?: true;
}

/** Beyond so many it is the HSM or our permissions on it, unless more keys answer than do not. */
const FEW = 8;

/** Throttling is about the caller, and a bug is about us: neither is the key's. */
export const isOfOneKey = (error: unknown): error is AppError =>
  error instanceof AppError && error.code !== 'ERR_THROTTLED';

/** Throws the first fault when it looks like one of the whole HSM, so that it is told as that. */
export function holdsForAll(asides: readonly SetAside[], answered: number): void {
  const [first] = asides;
  if (first && asides.length > FEW && asides.length > answered) throw first.fault;
}

/** One notice for each circle of readers, kind of fault, and what could not be done. */
export function unreadableNotices(
  hsm: string,
  asides: readonly SetAside[],
  now: Date,
  work?: 'reconciliation',
): NoticeDue[] {
  const groups = new Map<string, SetAside[]>();
  for (const each of asides) {
    const readers = each.notify.notify.map((address) => address.toLowerCase()).sort();
    const group = [each.unwritten ? 'repair' : 'read', each.fault.code, ...readers].join(' ');
    groups.set(group, [...(groups.get(group) ?? []), each]);
  }
  return [...groups.values()].flatMap((group): NoticeDue[] => {
    const [first] = group;
    if (!first) return [];
    const keys = group.map(({ key }) => key.name).sort();
    const { code, message, nextStep, denial } = first.fault;
    const undone = first.unwritten ? 'repair' : work;
    const notice: Notice = {
      kind: 'KeysUnreadable',
      at: now.toISOString(),
      hsm,
      notify: first.notify,
      keys,
      ...(undone === undefined ? {} : { work: undone }),
      failure: { code, message, nextStep, ...(denial ? { denial } : {}) },
    };
    const id = `unreadable-${undone ?? 'sweep'}-${hsm}-${code}-${keys.length}-${keys.at(0)}-${keys.at(-1)}`;
    return [{ id, notice, repeatAfter: 'P1D' }];
  });
}
