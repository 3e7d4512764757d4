import { describe, expect, it } from 'vitest';
import type { KeySummary } from '../../../shared/keys/key.ts';
import { goneKeys, type InventoryEntry, surveyPage } from '../../../shared/rotation/survey.ts';
import { anEffectiveRule, NOW, OLD_VERSION, without } from '../builders.ts';

const SUMMARY: KeySummary = {
  name: 'payments-kek',
  enabled: true,
  createdOn: '2029-02-01T00:00:00Z',
  updatedOn: '2029-02-01T00:00:00Z',
  expiresOn: '2030-12-01T00:00:00Z',
  tags: {},
};
const KNOWN: InventoryEntry = {
  createdOn: '2029-02-01T00:00:00.000Z',
  expiresOn: '2030-12-01T00:00:00Z',
  enabled: true,
  version: OLD_VERSION,
};

const survey = (summary: KeySummary, known: InventoryEntry | undefined = KNOWN, rule = anEffectiveRule()) =>
  surveyPage({ hsm: 'contoso-hsm', page: [summary], known: () => known, ruleOf: () => rule, now: NOW });

describe('surveyPage', () => {
  it('has nothing to say of a key that is as it was and not due', () => {
    expect(survey(SUMMARY)).toEqual({
      candidates: [],
      entries: { 'payments-kek': { ...KNOWN, createdOn: SUMMARY.createdOn } },
    });
  });

  it('nominates a key that is due, with the version that is known', () => {
    expect(survey({ ...SUMMARY, expiresOn: '2030-02-01T00:00:00Z' }).candidates).toEqual([
      { kind: 'due', name: 'payments-kek', dueOn: '2030-01-02T00:00:00Z', reason: 'NearExpiry', version: OLD_VERSION },
    ]);
  });

  it('nominates an expired key as both', () => {
    const { candidates } = survey({ ...SUMMARY, expiresOn: '2030-01-15T12:00:00Z' });
    expect(candidates.map(({ kind }) => kind)).toEqual(['expired', 'due']);
  });

  it('takes another creation date for a new version, whose identity is not known yet', () => {
    const { candidates, entries } = survey({ ...SUMMARY, createdOn: '2030-01-14T00:00:00Z' });
    expect(candidates).toEqual([
      {
        kind: 'newVersion',
        name: 'payments-kek',
        createdOn: '2030-01-14T00:00:00Z',
        previousCreatedOn: '2029-02-01T00:00:00.000Z',
      },
    ]);
    expect(entries['payments-kek']).not.toHaveProperty('version');
  });

  it('sees a key for the first time, due or not', () => {
    const page = [{ ...SUMMARY, expiresOn: '2030-02-01T00:00:00Z' }];
    const { candidates } = surveyPage({
      hsm: 'contoso-hsm',
      page,
      known: () => undefined,
      ruleOf: () => anEffectiveRule(),
      now: NOW,
    });
    expect(candidates.map(({ kind }) => kind)).toEqual(['firstSeen', 'due']);
  });

  it.each<[string, KeySummary, Parameters<typeof anEffectiveRule>[0]]>([
    ['a disabled key', { ...SUMMARY, enabled: false, expiresOn: '2030-01-01T00:00:00Z' }, {}],
    ['a key whose rotation is off', { ...SUMMARY, expiresOn: '2030-01-01T00:00:00Z' }, { mode: 'off' }],
    ['a key that never expires', without(SUMMARY, 'expiresOn'), {}],
  ])('nominates nothing of %s', (_title, summary, rotation) => {
    expect(survey(summary, KNOWN, anEffectiveRule(rotation)).candidates).toEqual([]);
  });

  it('nominates a key by its age', () => {
    const { candidates } = survey(SUMMARY, KNOWN, anEffectiveRule({ maximumAge: 'P180D' }));
    expect(candidates).toMatchObject([{ kind: 'due', reason: 'MaximumAge' }]);
  });
});

describe('goneKeys', () => {
  it('names what stood on no page', () => {
    expect(goneKeys({ a: KNOWN, b: without(KNOWN, 'version') }, new Set(['a']))).toEqual([{ kind: 'gone', name: 'b' }]);
  });
});
