import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tags } from '../../../shared/keys/key.ts';
import type { PolicyDocument } from '../../../shared/policy/document.ts';
import { effectiveRule, explainRule } from '../../../shared/policy/effective-rule.ts';

const POLICY: PolicyDocument = {
  version: 1,
  defaults: { rotation: { before: 'P40D', backstop: 'P7D' } },
  classes: {
    tier0: {
      rotation: { validity: 'P180D', before: 'P20D', proof: 'required' },
      notice: { notify: ['tier0@example.org'] },
    },
    ca: { rotation: { mode: 'remind' } },
    quiet: { rotation: { mode: 'off' } },
  },
  keys: [
    { match: 'payments-*', class: 'tier0', rotation: { before: 'P25D' } },
    { match: 'payments-kek', rotation: { before: 'P15D' } },
    { match: 'pay*', rotation: { before: 'P16D', backupFirst: true }, notice: { owner: 'Payments' } },
    { match: '*', hsm: 'test-hsm', rotation: { backstop: null } },
  ],
  owners: { fallback: ['last@example.org'], names: { Payments: ['pay@example.org', 'pay2@example.org'] } },
};

const ruleOf = (name: string, tags: Tags = {}, hsm = 'contoso-hsm') => effectiveRule(POLICY, hsm, name, tags, 'etag-1');

