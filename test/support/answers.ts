import type { Inspected } from '../../functions/contracts/outcomes.ts';
import { BUILT_IN_ROTATION } from '../../shared/policy/document.ts';
import type { RotationRule } from '../../shared/policy/rule.ts';
import type { Asked, Told } from './replay.ts';
import { aKey } from './world.ts';

export const OLD = 'a'.repeat(32);
export const NEW = 'b'.repeat(32);
export const old = aKey({ version: OLD, expiresOn: '2030-01-20T00:00:00Z' });
export const fresh = aKey({ version: NEW, createdOn: '2030-01-01T00:00:00Z', expiresOn: '2031-01-01T00:00:00Z' });

export const inspected = (overrides: Partial<Inspected> = {}, rule: Partial<RotationRule> = {}): Inspected => ({
  kind: 'inspected',
  facts: old,
  versionsUsed: 3,
  versionsCreatedOn: ['2027-01-31T00:00:00Z', '2028-01-31T00:00:00Z', '2029-01-31T00:00:00Z'],
  hsmPolicy: { expiryTime: 'P1Y' },
  effective: {
    rule: {
      rotation: { ...BUILT_IN_ROTATION, drift: 'tell', ...rule },
      notice: { notify: ['payments@contoso.example'], owner: 'Payments' },
    },
    origin: {},
    notes: [],
    policyVersion: '1',
  },
  ...overrides,
});

/** Answers of a world in which everything works, unless a test says otherwise. */
export const answers = (overrides: Partial<Record<string, (asked: Asked, count: number) => Told>> = {}) => {
  const counts: Record<string, number> = {};
  const usual: Record<string, unknown> = {
    inspectKey: inspected(),
    writeRotationPolicy: { kind: 'written' },
    backUpKey: { kind: 'kept', path: 'p' },
    keepSentinel: { kind: 'kept' },
    reserveCreation: { kind: 'reserved', at: '2030-01-01T00:00:00.000Z' },
    createKeyVersion: { kind: 'created', facts: fresh },
    carryTags: { kind: 'carried', tags: [] },
    compareKeyVersion: { kind: 'compared', facts: fresh, differences: [] },
    proveKeyVersion: { kind: 'proof', verdict: 'proven', explanation: 'All checks passed.', checks: [] },
    recordRotation: { kind: 'recorded' },
    publishKeyFact: { kind: 'published' },
    deliverNotification: { kind: 'told', delivered: ['payments@contoso.example'], undelivered: [] },
  };
  return (asked: Asked): Told => {
    if (asked.kind === 'timer') return { result: undefined };
    const count = (counts[asked.name] ?? 0) + 1;
    counts[asked.name] = count;
    const special = overrides[asked.name];
    return special ? special(asked, count) : { result: usual[asked.name] };
  };
};

export const names = (asked: Asked[]) => asked.map((each) => (each.kind === 'timer' ? 'timer' : each.name));
/** The notices that were handed over to be delivered. */
export const notices = (asked: Asked[]) =>
  asked.flatMap((each) => (each.kind === 'sub' ? [(each.input as { notice: { kind: string } }).notice] : []));
