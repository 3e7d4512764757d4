import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { literalLength, matchesGlob } from '../../../shared/policy/glob.ts';

describe('matchesGlob', () => {
  it.each([
    ['*', '', true],
    ['payments-*', 'Payments-KEK', true],
    ['payments-*', 'payment-kek', false],
    ['*-kek', 'payments-kek', true],
    ['*-kek', 'payments-kek-2', false],
    ['p?y', 'pay', true],
    ['p?y', 'py', false],
    ['a*b*c', 'a-x-b-y-b-c', true],
    ['', 'a', false],
  ])('%j against %j: %s', (pattern, name, matches) => {
    expect(matchesGlob(pattern, name)).toBe(matches);
  });

  it('agrees with the regular expression that says the same', () => {
    const letters = (extra: string) => fc.string({ unit: fc.constantFrom(...`ab${extra}`), maxLength: 8 });
    fc.assert(
      fc.property(letters('*?'), letters('-'), (pattern, name) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'i');
        expect(matchesGlob(pattern, name)).toBe(expression.test(name));
      }),
    );
  });

  it('stays quick on a pattern made to be slow', () => {
    expect(matchesGlob(`${'a*'.repeat(50)}b`, 'a'.repeat(2000))).toBe(false);
  });

  it('counts the characters that stand for themselves', () => {
    expect(literalLength('pay?-*')).toBe(4);
  });
});
