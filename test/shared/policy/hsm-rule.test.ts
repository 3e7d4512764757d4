import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PolicyDocument } from '../../../shared/policy/document.ts';
import { effectiveHsmRule, explainHsmRule } from '../../../shared/policy/effective-hsm-rule.ts';
import { effectiveRule } from '../../../shared/policy/effective-rule.ts';
import { BUILT_IN_HSM_RULE } from '../../../shared/policy/hsm-rule.ts';
import { jsonSchema, parsePolicy } from '../../../shared/policy/schema.ts';

const MINIMAL: PolicyDocument = {
  version: 1,
  owners: { fallback: ['keys@example.org'], names: { Crypto: ['c@example.org'] } },
};

const faultsOf = (changes: Record<string, unknown>) => {
  const parsed = parsePolicy(JSON.stringify({ ...MINIMAL, ...changes }));
  return parsed.kind === 'valid' ? [] : parsed.faults;
};
const drillsOn = (changes: Record<string, unknown>) => ({
  drills: { mode: 'on', target: { kind: 'standing', hsm: 'drill' }, ...changes },
});

describe('the sections of the policy for an HSM', () => {
  it('may be left out: what is built in holds together', () => {
    expect(faultsOf({})).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a misspelt section', { backups: {} }, 'backups'],
    ['a misspelt field', { backup: { rpoo: 'P2D' } }, 'backup.rpoo'],
    ['a schedule without rhythm', { backup: { schedule: { at: '02:00' } } }, 'backup.schedule.every'],
    ['a schedule of months', { backup: { schedule: { every: 'P1M' }, rpo: 'P60D' } }, 'backup.schedule.every'],
    ['a schedule of minutes', { backup: { schedule: { every: 'PT5M' } } }, 'backup.schedule.every'],
    ['a time of day beside hours', { backup: { schedule: { every: 'PT6H', at: '02:00' } } }, 'backup.schedule.at'],
    [
      'a zone that is none',
      { backup: { schedule: { every: 'P1D', timeZone: 'Mars/Olympus' } } },
      'backup.schedule.timeZone',
    ],
    [
      'a first day that no calendar has',
      { backup: { schedule: { every: 'P1D', starts: '2026-02-30' } } },
      'backup.schedule.starts',
    ],
    ['an objective that the schedule cannot keep', { backup: { rpo: 'PT12H' } }, 'backup.rpo'],
    ['a lock shorter than a day', { backup: { lock: 'PT12H' } }, 'backup.lock'],
    [
      'a retention of nothing',
      { backup: { retention: { last: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 } } },
      'backup.retention',
    ],
    ['half a backup', { backup: { retention: { daily: 1.5 } } }, 'backup.retention.daily'],
    ['a drill window of nothing', drillsOn({ window: 'PT1H' }), 'drills.window'],
    ['a drill window beyond a year', drillsOn({ window: 'P366D' }), 'drills.window'],
    ['drills that come too late to prove', drillsOn({ every: 'P120D' }), 'drills.proofInterval'],
    ['a budget without a price', drillsOn({ budget: 100 }), 'drills.budget'],
    ['holders who have no time', drillsOn({ holdersWithin: 'PT30M' }), 'drills.holdersWithin'],
    ['a temporary HSM that waits for months', drillsOn({ holdersWithin: 'P31D' }), 'drills.holdersWithin'],
    ['an administrator without an id', drillsOn({ administratorIds: ['Ada'] }), 'drills.administratorIds[0]'],
    ['a price of nothing', drillsOn({ pricePerHour: 0 }), 'drills.pricePerHour'],
    ['drills without a place', { drills: { mode: 'on' } }, 'drills.target.region'],
    ['a target that is none', drillsOn({ target: { kind: 'rented' } }), 'drills.target.kind'],
    [
      'a soft-delete of a day',
      drillsOn({ target: { kind: 'temporary', region: 'westeurope', softDeleteDays: 1 } }),
      'drills.target.softDeleteDays',
    ],
    [
      'a drill abroad',
      {
        ...drillsOn({ target: { kind: 'temporary', region: 'eastus', softDeleteDays: 7 } }),
        geography: { regions: ['westeurope'] },
      },
      'drills.target.region',
    ],
    [
      'a recovery abroad',
      { recovery: { region: 'eastus' }, geography: { regions: ['westeurope'] } },
      'recovery.region',
    ],
    ['a region by its display name', { geography: { regions: ['West Europe'] } }, 'geography.regions[0]'],
    ['sightings that end before the review', { custody: { sightingValid: 'P30D' } }, 'custody.sightingValid'],
    ['an approval that ends at once', { recovery: { approvalLasts: 'PT0S' } }, 'recovery.approvalLasts'],
    ['a reading of the rule that is none', { recovery: { thirtyMinuteRule: 'maybe' } }, 'recovery.thirtyMinuteRule'],
    ['a response that is none', { response: { mode: 'panic' } }, 'response.mode'],
    ['containment of all keys by the policy alone', { response: { hsmScope: 'policy' } }, 'response.hsmScope'],
    ['a single administrator to be left', { response: { administrators: 1 } }, 'response.administrators'],
    ['a break-glass account by its name', { response: { breakGlass: ['root'] } }, 'response.breakGlass[0]'],
    [
      'a break-glass account where it is not looked for',
      { detection: { breakGlass: ['00000000-0000-4000-8000-00000000b001'] } },
      'detection.breakGlass',
    ],
    ['deputies called before the owner', { response: { escalate: { deputy: 'PT5M' } } }, 'response.escalate.deputy'],
    ['approvals that end before all are called', { response: { approvalLasts: 'PT30M' } }, 'response.approvalLasts'],
    ['a watch of nothing', { response: { watch: 'PT0S' } }, 'response.watch'],
    ['a detector that is none', { detection: { detectors: { magic: {} } } }, 'detection.detectors.magic'],
    [
      'a parameter beyond its limits',
      { detection: { detectors: { 'denied-burst': { parameters: { least: 1 } } } } },
      'detection.detectors.denied-burst.parameters.least',
    ],
    ['a detection zone that is none', { detection: { calendar: { timeZone: 'Mars' } } }, 'detection.calendar.timeZone'],
    [
      'working hours that end before they begin',
      { detection: { calendar: { workingHours: { from: 20, to: 6 } } } },
      'detection.calendar.workingHours.to',
    ],
    [
      'a range that is none',
      { detection: { network: { allowedRanges: ['home'] } } },
      'detection.network.allowedRanges[0]',
    ],
    [
      'a container address with a token',
      { detection: { backupContainers: ['https://a.example/b?sig=1'] } },
      'detection.backupContainers[0]',
    ],
    ['stages out of order', { detection: { learning: { noveltyDays: 1 } } }, 'detection.learning.noveltyDays'],
    ['an entry without a name', { hsms: [{ backup: {} }] }, 'hsms[0].match'],
    ['an owner that nobody named', { hsms: [{ match: '*', notice: { owner: 'Ghost' } }] }, 'hsms[0].notice.owner'],
    [
      'a contradiction of one entry with the rest',
      { hsms: [{ match: 'a' }, { match: 'b', backup: { schedule: { every: 'P7D' } } }] },
      'hsms[1].backup.rpo',
    ],
  ])('refuse %s and name the place', (_title, changes, path) => {
    expect(faultsOf(changes).map((fault) => fault.path)).toEqual([path]);
  });

  it('name rule, value and example', () => {
    expect(faultsOf({ backup: { rpo: 'PT12H' } })).toEqual([
      {
        path: 'backup.rpo',
        rule: 'is no shorter than the schedule (P1D), or it is breached between any two backups',
        got: '"PT12H"',
        example: 'P1D',
      },
    ]);
    expect(faultsOf({ backup: { retenton: {} } })[0]?.rule).toContain('did you mean retention?');
    expect(faultsOf({ detection: { breakGlass: [] } })[0]).toMatchObject({
      rule: 'is no field of the policy: one of that name stands in another section',
      example: '["00000000-0000-4000-8000-00000000b001"]',
    });
  });

  it('give the example of the parameter at fault, not of a namesake', () => {
    const faults = faultsOf({ detection: { detectors: { 'denied-burst': { parameters: { keys: 'many' } } } } });
    expect(faults).toEqual([
      expect.objectContaining({ rule: 'is a number from 2 to 100', got: '"many"', example: '5' }),
    ]);
  });

  it('tell a contradiction once, not again for each HSM that inherits it', () => {
    expect(faultsOf({ backup: { lock: 'PT1H' }, hsms: [{ match: 'a' }, { match: 'b' }] })).toHaveLength(1);
  });

  it('are checked by editors as well', () => {
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(jsonSchema());
    expect(
      validate({ ...MINIMAL, backup: { rpo: 'P2D' }, hsms: [{ match: 'contoso-*', drills: { pick: 'random' } }] }),
    ).toBe(true);
    expect(validate({ ...MINIMAL, backup: { rpo: 'two days' } })).toBe(false);
  });
});

