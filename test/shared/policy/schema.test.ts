import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PolicyDocument } from '../../../shared/policy/document.ts';
import { jsonSchema, parsePolicy } from '../../../shared/policy/schema.ts';

const MINIMAL: PolicyDocument = { version: 1, owners: { fallback: ['keys@example.org'] } };

const faultsOf = (changes: Record<string, unknown>) => {
  const parsed = parsePolicy(JSON.stringify({ ...MINIMAL, ...changes }));
  return parsed.kind === 'valid' ? [] : parsed.faults;
};

const rotation = (fields: Record<string, unknown>) => ({ defaults: { rotation: fields } });

const WINDOW = { days: ['Sat'], opens: '22:00', lasts: 'PT4H', timeZone: 'Europe/Berlin' };

describe('parsePolicy', () => {
  it('accepts a document that names a last resort and nothing else', () => {
    expect(parsePolicy(JSON.stringify(MINIMAL))).toEqual({ kind: 'valid', policy: MINIMAL });
  });

  it('accepts a document that uses everything', () => {
    const faults = faultsOf({
      $schema: './policy.schema.json',
      defaults: { rotation: { before: 'P30D', validity: 'P1Y', backstop: 'P7D', jitter: 'P2D' } },
      classes: {
        tier0: {
          rotation: {
            mode: 'rotate',
            validity: 'P90D',
            before: 'P14D',
            maximumAge: 'P80D',
            windows: [WINDOW],
            blackouts: [{ from: '2026-12-20T00:00Z', until: '2027-01-04T00:00Z', reason: 'Year-end freeze' }],
            proof: 'required',
            backupFirst: true,
            drift: 'tell',
            plannedLife: 'P10Y',
            budgetWarning: 'P2Y',
          },
          notice: { notify: ['crypto@example.org'], owner: 'Crypto' },
        },
      },
      keys: [{ match: 'pay-*', hsm: 'contoso-*', class: 'tier0', rotation: { backstop: null, maximumAge: null } }],
      owners: { fallback: ['keys@example.org'], names: { Crypto: ['crypto@example.org'] } },
    });
    expect(faults).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a misspelt field', rotation({ befor: 'P30D' }), 'defaults.rotation.befor'],
    ['a duration that is none', { classes: { t: { rotation: { before: '30 days' } } } }, 'classes.t.rotation.before'],
    ['a mode that is none', rotation({ mode: 'sometimes' }), 'defaults.rotation.mode'],
    ['a list that is a text', rotation({ windows: 'Sat' }), 'defaults.rotation.windows'],
    ['a later version of the format', { version: 2 }, 'version'],
    ['no last resort', { owners: {} }, 'owners.fallback'],
    ['no owners', { owners: undefined }, 'owners'],
    ['an empty list of recipients', { owners: { fallback: [] } }, 'owners.fallback'],
    ['an address that is none', { owners: { fallback: ['nobody'] } }, 'owners.fallback[0]'],
    ['a pattern with a slash', { keys: [{ match: 'a/b' }] }, 'keys[0].match'],
    ['a class that nobody described', { keys: [{ match: '*', class: 'tier9' }] }, 'keys[0].class'],
    ['an owner that nobody named', { defaults: { notice: { owner: 'Ghost' } } }, 'defaults.notice.owner'],
    [
      'a validity under 28 days',
      rotation({ validity: 'P27D', before: 'P7D', plannedLife: 'P1Y' }),
      'defaults.rotation.validity',
    ],
    ['a due date before birth', rotation({ validity: 'P30D', before: 'P30D' }), 'defaults.rotation.before'],
    [
      'jitter that reaches birth',
      rotation({ validity: 'P60D', before: 'P30D', jitter: 'P30D' }),
      'defaults.rotation.jitter',
    ],
    [
      'a backstop the HSM refuses',
      rotation({ validity: 'P56D', before: 'P40D', backstop: 'P29D', plannedLife: 'P1Y' }),
      'defaults.rotation.backstop',
    ],
    ['a backstop that acts first', rotation({ before: 'P30D', backstop: 'P30D' }), 'defaults.rotation.backstop'],
    ['a cadence that cannot last', rotation({ validity: 'P56D', before: 'P28D' }), 'defaults.rotation.plannedLife'],
    ['a maximum age that cannot last', rotation({ maximumAge: 'P7D' }), 'defaults.rotation.plannedLife'],
    [
      'a window longer than a day',
      rotation({ windows: [{ ...WINDOW, lasts: 'PT25H' }] }),
      'defaults.rotation.windows[0].lasts',
    ],
    [
      'a window of no length',
      rotation({ windows: [{ ...WINDOW, lasts: 'PT0S' }] }),
      'defaults.rotation.windows[0].lasts',
    ],
    [
      'a zone that is none',
      rotation({ windows: [{ ...WINDOW, timeZone: 'Mars/Olympus' }] }),
      'defaults.rotation.windows[0].timeZone',
    ],
    [
      'a time that no clock shows',
      rotation({ windows: [{ ...WINDOW, opens: '24:00' }] }),
      'defaults.rotation.windows[0].opens',
    ],
    [
      'a blackout that ends before it begins',
      rotation({ blackouts: [{ from: '2027-01-04T00:00Z', until: '2026-12-20T00:00Z', reason: 'x' }] }),
      'defaults.rotation.blackouts[0].until',
    ],
    [
      'a day that no calendar has',
      rotation({ blackouts: [{ from: '2026-02-30T00:00Z', until: '2026-12-20T00:00Z', reason: 'x' }] }),
      'defaults.rotation.blackouts[0].from',
    ],
  ])('refuses %s and names the place', (_title, changes, path) => {
    expect(faultsOf(changes).map((fault) => fault.path)).toEqual([path]);
  });

  it('names rule, value and example of a fault', () => {
    expect(faultsOf(rotation({ before: '30 days' }))).toEqual([
      {
        path: 'defaults.rotation.before',
        rule: 'is an ISO 8601 duration of whole parts',
        got: '"30 days"',
        example: 'P30D',
      },
    ]);
  });

  it('guesses what a misspelt field means, and only when one is near', () => {
    const [near] = faultsOf(rotation({ befor: 'P30D' }));
    expect(near).toMatchObject({ rule: 'is no field of the policy: did you mean before?', example: 'P30D' });
    const [far] = faultsOf(rotation({ __proto: 1 }));
    expect(far?.rule).toBe('is no field of the policy: remove it');
  });

  it('takes names of methods for names like any other', () => {
    const document = '{"version":1,"classes":{"constructor":{},"__proto__":{"x":1}},"owners":{"fallback":["a@b.org"]}}';
    expect(['valid', 'invalid']).toContain(parsePolicy(document).kind);
    expect(faultsOf({ keys: [{ match: '*', class: 'constructor' }] })).toMatchObject([{ path: 'keys[0].class' }]);
  });

  it('names the figure by which a cadence cannot last', () => {
    const [fault] = faultsOf(rotation({ validity: 'P56D', before: 'P28D' }));
    expect(fault?.rule).toContain('one every 28 days, last 2,800 days, and 3,650 days are planned');
  });

  it('lists every fault at once', () => {
    expect(faultsOf({ version: 7, owners: { fallback: ['x'] }, keys: [{ match: '' }] }).length).toBeGreaterThanOrEqual(
      3,
    );
  });

  it('tells a contradiction of the defaults once, not again for each class that inherits it', () => {
    const faults = faultsOf({ ...rotation({ before: 'P30D', backstop: 'P30D' }), classes: { a: {}, b: {} } });
    expect(faults.map((fault) => fault.path)).toEqual(['defaults.rotation.backstop']);
  });

  it('finds the contradiction between a pattern and its class', () => {
    const faults = faultsOf({
      classes: { short: { rotation: { validity: 'P90D' } } },
      keys: [{ match: 'slow-*', class: 'short', rotation: { before: 'P90D' } }],
    });
    expect(faults.map((fault) => fault.path)).toEqual(['keys[0].rotation.before']);
  });

  it('says where text that is no JSON goes wrong', () => {
    const parsed = parsePolicy('{ "version": 1, }');
    expect(parsed).toMatchObject({ kind: 'invalid', faults: [{ path: '', rule: 'is a JSON document' }] });
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(['valid', 'invalid']).toContain(parsePolicy(text).kind);
      }),
    );
  });
});

describe('jsonSchema', () => {
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(jsonSchema());

  it('lets an editor accept what the parser accepts', () => {
    expect(validate(MINIMAL)).toBe(true);
  });

  it('lets an editor mark a misspelt field and a malformed duration', () => {
    expect(validate({ ...MINIMAL, ...rotation({ befor: 'P30D' }) })).toBe(false);
    expect(validate({ ...MINIMAL, ...rotation({ before: 'soon' }) })).toBe(false);
  });
});
