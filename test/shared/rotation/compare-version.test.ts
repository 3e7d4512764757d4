import { describe, expect, it } from 'vitest';
import type { KeyFacts } from '../../../shared/keys/key.ts';
import { compareVersion, isCorrupt } from '../../../shared/rotation/compare-version.ts';
import { aKey, NEW_VERSION, NOW, OLD_VERSION, without } from '../builders.ts';

const BEFORE = aKey({ tags: { owner: 'Payments' } });
const AFTER = aKey({
  version: NEW_VERSION,
  createdOn: '2030-01-15T11:59:00Z',
  expiresOn: '2031-01-15T11:59:00Z',
  publicFingerprint: '2'.repeat(64),
  tags: { owner: 'Payments' },
});

const compare = (after: KeyFacts, validity = 'P1Y') => compareVersion({ before: BEFORE, after, validity, now: NOW });
const found = (after: KeyFacts, validity?: string) =>
  compare(after, validity).map(({ attribute, severity }) => `${attribute} ${severity}`);

describe('compareVersion', () => {
  it('has nothing to say of a version that is what it should be', () => {
    expect(compare(AFTER)).toEqual([]);
  });

  it('takes permitted operations for a set', () => {
    expect(compare({ ...AFTER, keyOps: BEFORE.keyOps.toReversed() })).toEqual([]);
  });

  it.each([
    ['two minutes off', 'P1Y', '2031-01-15T12:01:00Z'],
    ['counted by the calendar', 'P1M', '2030-02-15T11:59:00Z'],
    ['counted in days, in a leap year', 'P3Y', '2033-01-14T11:59:00Z'],
  ])('accepts an expiry %s', (_title, validity, expiresOn) => {
    expect(compare({ ...AFTER, expiresOn }, validity)).toEqual([]);
  });

  it.each<[string, KeyFacts, string[]]>([
    ['no version', { ...AFTER, version: '' }, ['version corrupt']],
    ['no creation date', { ...AFTER, createdOn: '' }, ['createdOn corrupt']],
    ['no operations', { ...AFTER, keyOps: [] }, ['keyOps corrupt', 'keyOps different']],
    ['no public material', without(AFTER, 'publicFingerprint'), ['publicFingerprint corrupt']],
    ['the old version again', { ...AFTER, version: OLD_VERSION }, ['version corrupt']],
    ['the old material again', { ...AFTER, publicFingerprint: '1'.repeat(64) }, ['publicFingerprint corrupt']],
    ['another type', { ...AFTER, keyType: 'oct-HSM' }, ['keyType corrupt']],
    ['another size', { ...AFTER, keySize: 4096 }, ['keySize corrupt']],
    ['an operation less', { ...AFTER, keyOps: ['sign', 'verify'] }, ['keyOps different']],
    ['a disabled version', { ...AFTER, enabled: false }, ['enabled different']],
    ['another expiry', { ...AFTER, expiresOn: '2031-02-15T11:59:00Z' }, ['expiresOn different']],
    ['no expiry', without(AFTER, 'expiresOn'), ['expiresOn different']],
    ['a start that is to come', { ...AFTER, notBefore: '2030-02-01T00:00:00Z' }, ['notBefore different']],
    ['material that may leave', { ...AFTER, exportable: true }, ['exportable different']],
    ['another recovery level', { ...AFTER, recoveryLevel: 'Purgeable' }, ['recoveryLevel different']],
    ['a tag lost and one gained', { ...AFTER, tags: { team: 'x' } }, ['tags.owner different', 'tags.team different']],
  ])('finds %s', (_title, after, differences) => {
    expect(found(after)).toEqual(differences);
    expect(isCorrupt(compare(after))).toBe(differences.some((difference) => difference.endsWith('corrupt')));
  });

  it('judges the first version of a key by itself', () => {
    expect(compareVersion({ after: { ...AFTER, version: 'x' }, validity: 'P1Y', now: NOW })).toEqual([
      { attribute: 'version', expected: '32 hex digits', found: 'x', severity: 'corrupt' },
    ]);
  });

  it('asks no public material of an AES key', () => {
    const aes = (facts: KeyFacts): KeyFacts => ({
      ...without(facts, 'publicFingerprint'),
      keyType: 'oct-HSM',
      keySize: 256,
    });
    expect(compareVersion({ before: aes(BEFORE), after: aes(AFTER), validity: 'P1Y', now: NOW })).toEqual([]);
  });
});