describe('a standing drill HSM', () => {
  const target = { kind: 'standing', hsm: 'Contoso-Drill' } as const;
  const modes = (policy: Partial<PolicyDocument>, hsm = 'contoso-drill') => {
    const { rule, origin } = effectiveHsmRule({ ...MINIMAL, ...policy }, hsm, 'v1');
    const { rule: key, origin: keyOrigin } = effectiveRule({ ...MINIMAL, ...policy }, hsm, 'orders', {}, 'v1');
    return [
      [rule.backup.mode, origin['backup.mode']],
      [rule.drills.mode, origin['drills.mode']],
      [key.rotation.mode, keyOrigin['rotation.mode']],
    ];
  };
  const off = (from: string) => [
    ['off', from],
    ['off', from],
    ['off', from],
  ];

  it.each<[string, Partial<PolicyDocument>, string]>([
    ['of every HSM', { drills: { mode: 'on', target } }, 'drills.target'],
    [
      'of one HSM',
      { hsms: [{ match: 'fabrikam' }, { match: 'contoso', drills: { target } }] },
      'hsms[1] contoso drills.target',
    ],
    [
      'even where patterns turn things on',
      {
        drills: { mode: 'on', target },
        hsms: [{ match: 'contoso*', backup: { mode: 'on' } }],
        keys: [{ match: 'orders', hsm: 'contoso*', rotation: { mode: 'rotate' } }],
      },
      'drills.target',
    ],
  ])('%s is neither rotated, backed up nor drilled, and the rule says where that came from', (_title, policy, from) => {
    expect(modes(policy)).toEqual(off(from));
  });

  it('does what an entry that names it says', () => {
    const hsms = [{ match: 'contoso-drill', backup: { mode: 'on' as const }, drills: { mode: 'on' as const } }];
    const keys = [{ match: '*', hsm: 'contoso-drill', rotation: { mode: 'rotate' as const } }];
    expect(modes({ drills: { target }, hsms, keys })).toEqual([
      ['on', 'hsms[0] contoso-drill'],
      ['on', 'hsms[0] contoso-drill'],
      ['rotate', 'keys[0] *'],
    ]);
  });

  it.each<[string, Partial<PolicyDocument>, string]>([
    ['another HSM', { drills: { target } }, 'contoso'],
    [
      'one that names itself, which is refused elsewhere',
      { hsms: [{ match: 'contoso-drill', drills: { target } }] },
      '',
    ],
    ['a temporary target', { drills: { target: { kind: 'temporary', region: 'eu', softDeleteDays: 7 } } }, ''],
  ])('is not %s', (_title, policy, hsm) => {
    const { rule, drillHsmBy } = effectiveHsmRule({ ...MINIMAL, ...policy }, hsm || 'contoso-drill', 'v1');
    expect(rule.backup.mode).toBe('on');
    expect(drillHsmBy).toBeUndefined();
  });
});

