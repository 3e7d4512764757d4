import { describe, expect, test } from 'vitest';
import { judgeAdoption, type VersionUse } from '../../../shared/adoption/judge-adoption.ts';

const OLD = 'a'.repeat(32);
const NEW = 'b'.repeat(32);
const OWN = '00000000-0000-0000-0000-000000000002';
const createdOn = '2030-01-10T00:00:00Z';
const day = (number: number) => new Date(Date.parse('2030-01-01T00:00:00Z') + (number - 1) * 86_400_000).toISOString();

const used = (
  oid: string,
  version: string,
  first: number,
  last = first,
  changes: Partial<VersionUse> = {},
): VersionUse => ({
  version,
  caller: { oid },
  class: 'crypto.protect',
  outcome: 'ok',
  count: 1,
  first: day(first),
  last: day(last),
  ...changes,
});
const judge = (use: VersionUse[] | undefined, now = 15) =>
  judgeAdoption({
    version: NEW,
    createdOn,
    use,
    own: [OWN],
    rule: { lookBack: 'P30D', silence: 'P7D' },
    now: new Date(day(now)),
  });

describe('a caller that protected with an old version', () => {
  test.each<[string, VersionUse[], number, string, boolean]>([
    ['and uses the new one since has moved', [used('a', OLD, 1, 9), used('a', NEW, 11)], 12, 'moved', true],
    ['and uses nothing else is behind', [used('a', OLD, 1, 9)], 12, 'old', false],
    ['and uses it after the rotation is behind', [used('a', OLD, 1, 11)], 12, 'old', false],
    ['and uses both is behind', [used('a', OLD, 1, 12), used('a', NEW, 11, 12)], 13, 'both', false],
    [
      'and used both has moved once the old one was silent',
      [used('a', OLD, 1, 12), used('a', NEW, 11, 12)],
      19,
      'moved',
      true,
    ],
    ['is not waited for once it was silent', [used('a', OLD, 1, 8)], 15, 'silent', true],
    ['is waited for until just before', [used('a', OLD, 1, 8.01)], 15, 'old', false],
    ['and names no version since follows the newest', [used('a', OLD, 1, 9), used('a', '', 11)], 12, 'moved', true],
    ['and named no version before has not moved by that', [used('a', OLD, 1, 9), used('a', '', 8)], 12, 'old', false],
  ])('%s', (_, use, now, state, adopted) => {
    expect(judge(use, now)).toMatchObject({ kind: 'judged', adopted, callers: [{ caller: 'a', state }] });
  });

  test('keeps the others waiting', () => {
    const found = judge([used('a', OLD, 9), used('a', NEW, 11), used('b', OLD, 12)], 13);
    expect(found).toMatchObject({ adopted: false, callers: [{ caller: 'b' }, { caller: 'a' }] });
  });
});

describe('adoption', () => {
  test('is unknown without logs', () => {
    expect(judge(undefined)).toMatchObject({ kind: 'unknown' });
  });

  test('by nobody counts once the silence has passed since the rotation', () => {
    expect(judge([], 12)).toMatchObject({ adopted: false, callers: [] });
    expect(judge([], 17)).toMatchObject({ adopted: true });
  });

  test('leaves out our own proofs, refused calls, and the opening of old data, which is shown apart', () => {
    const found = judge(
      [
        used('us', OLD, 12, 12, { caller: { oid: 'us', app: OWN.toUpperCase() } }),
        used('a', OLD, 12, 12, { outcome: 'denied' }),
        used('a', OLD, 12, 14, { class: 'crypto.unprotect', count: 3 }),
        used('a', OLD, 11, 13, { class: 'crypto.unprotect', count: 4 }),
      ],
      17,
    );
    expect(found).toMatchObject({
      adopted: true,
      callers: [],
      unprotect: [{ caller: 'a', version: OLD, count: 7, last: day(14) }],
    });
  });

  test('takes instants with and without milliseconds for what they are', () => {
    const use = [
      used('a', OLD, 9, 9, { last: '2030-01-11T00:00:00.900Z' }),
      used('a', NEW, 9, 9, { first: '2030-01-11T00:00:00Z', last: '2030-01-11T00:00:00Z' }),
    ];
    expect(judge(use, 12)).toMatchObject({ callers: [{ state: 'both' }] });
  });
});
