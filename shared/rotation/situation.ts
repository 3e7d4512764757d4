import type { HsmRotationPolicy, KeyFacts, KeyRef } from '../keys/key.ts';
import type { EffectiveRule, RotationRule } from '../policy/rule.ts';
import type { Override, RotationCause } from './decision.ts';
import { type Due, dueOn } from './due.ts';

export interface RotationInput {
  key: KeyRef;
  facts: KeyFacts;
  /** The version that the cause spoke of; absent when it spoke of the key. */
  expectedVersion?: string;
  versionsUsed: number;
  /** ISO instants of the versions' creation, in any order: evidence of the real pace. */
  versionsCreatedOn?: string[];
  effective: EffectiveRule;
  /** Absent when the HSM holds none. */
  policyOnHsm?: HsmRotationPolicy;
  cause: RotationCause;
  now: Date;
}

/** The input and what several checks ask of it. */
export interface Situation extends RotationInput {
  rule: RotationRule;
  due: Due | undefined;
  expired: boolean;
  overrides: ReadonlySet<Override>;
}

export function situationOf(input: RotationInput): Situation {
  const { key, facts, effective, cause, now } = input;
  const rule = effective.rule.rotation;
  return {
    ...input,
    rule,
    due: dueOn({ ...facts, hsm: key.hsm, name: key.name }, rule),
    expired: facts.expiresOn !== undefined && Date.parse(facts.expiresOn) <= now.getTime(),
    overrides: new Set('overrides' in cause ? cause.overrides : []),
  };
}
