import { canonicalName } from '../../shared/keys/key.ts';
import type { World } from '../world.ts';
import { known } from './incident-world.ts';
import { entryOf, readInventory } from './inventory.ts';

/**
 * Which of the names the HSM has, by the inventory and, for names that it lacks, by one listing. A name in a log row is
 * whatever a caller sent: to ask for each would make us the one who tries door after door, and our own refusals the next
 * finding. Where keys may not be listed, those of the inventory count.
 */
export async function presentKeys(
  world: World,
  hsm: string,
  names: readonly string[],
  tired = false,
): Promise<Set<string>> {
  const inventory = await readInventory(world.documents, hsm);
  const present = new Set(names.filter((name) => entryOf(inventory, canonicalName({ name }))));
  if (present.size === names.length) return present;
  const listed = await known(namesOn(world, hsm), undefined, tired);
  for (const name of names) if (listed?.has(canonicalName({ name }))) present.add(name);
  return present;
}

async function namesOn(world: World, hsm: string): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const page of world.keys.observe.pages(hsm))
    for (const { name } of page) names.add(canonicalName({ name }));
  return names;
}
