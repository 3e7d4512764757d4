import { expect, test } from 'vitest';
import { tableBelow } from './documents.ts';

const PATH = 'infra/docs/comparison.md';
const WORDS = ['yes', 'part', 'elsewhere', 'none', '?'];
const peers = tableBelow(PATH, 'Comparison');
const rows = ['Rotation', 'Backup, restore, custody', 'Detection, response, operation'].flatMap((heading) =>
  tableBelow(PATH, heading),
);

test('each peer is described with a public source, and stands in every table', () => {
  const columns = ['here', ...peers.map(({ peer = '' }) => peer)];
  expect(columns.length).toBeGreaterThan(5);
  expect(peers.filter(({ source = '' }) => !source.includes('](https://'))).toEqual([]);
  for (const { feature, ...cells } of rows) expect(Object.keys(cells), feature).toEqual(columns);
});

test.each(rows)('$feature: each cell is a word that the legend explains', ({ feature: _, ...cells }) => {
  expect(Object.values(cells).filter((cell) => !WORDS.includes(cell))).toEqual([]);
});

test('it is honest: others do what this does not', () => {
  expect(rows.filter(({ here }) => here === 'none').length).toBeGreaterThan(2);
});