describe('effectiveRule', () => {
  it('takes what the document leaves out from the built-in rule', () => {
    const effective = ruleOf('other');
    expect(effective.rule.rotation).toMatchObject({ before: 'P40D', validity: 'P1Y', mode: 'rotate' });
    expect(effective.origin).toMatchObject({ 'rotation.before': 'defaults', 'rotation.validity': 'built in' });
    expect(effective.policyVersion).toBe('etag-1');
  });

  it('lets the most literal pattern win, whatever its place', () => {
    const { rule, origin, class: className } = ruleOf('payments-kek');
    expect(rule.rotation).toMatchObject({ before: 'P15D', validity: 'P180D', backupFirst: true, proof: 'required' });
    expect(origin).toMatchObject({
      'rotation.before': 'keys[1] payments-kek',
      'rotation.validity': 'class tier0',
      'rotation.backupFirst': 'keys[2] pay*',
    });
    expect(className).toBe('tier0');
  });

  it('lets the later of two equally literal patterns win', () => {
    const policy: PolicyDocument = {
      ...POLICY,
      keys: [
        { match: 'ab*', rotation: { before: 'P10D' } },
        { match: '*ab', rotation: { before: 'P11D' } },
      ],
    };
    expect(effectiveRule(policy, 'h', 'ab', {}, 'v').rule.rotation.before).toBe('P11D');
  });

  it('lets a tag win over everything', () => {
    const { rule, origin } = ruleOf('payments-kek', { 'rotate-before': 'P22D' });
    expect(rule.rotation.before).toBe('P22D');
    expect(origin['rotation.before']).toBe('tag rotate-before');
  });

  it('removes an inherited backstop that a pattern sets to null', () => {
    expect(ruleOf('other').rule.rotation.backstop).toBe('P7D');
    const { rule, origin } = ruleOf('other', {}, 'test-hsm');
    expect(rule.rotation.backstop).toBeUndefined();
    expect(origin['rotation.backstop']).toBe('keys[3] *');
  });

  it.each<[string, Tags, string, string]>([
    ['rotate=off', { rotate: 'off' }, 'off', 'tag rotate'],
    ['rotate=remind, in any case', { Rotate: ' REMIND ' }, 'remind', 'tag rotate'],
    ['origin=imported', { origin: 'Imported' }, 'remind', 'tag origin'],
    ['rotate=off before origin=imported', { rotate: 'off', origin: 'imported' }, 'off', 'tag rotate'],
    ['the class ca', { class: 'ca' }, 'remind', 'class ca'],
    ['a class that is off before origin=imported', { class: 'quiet', origin: 'imported' }, 'off', 'class quiet'],
  ])('takes the mode from %s', (_title, tags, mode, from) => {
    const { rule, origin } = ruleOf('other', tags);
    expect(rule.rotation.mode).toBe(mode);
    expect(origin['rotation.mode']).toBe(from);
  });

  it.each<[string, string | undefined]>([
    ['true', undefined],
    ['2030-03-01', '2030-03-02T00:00:00Z'],
    ['2030-03-01T10:00:00+02:00', '2030-03-01T08:00:00Z'],
  ])('holds by the tag hold=%s', (value, until) => {
    const { hold, notes } = ruleOf('other', { hold: value });
    expect(hold).toEqual({ tag: `hold=${value}`, ...(until === undefined ? {} : { until }) });
    expect(notes).toEqual([]);
  });

  it('does not hold by hold=false', () => {
    expect(ruleOf('other', { hold: 'false' }).hold).toBeUndefined();
  });

  it('still holds by a hold that cannot be read, and says so', () => {
    const { hold, notes } = ruleOf('other', { hold: 'until Friday' });
    expect(hold).toEqual({ tag: 'hold=until Friday' });
    expect(notes).toHaveLength(1);
  });

  it.each<[string, string, Tags, string[], string]>([
    [
      'the tag notify first',
      'payments-x',
      { notify: 'a@x.org, b@x.org', owner: 'Payments' },
      ['a@x.org', 'b@x.org'],
      'tag notify',
    ],
    [
      'then the tag owner by name',
      'other',
      { owner: 'payments' },
      ['pay@example.org', 'pay2@example.org'],
      'tag owner',
    ],
    ['then the tag owner as an address', 'other', { owner: 'me@x.org' }, ['me@x.org'], 'tag owner'],
    ['then the nearest pattern with an owner', 'pay-1', {}, ['pay@example.org', 'pay2@example.org'], 'keys[2] pay*'],
    ['then the class', 'other', { class: 'tier0' }, ['tier0@example.org'], 'class tier0'],
    ['then the fallback', 'other', {}, ['last@example.org'], 'owners.fallback'],
    [
      'the fallback too when the owner is unknown',
      'other',
      { owner: 'Ghost' },
      ['last@example.org'],
      'owners.fallback',
    ],
  ])('tells %s', (_title, name, tags, notify, from) => {
    const { rule, origin } = ruleOf(name, tags);
    expect(rule.notice.notify).toEqual(notify);
    expect(origin['notice.notify']).toBe(from);
  });

  it.each<[string, Tags]>([
    ['a class that nobody described', { class: 'tier9' }],
    ['a class named like a method', { class: 'constructor' }],
    ['a duration that is none', { 'rotate-before': 'a month' }],
    ['a due date before birth', { 'rotate-before': 'P2Y' }],
    ['a due date after the backstop', { 'rotate-before': 'P5D' }],
    ['a mode that is none', { rotate: 'maybe' }],
    ['an owner that nobody named', { owner: 'Ghost' }],
    ['an address that is none', { notify: 'nobody' }],
  ])('notes %s and leaves the rule as it was', (_title, tags) => {
    const effective = ruleOf('other', tags);
    expect(effective.notes).toHaveLength(1);
    expect(effective.rule.rotation).toEqual(ruleOf('other').rule.rotation);
    expect(effective.rule.notice.notify).toEqual(['last@example.org']);
  });

  it('never throws, whatever the tags hold', () => {
    const name = fc.oneof(
      fc.constantFrom('class', 'rotate', 'rotate-before', 'hold', 'origin', 'owner', 'notify', '__proto__'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.dictionary(name, fc.string({ unit: 'binary' })), (tags) => {
        const { rule } = ruleOf('payments-kek', tags);
        expect(rule.notice.notify.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('explainRule', () => {
  it('shows every field with its value and where it came from', () => {
    const rows = explainRule(ruleOf('payments-kek', { hold: 'true' }));
    expect(rows).toContainEqual({ field: 'class', value: 'tier0', from: 'keys[0] payments-*' });
    expect(rows).toContainEqual({ field: 'rotation.before', value: 'P15D', from: 'keys[1] payments-kek' });
    expect(rows).toContainEqual({ field: 'rotation.windows', value: 'none', from: 'built in' });
    expect(rows).toContainEqual({ field: 'hold', value: 'until removed', from: 'tag hold' });
  });
});
