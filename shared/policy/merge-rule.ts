import type { PartialRotation } from './document.ts';
import type { RotationRule } from './rule.ts';

/** The rule with the fields that the partial one sets; null removes an optional field. */
export function mergeRotation(rule: RotationRule, partial: PartialRotation | undefined): RotationRule {
  if (partial === undefined) return rule;
  const { maximumAge, backstop, adoption, retirement, ...plain } = partial;
  const merged: RotationRule = {
    ...rule,
    ...plain,
    adoption: { ...rule.adoption, ...adoption },
    retirement: { ...rule.retirement, ...retirement },
  };
  if (maximumAge === null) delete merged.maximumAge;
  else if (maximumAge !== undefined) merged.maximumAge = maximumAge;
  if (backstop === null) delete merged.backstop;
  else if (backstop !== undefined) merged.backstop = backstop;
  return merged;
}
