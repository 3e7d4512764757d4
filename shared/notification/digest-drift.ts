import type { Notice } from './notice.ts';

type PolicyDrift = Extract<Notice, { kind: 'PolicyDrift' }>;

/** So many notices of one kind reach a reader one by one; more become one. */
const SINGLE = 3;

export interface Digested {
  id: string;
  notice: PolicyDrift | Extract<Notice, { kind: 'PolicyDriftDigest' }>;
}

/**
 * The first comparison of a large HSM may find thousands of policies that differ. Whoever would get more than a few such
 * notices with the same outcome gets one that lists the keys instead. The id of a digest is made of what it lists, so that
 * another key makes another notice.
 */
export function digestDrift(notices: readonly { id: string; notice: PolicyDrift }[]): Digested[] {
  const groups = new Map<string, { id: string; notice: PolicyDrift }[]>();
  for (const each of notices) {
    const { key, action, notify } = each.notice;
    const readers = [...notify.notify].map((address) => address.toLowerCase()).sort();
    const name = [key.hsm, action, ...readers].join(' ');
    groups.set(name, [...(groups.get(name) ?? []), each]);
  }
  return [...groups.values()].flatMap((group): Digested[] => {
    const [first] = group;
    if (first === undefined || group.length <= SINGLE) return [...group];
    const keys = group.map(({ notice }) => notice.key.name).sort();
    const { at, key, notify, action } = first.notice;
    return [
      {
        id: `policy-drift-${key.hsm}-${action}-${keys.length}-${keys.at(0)}-${keys.at(-1)}`,
        notice: { kind: 'PolicyDriftDigest', at, hsm: key.hsm, notify, action, keys },
      },
    ];
  });
}