describe('effectiveHsmRule', () => {
  const policy: PolicyDocument = {
    ...MINIMAL,
    backup: { rpo: 'P3D', retention: { daily: 30 } },
    hsms: [
      { match: 'contoso-test', backup: { mode: 'off' }, notice: { owner: 'Crypto' } },
      { match: 'contoso-*', backup: { rpo: 'P8D', schedule: { every: 'PT12H' } }, custody: { margin: 2 } },
    ],
  };

  it('is what is built in, where the document says nothing', () => {
    const { rule, origin } = effectiveHsmRule(MINIMAL, 'contoso', 'v1');
    expect(rule).toEqual({ ...BUILT_IN_HSM_RULE, notice: { notify: ['keys@example.org'] } });
    expect(new Set(Object.values(origin))).toEqual(new Set(['built in', 'owners.fallback']));
  });

  it('takes the most literal entry last, and says where each field came from', () => {
    const { rule, origin } = effectiveHsmRule(policy, 'contoso-test', 'v1');
    expect(rule.backup).toMatchObject({ mode: 'off', rpo: 'P8D', retention: { last: 3, daily: 30 } });
    expect(rule.custody.margin).toBe(2);
    expect(rule.notice).toEqual({ notify: ['c@example.org'], owner: 'Crypto' });
    expect(origin).toMatchObject({
      'backup.mode': 'hsms[0] contoso-test',
      'backup.rpo': 'hsms[1] contoso-*',
      'backup.retention': 'policy',
      'backup.lock': 'built in',
      'notice.notify': 'hsms[0] contoso-test',
    });
  });

  it('sets one parameter of one detector and says where it came from, leaving the others as built in', () => {
    const { rule, origin } = effectiveHsmRule(
      {
        ...MINIMAL,
        detection: { decoyKeys: ['old'], detectors: { 'denied-burst': { parameters: { least: 15 } } } },
        hsms: [{ match: 'contoso', detection: { detectors: { 'denied-burst': { on: false } } } }],
      },
      'contoso',
      'v1',
    );
    const builtIn = BUILT_IN_HSM_RULE.detection.detectors;
    expect(rule.detection.decoyKeys).toEqual(['old']);
    expect(rule.detection.detectors).toEqual({
      ...builtIn,
      'denied-burst': {
        ...builtIn['denied-burst'],
        on: false,
        parameters: { ...builtIn['denied-burst'].parameters, least: 15 },
      },
    });
    expect(origin).toMatchObject({
      'detection.detectors.denied-burst.on': 'hsms[0] contoso',
      'detection.detectors.denied-burst.parameters.least': 'policy',
      'detection.detectors.denied-burst.parameters.keys': 'built in',
      'detection.decoyKeys': 'policy',
    });
  });

  it('inherits no time of day into another rhythm', () => {
    expect(effectiveHsmRule(policy, 'contoso-1', 'v1').rule.backup.schedule).toEqual({
      every: 'PT12H',
      timeZone: 'UTC',
      starts: '1970-01-04',
    });
  });

  it('explains every field on one row', () => {
    const rows = explainHsmRule(effectiveHsmRule(policy, 'contoso-1', 'v1'));
    expect(rows).toContainEqual({ field: 'backup.rpo', value: 'P8D', from: 'hsms[1] contoso-*' });
    expect(rows).toContainEqual({ field: 'geography.regions', value: 'none', from: 'built in' });
    const announced = { from: '2026-12-20T00:00Z', until: '2026-12-21T00:00Z', why: 'A migration' };
    const told = effectiveHsmRule({ ...policy, detection: { announced: [announced, announced] } }, 'contoso-1', 'v1');
    expect(explainHsmRule(told)).toContainEqual({
      field: 'detection.announced[1]',
      value: 'from 2026-12-20T00:00Z, until 2026-12-21T00:00Z, why "A migration"',
      from: 'policy',
    });
    expect(rows.every(({ value }) => value !== '' && !value.includes('[object'))).toBe(true);
  });

  it('leaves an HSM that no entry names as the document says', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[d-z][a-z0-9]{2,10}$/), (hsm) => {
        expect(effectiveHsmRule(policy, hsm, 'v1').rule.backup.rpo).toBe('P3D');
      }),
      { numRuns: 30 },
    );
  });
});
