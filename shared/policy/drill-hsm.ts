import type { PolicyDocument } from './document.ts';
import type { DrillTarget } from './hsm-rule.ts';

/**
 * Where the document names this HSM as the standing drill HSM of others: `drills.target`, `hsms[0] contoso drills.target`. Such
 * an HSM holds copies that a drill overwrites, so its keys are not rotated, nor their policies written, and it is neither
 * backed up nor drilled by the clock, unless an entry that names it without wildcards says otherwise.
 */
export function drillHsmBy(policy: PolicyDocument, hsm: string): string | undefined {
  const place = drillHsmPlace(policy, hsm);
  if (place === undefined) return undefined;
  return place.entry === undefined
    ? 'drills.target'
    : `hsms[${place.entry}] ${policy.hsms?.[place.entry]?.match} drills.target`;
}

/** The same as a place: an index of `hsms`, or none for the section of the document. */
export function drillHsmPlace(policy: PolicyDocument, hsm: string): { entry?: number } | undefined {
  if (isNamed(policy.drills?.target, hsm)) return {};
  const entry = (policy.hsms ?? []).findIndex(
    ({ match, drills }) => isNamed(drills?.target, hsm) && !isSameHsm(match, hsm),
  );
  return entry < 0 ? undefined : { entry };
}

/** Names of HSMs compare without case. */
export const isSameHsm = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase();

const isNamed = (target: DrillTarget | undefined, hsm: string): boolean =>
  target?.kind === 'standing' && isSameHsm(target.hsm, hsm);
