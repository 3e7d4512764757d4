import { AppError, isTransient } from '../../shared/errors.ts';
import type { Incident, TimelineEntry } from '../../shared/incident/incident.ts';
import { withLine } from '../../shared/incident/join.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import type { HsmAccess } from '../../shared/ports/hsm-access.ts';
import type { ResponseWorld, World } from '../world.ts';
import { policyInForce } from './policy-in-force.ts';

/** What containment needs, or a fault that says which setting is missing. */
export function responseWorld(world: World): ResponseWorld {
  if (world.response) return world.response;
  throw new AppError('ERR_CONFIG', 'This installation contains nothing: no identity has the duty respond.', {
    nextStep: 'Set MHSM_IDENTITY_RESPOND and grant it the role Key lifecycle: respond at /.',
  });
}

/** Whoever may read roles: the responding identity, else the one that reads them for manifests. */
export const rolesReader = (world: World): HsmAccess | undefined =>
  world.response?.access ?? world.detection?.access ?? world.backups?.access;

/** The rule of the incident's HSM, as it stands now. */
export async function ruleOf(world: World, { hsm }: Pick<Incident, 'hsm'>) {
  const inForce = await policyInForce(world);
  return effectiveHsmRule(inForce.policy, hsm, inForce.version).rule;
}

/** The answer, or undefined where a lasting fault keeps it from us; what asking again may cure is thrown, unless we are tired of it. */
export async function known<T>(
  read: Promise<T> | undefined,
  missing?: (error: AppError) => void,
  tired = false,
): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (!(error instanceof AppError) || (isTransient(error) && !tired)) throw error;
    missing?.(error);
    return undefined;
  }
}

/** The incident with one more line of what happened. */
export const noted = (incident: Incident, entry: TimelineEntry): Incident => ({
  ...incident,
  timeline: withLine(incident, entry),
});

/** Who did what the app did by itself. */
export const US = 'automation';
