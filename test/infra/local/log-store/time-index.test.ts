import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTimeIndex, type Timed } from '../../../../infra/local/log-store/time-index.ts';

const HOUR = 36_000_000_000;
/** Some hours either way of the epoch, with the ends of hours among them. */
const ticks = fc.oneof(
  fc.integer({ min: -5 * HOUR, max: 5 * HOUR }),
  fc.integer({ min: -5, max: 5 }).map((hours) => hours * HOUR),
);
const end = (none: number) => fc.oneof(ticks, fc.constant(none));
const range = fc.record({ low: end(Number.NEGATIVE_INFINITY), high: end(Number.POSITIVE_INFINITY) });

test('a window holds what lies in both of its ranges, in the order in which it was added', () => {
  const entries = fc.array(fc.record({ generated: ticks, ingested: ticks }), { maxLength: 60 });
  fc.assert(
    fc.property(entries, range, range, (all, generated, ingested) => {
      const index = createTimeIndex<Timed>();
      for (const entry of all) index.add(entry);
      const lies = (at: number, { low, high }: { low: number; high: number }) => at >= low && at <= high;
      expect(index.within({ generated, ingested })).toEqual(
        all.filter((entry) => lies(entry.generated, generated) && lies(entry.ingested, ingested)),
      );
    }),
  );
});

test('what was cleared is not found again', () => {
  const index = createTimeIndex<Timed>();
  index.add({ generated: 1, ingested: 2 });
  index.clear();
  const always = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  expect(index.within({ generated: always, ingested: always })).toEqual([]);
});
