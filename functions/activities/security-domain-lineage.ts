import type { World } from '../world.ts';

/** Which lineage an HSM belongs to, as the custody ledger last recorded it. */
export const lineagePath = (hsm: string): string => `custody/${hsm}/lineage.json`;

/**
 * Which security domain an HSM has. No API tells it, so it is what the custody ledger of the HSM says: HSMs that share a
 * domain name the same lineage there. An HSM of which nothing is said has one of its own.
 */
export async function securityDomainOf(world: World, hsm: string): Promise<string> {
  const named = await world.documents.read<{ lineage: string }>('state', lineagePath(hsm));
  return named?.value.lineage ?? `security domain of ${hsm}`;
}
