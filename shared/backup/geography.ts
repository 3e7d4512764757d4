import type { GeographyRule } from '../policy/hsm-rule.ts';

export type RegionVerdict =
  | { kind: 'allowed' /** Told with the result: the copy shares the fate of the HSM. */; warning?: string }
  | { kind: 'refused'; reason: 'RegionNotAllowed'; explanation: string; nextStep: string }
  /** Not a refusal, and no permission either. */
  | { kind: 'unknown'; reason: 'RegionUnknown'; explanation: string; nextStep: string };

/** `West Europe` and `westeurope` are one region. */
export const regionName = (region: string): string => region.toLowerCase().replace(/[^a-z0-9]/g, '');

/** Whether a copy may lie where the vault account lies; residency is why people chose a Managed HSM. */
export function judgeRegion(
  { regions }: GeographyRule,
  hsmRegion: string,
  copyRegion: string | undefined,
): RegionVerdict {
  const home = regionName(hsmRegion);
  const allowed = regions.length === 0 ? [home] : regions.map(regionName);
  const named = allowed.join(', ');
  if (copyRegion === undefined || regionName(copyRegion) === '') {
    return {
      kind: 'unknown',
      reason: 'RegionUnknown',
      explanation: 'The region of the vault account could not be read.',
      nextStep: 'Let the backup identity read the account, or name its region in the settings.',
    };
  }
  const target = regionName(copyRegion);
  if (!allowed.includes(target)) {
    return {
      kind: 'refused',
      reason: 'RegionNotAllowed',
      explanation: `Copies may lie in ${named}, and the vault account lies in ${target}.`,
      nextStep: 'Move the vault account into an allowed region, or add its region to geography.regions of the policy.',
    };
  }
  if (target !== home) return { kind: 'allowed' };
  return { kind: 'allowed', warning: `The copy lies in ${target} like the HSM, and would be lost with the region.` };
}
