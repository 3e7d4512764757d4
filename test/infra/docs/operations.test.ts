import { describe, expect, test } from 'vitest';
import { quoted, read, tableBelow } from './documents.ts';
import { kindsOf, reasonsIn } from './vocabulary.ts';

const HEADINGS = [
  'Notices about keys',
  'Notices about backups, restores and custody',
  'Notices about incidents and silence',
];

describe('operations.md', () => {
  const rows = HEADINGS.flatMap((heading) => tableBelow('infra/docs/operations.md', heading));

  test('has one row for each notice that people can get, and no other', () => {
    const kinds = [
      ...kindsOf('shared/notification/notice.ts', 'Notice'),
      ...kindsOf('shared/notification/hsm-notice.ts', 'HsmNotice'),
    ];
    expect(kinds.length).toBeGreaterThan(30);
    expect(rows.flatMap(({ notice = '' }) => quoted(notice)).toSorted()).toEqual(kinds.toSorted());
  });

  test.each(rows)('says what $notice means and what to do', (row) => {
    expect([row.says, row.do].map((cell) => (cell ?? '').length > 3)).toEqual([true, true]);
  });
});

test('every reason that the code gives is explained in reasons.md or in a table that it links to', () => {
  const explained = new Set(['shared/README.md', 'infra/docs/reasons.md'].flatMap((path) => quoted(read(path))));
  const reasons = reasonsIn();
  expect(reasons.length).toBeGreaterThan(100);
  expect(reasons.filter((reason) => !explained.has(reason))).toEqual([]);
});
