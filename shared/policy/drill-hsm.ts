import type { PolicyDocument } from './document.ts';
import type { DrillTarget } from './hsm-rule.ts';

/**
 * Where the document names this HSM as the standing drill HSM of others: `drills.target`, `hsms[0] contoso drills.target`. Such
 * an HSM holds copies that a drill overwrites, so its keys are not rotated, nor their policies written, and it is neither
 * backed up nor drilled by the clock, unless an entry that names it without wildcards says otherwise.
 */
export function drillHsmBy(policy: PolicyDocument, hsm: string): string | undefined {
  if (isNamed(policy.drills?.target, hsm)) return 'drills.target';
  const index = (policy.hsms ?? []).findIndex(
    ({ match, drills }) => isNamed(drills?.target, hsm) && !isSameHsm(match, hsm),
  );
  return index < 0 ? undefined : `hsms[${index}] ${policy.hsms?.[index]?.match} drills.target`;
}

/** Names of HSMs compare without case. */
export const isSameHsm = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase();

const isNamed = (target: DrillTarget | undefined, hsm: string): boolean =>
  target?.kind === 'standing' && isSameHsm(target.hsm, hsm);
