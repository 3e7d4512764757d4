import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueOn } from '../../../shared/rotation/due.ts';
import { jitterOffset } from '../../../shared/rotation/jitter.ts';
import { DAY_MS, toIso } from '../../../shared/time.ts';
import { aRotation, OLD_VERSION } from '../builders.ts';

const FACTS = {
  hsm: 'contoso-hsm',
  name: 'payments-kek',
  version: OLD_VERSION,
  createdOn: '2029-02-01T00:00:00Z',
  expiresOn: '2030-02-01T00:00:00Z',
};

describe('jitterOffset', () => {
  const name = fc.string({ minLength: 1 });

  it('lies within the span and is the same each time', () => {
    fc.assert(
      fc.property(name, name, name, fc.integer({ min: 1, max: 1000 }), (hsm, key, version, hours) => {
        const offset = jitterOffset(hsm, key, version, `PT${hours}H`);
        expect(offset).toBeGreaterThanOrEqual(0);
        expect(offset).toBeLessThan(hours * 3_600_000);
        expect(jitterOffset(hsm, key, version, `PT${hours}H`)).toBe(offset);
      }),
    );
  });

  it('is nothing without a span', () => {
    expect(jitterOffset('h', 'k', 'v', 'PT0S')).toBe(0);
  });

  it('spreads a fleet whose names differ in one number evenly over the span', () => {
    const perDay = new Array<number>(10).fill(0);
    for (let key = 0; key < 1000; key += 1) {
      const day = Math.floor(jitterOffset('contoso-hsm', `key-${key}`, OLD_VERSION, 'P10D') / DAY_MS);
      perDay[day] = (perDay[day] ?? 0) + 1;
    }
    for (const count of perDay) expect(count).toBeGreaterThan(60);
  });
});

describe('dueOn', () => {
  it('is the stated time before expiry', () => {
    const due = dueOn(FACTS, aRotation({ before: 'P1M' }));
    expect(due && [toIso(due.on), due.reason]).toEqual(['2030-01-01T00:00:00Z', 'NearExpiry']);
  });

  it('is the maximum age when that comes first', () => {
    const due = dueOn(FACTS, aRotation({ maximumAge: 'P90D' }));
    expect(due && [toIso(due.on), due.reason]).toEqual(['2029-05-02T00:00:00Z', 'MaximumAge']);
  });

  it('is never without expiry and maximum age', () => {
    const { expiresOn, ...facts } = FACTS;
    expect(expiresOn).toBeDefined();
    expect(dueOn(facts, aRotation())).toBeUndefined();
  });

  it('comes earlier by the jitter, and not at all by it while the version is unknown', () => {
    const { version, ...unknown } = FACTS;
    const rule = aRotation({ jitter: 'P5D' });
    const plain = dueOn(FACTS, aRotation())?.on.getTime() ?? 0;
    expect(dueOn(FACTS, rule)?.on.getTime()).toBe(plain - jitterOffset(FACTS.hsm, FACTS.name, version, 'P5D'));
    expect(dueOn(unknown, rule)?.on.getTime()).toBe(plain);
  });
});
