import type { PolicyDocument, PolicyFault } from './document.ts';
import { drillHsmPlace, isSameHsm } from './drill-hsm.ts';
import { mergeHsmSections } from './effective-hsm-rule.ts';
import { BUILT_IN_HSM_RULE } from './hsm-rule.ts';

/**
 * What is wrong with the standing drill HSMs of a document. A restore wipes its target, and a drill HSM is left alone by the
 * clock: one that is its own source could be wiped, and one that is all there is would silently end rotation and backups.
 */
export const drillHsmFaults = (policy: PolicyDocument, hsms: readonly string[]): PolicyFault[] => [
  ...ownTargets(policy),
  ...noneInProduction(policy, hsms),
];

/**
 * Entries that name an HSM without wildcards and restore its drills to itself. Where patterns and the section of the document
 * say so, the drill HSM is meant to be among those that match, and is not drilled.
 */
function ownTargets(policy: PolicyDocument): PolicyFault[] {
  return (policy.hsms ?? []).flatMap((entry, index): PolicyFault[] => {
    const { target } = mergeHsmSections(mergeHsmSections(BUILT_IN_HSM_RULE, policy), entry).drills;
    const drilled = entry.drills?.target !== undefined || entry.drills?.mode === 'on';
    if (!drilled || target.kind !== 'standing' || !isSameHsm(entry.match, target.hsm)) return [];
    const rule = 'is another HSM than the one that is drilled, because a restore wipes its target';
    return [
      { path: `${entryPath(index)}drills.target.hsm`, rule, got: quoted(target.hsm), example: example(target.hsm) },
    ];
  });
}

/** An HSM that an entry names without wildcards is as that entry says, whoever drills there. */
function noneInProduction(policy: PolicyDocument, hsms: readonly string[]): PolicyFault[] {
  const named = (hsm: string) =>
    (policy.hsms ?? []).some(({ match, backup }) => isSameHsm(match, hsm) && backup?.mode !== undefined) ||
    (policy.keys ?? []).some((entry) => isSameHsm(entry.hsm, hsm) && entry.rotation?.mode !== undefined);
  const drillHsms = hsms.flatMap((hsm) => {
    const place = named(hsm) ? undefined : drillHsmPlace(policy, hsm);
    return place === undefined ? [] : [{ hsm, ...place }];
  });
  if (drillHsms.length < hsms.length) return [];
  const rule =
    'leaves an HSM of this installation in production: a drill HSM is neither rotated nor backed up by the clock';
  return drillHsms.map(({ hsm, entry }) => {
    const path = `${entry === undefined ? '' : entryPath(entry)}drills.target.hsm`;
    return { path, rule, got: quoted(hsm), example: example(hsm) };
  });
}

const entryPath = (index: number): string => `hsms[${index}].`;
const quoted = (hsm: string): string => JSON.stringify(hsm.length > 78 ? `${hsm.slice(0, 75)}...` : hsm);
const example = (hsm: string): string => `${hsm.slice(0, 60)}-drill`;
