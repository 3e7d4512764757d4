import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../shared/policy/schema.ts';

const OID = '00000000-0000-4000-8000-00000000a001';
const OWNERS = { fallback: ['keys@example.org'] };

const faultsOf = (detection: object, more: object = {}) => {
  const parsed = parsePolicy(JSON.stringify({ version: 1, owners: OWNERS, detection, ...more }));
  return parsed.kind === 'valid' ? [] : parsed.faults;
};
const parametersOf = (detector: string, parameters: object) => ({ detectors: { [detector]: { parameters } } });
const announced = (from: string, until: string) => ({ announced: [{ from, until, why: 'Migration' }] });
const identity = (changes: object = {}) => ({ oid: OID, name: 'Storage', kind: 'storage', ...changes });

const VOLUME = 'detection.detectors.volume-out-of-season.parameters';
const GAP = 'detection.detectors.logging-gap.parameters';

describe('the section detection of the policy', () => {
  it.each<[string, object, string, string]>([
    [
      'volumes that are High before they are Medium',
      parametersOf('volume-out-of-season', { medium: 9 }),
      `${VOLUME}.high`,
      'is no less than medium (9)',
    ],
    [
      'volumes that are extreme before they are High',
      parametersOf('volume-out-of-season', { high: 12 }),
      `${VOLUME}.extreme`,
      'is no less than high (12)',
    ],
    [
      'a long silence that is shorter than a silence',
      parametersOf('logging-gap', { longGapMinutes: 30 }),
      `${GAP}.longGapMinutes`,
      'is no less than gapMinutes (50)',
    ],
    [
      'an announced change that ends before it begins',
      announced('2026-12-21T00:00Z', '2026-12-20T00:00Z'),
      'detection.announced[0].until',
      'is after from (2026-12-21T00:00Z)',
    ],
    [
      'an announced change of no time, told in two zones',
      announced('2026-12-20T01:00+01:00', '2026-12-20T00:00Z'),
      'detection.announced[0].until',
      'is after from (2026-12-20T01:00+01:00)',
    ],
    [
      'an announced change without a reason',
      { announced: [{ from: '2026-12-20T00:00Z', until: '2026-12-21T00:00Z' }] },
      'detection.announced[0].why',
      'is required',
    ],
    [
      'databases of a service that has none',
      { identities: [identity({ databases: 4 })] },
      'detection.identities[0].databases',
      'stands only beside the kind sql',
    ],
    [
      'an identity that is named twice, in whatever case',
      { identities: [identity(), identity({ oid: OID.toUpperCase(), name: 'SQL', kind: 'sql' })] },
      'detection.identities[1].oid',
      'is named once',
    ],
    [
      'an identity by its name',
      { identities: [identity({ oid: 'Storage' })] },
      'detection.identities[0].oid',
      'is an object id, a GUID',
    ],
    [
      'an IPv6 range with too long a prefix',
      { network: { allowedRanges: ['2001:db8::/129'] } },
      'detection.network.allowedRanges[0]',
      'is an IP address or range',
    ],
    [
      'an IPv6 address with two gaps',
      { network: { threatRanges: ['2001:db8::1', '2001::db8::1'] } },
      'detection.network.threatRanges[1]',
      'is an IP address or range',
    ],
  ])('refuses %s', (_title, detection, path, rule) => {
    expect(faultsOf(detection)).toEqual([expect.objectContaining({ path, rule, example: expect.stringMatching(/./) })]);
  });

  it.each<[string, object]>([
    ['limits that are equal', parametersOf('volume-out-of-season', { medium: 8, high: 8, extreme: 8 })],
    ['silences that are equal', parametersOf('logging-gap', { gapMinutes: 120 })],
    ['an announced change of an hour', announced('2026-12-20T00:00Z', '2026-12-20T01:00Z')],
    ['databases of SQL', { identities: [identity({ kind: 'sql', databases: 4 })] }],
    [
      'IPv6 addresses and ranges',
      { network: { allowedRanges: ['2001:db8::/32', '2001:db8::1', '::/0'], threatRanges: ['2001:DB8:0:1::/64'] } },
    ],
    ['the gravest detectors turned off', { detectors: { 'security-domain-access': { on: false } } }],
  ])('takes %s', (_title, detection) => {
    expect(faultsOf(detection)).toEqual([]);
  });

  it('is checked in an entry for an HSM over what the document says', () => {
    const hsms = [{ match: 'a', detection: parametersOf('logging-gap', { longGapMinutes: 100 }) }];
    expect(faultsOf(parametersOf('logging-gap', { gapMinutes: 90 }), { hsms })).toEqual([]);
    expect(
      faultsOf(parametersOf('logging-gap', { gapMinutes: 80 }), {
        hsms: [{ match: 'a', detection: parametersOf('logging-gap', { longGapMinutes: 70 }) }],
      }).map(({ path }) => path),
    ).toEqual(['hsms[0].detection.detectors.logging-gap.parameters.longGapMinutes']);
  });
});

describe('the classes whose keys weigh more', () => {
  const classes = { tier0: {}, payments: {} };

  it('are described in classes, or the fault names the one that was meant', () => {
    expect(faultsOf({ tier0Classes: ['tier0', 'paymets'] }, { classes })).toEqual([
      {
        path: 'detection.tier0Classes[1]',
        rule: 'is a class of classes: did you mean payments?',
        got: '"paymets"',
        example: 'payments',
      },
    ]);
  });

  it('are checked in an entry for an HSM as well', () => {
    const hsms = [{ match: 'a' }, { match: 'b', detection: { tier0Classes: ['crown-jewels'] } }];
    expect(faultsOf({}, { classes, hsms })).toEqual([
      {
        path: 'hsms[1].detection.tier0Classes[0]',
        rule: 'is a class of classes',
        got: '"crown-jewels"',
        example: 'tier0',
      },
    ]);
  });

  it('are told to be described where the document describes none', () => {
    expect(faultsOf({ tier0Classes: ['tier1'] })).toMatchObject([{ example: 'describe it there' }]);
  });

  it('may be none, and need not be described where they are built in', () => {
    expect(faultsOf({ tier0Classes: [] })).toEqual([]);
    expect(faultsOf({})).toEqual([]);
  });
});

it('the fault of a misspelt class of a key names the one that was meant', () => {
  const keys = [{ match: 'pay-*', class: 'tier-0' }];
  expect(faultsOf({}, { classes: { batch: {}, tier0: {} }, keys })).toMatchObject([
    { path: 'keys[0].class', rule: 'is a class of classes: did you mean tier0?', example: 'tier0' },
  ]);
});
