import { expect, test } from 'vitest';
import { read, tableBelow } from './documents.ts';

const PATH = 'infra/docs/limits.md';
const HEADINGS = [
  'Of rotation',
  'Of backups, restores and drills',
  'Of detection and incidents',
  'Of the operator API, mail and webhooks',
];

const UNITS: Record<string, number> = {
  '': 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  days: 86_400_000,
  KiB: 1024,
  MiB: 1024 * 1024,
};

const rows = HEADINGS.flatMap((heading) => tableBelow(PATH, heading)).map(
  ({ limit = '', value = '', constant = '' }) => {
    const [, name = '', file = ''] = /^`(\w+)` in (\S+)$/.exec(constant) ?? [];
    return { limit, value, name, file };
  },
);

test.each(rows)('$limit: $value, as $name in $file', ({ value, name, file }) => {
  const [, figure = '', unit = ''] = /^([\d,]+) ?([A-Za-z]*)$/.exec(value) ?? [];
  const [, written = ''] = new RegExp(`const ${name} = ([\\d_ *+/]+);`).exec(read(file)) ?? [];
  expect(written, `${file} has no number ${name}`).not.toBe('');
  expect(Number(figure.replaceAll(',', '')) * (UNITS[unit] ?? Number.NaN)).toBe(product(written));
});

/** `24 * 3_600_000` */
const product = (text: string): number =>
  text.split('*').reduce((result, factor) => result * Number(factor.trim().replaceAll('_', '')), 1);
