import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HsmRotationPolicy, KeyFacts } from '../../../shared/keys/key.ts';
import type { MaintenanceWindow, RotationRule } from '../../../shared/policy/rule.ts';
import { currentBlackout } from '../../../shared/rotation/blackout.ts';
import { decideRotation, type RotationInput } from '../../../shared/rotation/decide-rotation.ts';
import type { Override, RotationCause } from '../../../shared/rotation/decision.ts';
import { currentOpening } from '../../../shared/rotation/windows.ts';
import { addDuration, toIso } from '../../../shared/time.ts';
import { aKey, anEffectiveRule, aRequest, NEW_VERSION, NOW, OLD_VERSION, without } from '../builders.ts';

const WEEKLY: MaintenanceWindow = { days: ['Sat'], opens: '22:00', lasts: 'PT4H', timeZone: 'Europe/Berlin' };
const DAILY: MaintenanceWindow = {
  ...WEEKLY,
  days: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'],
  opens: '06:00',
  lasts: 'PT8H',
};

/** Nine times in ten the usual value, so that most inputs get past the first checks and every answer is met often. */
const mostly = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const aCause: fc.Arbitrary<RotationCause> = fc.oneof(
  fc.constant<RotationCause>({ kind: 'Sweep' }),
  fc.constant<RotationCause>({ kind: 'Event', eventId: 'e1', eventType: 'Microsoft.KeyVault.KeyNearExpiry' }),
  fc
    .uniqueArray(fc.constantFrom<Override>('window', 'blackout', 'hold', 'notDue'))
    .map((overrides): RotationCause => ({ kind: 'Operator', by: 'alice', note: 'drill', overrides })),
);

const aBlackout = fc.tuple(fc.integer({ min: -20, max: 5 }), fc.integer({ min: 1, max: 30 })).map(([start, days]) => {
  const from = new Date(NOW.getTime() + start * 86_400_000);
  return { from: toIso(from), until: toIso(addDuration(from, `P${days}D`)), reason: 'freeze' };
});

const aRule = fc.record({
  mode: mostly<RotationRule['mode']>('rotate', 'remind', 'off'),
  before: fc.constantFrom('P14D', 'P30D', 'P60D'),
  validity: mostly('P1Y', 'P28D', 'P90D'),
  jitter: fc.constantFrom('PT0S', 'P5D'),
  windows: fc.constantFrom<MaintenanceWindow[]>([], [WEEKLY], [DAILY]),
  blackouts: fc.array(aBlackout, { maxLength: 2 }),
  drift: mostly<RotationRule['drift']>('repair', 'tell'),
});

const anInput: fc.Arbitrary<RotationInput> = fc
  .record({
    rule: aRule,
    cause: aCause,
    expiresIn: fc.option(fc.integer({ min: -10, max: 80 }), { nil: undefined }),
    enabled: mostly(true, false),
    held: mostly(false, true),
    versionsUsed: mostly(50, 1, 99, 100),
    expectedVersion: mostly(OLD_VERSION, NEW_VERSION),
    policyOnHsm: mostly<HsmRotationPolicy>({ expiryTime: 'P1Y' }, {}, { expiryTime: 'P10D' }, { expiryTime: 'soon' }),
  })
  .map(({ rule, cause, expiresIn, enabled, held, versionsUsed, expectedVersion, policyOnHsm }) => ({
    ...aRequest({ cause, versionsUsed, expectedVersion, policyOnHsm }),
    facts: expiring(aKey({ enabled }), expiresIn),
    effective: anEffectiveRule(rule, held ? { hold: { tag: 'hold=true' } } : {}),
  }));

const overrides = ({ cause }: RotationInput, name: Override) =>
  cause.kind === 'Operator' && cause.overrides.includes(name);

describe('every decision', () => {
  it('is the same each time, and explains itself on one line', () => {
    fc.assert(
      fc.property(anInput, (input) => {
        const decision = decideRotation(input);
        expect(decideRotation(input)).toEqual(decision);
        expect(decision.explanation).toMatch(/^.+[^\s]$/);
        if (decision.kind === 'refused') expect(decision.nextStep).not.toBe('');
      }),
    );
  });

  it('to rotate touches no key that is disabled, held, superseded, off or spent, whoever asks', () => {
    fc.assert(
      fc.property(anInput, (input) => {
        if (decideRotation(input).kind !== 'rotate') return;
        expect(input.facts.enabled).toBe(true);
        expect(input.expectedVersion).toBe(input.facts.version);
        expect(input.versionsUsed).toBeLessThan(100);
        expect(input.effective.rule.rotation.mode).toBe('rotate');
        if (input.effective.hold !== undefined) expect(overrides(input, 'hold')).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('to rotate at a forbidden time says why it was right all the same', () => {
    fc.assert(
      fc.property(anInput, (input) => {
        const decision = decideRotation(input);
        if (decision.kind !== 'rotate') return;
        const { windows, blackouts } = input.effective.rule.rotation;
        const closed = windows.length > 0 && currentOpening(windows, input.now) === undefined;
        const overruled = decision.warnings.filter((warning) => warning.startsWith('Rotated ')).length;
        expect(overruled).toBe((closed ? 1 : 0) + (currentBlackout(blackouts, input.now) ? 1 : 0));
      }),
      { numRuns: 500 },
    );
  });

  it('to wait ends at a permitted instant before the key expires', () => {
    fc.assert(
      fc.property(anInput, (input) => {
        const decision = decideRotation(input);
        if (decision.kind !== 'deferred') return;
        const until = new Date(decision.until);
        expect(until > input.now).toBe(true);
        if (input.facts.expiresOn !== undefined) expect(until < new Date(input.facts.expiresOn)).toBe(true);
        const again = decideRotation({ ...input, now: until });
        expect(again.kind).toBe('rotate');
      }),
      { numRuns: 500 },
    );
  });
});

function expiring(facts: KeyFacts, days: number | undefined): KeyFacts {
  if (days === undefined) return without(facts, 'expiresOn');
  return { ...facts, expiresOn: toIso(new Date(NOW.getTime() + days * 86_400_000)) };
}
