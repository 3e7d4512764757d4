import { AppError } from '../../shared/errors.ts';
import type { World } from '../world.ts';

type HsmSettings = World['hsms'][number];

const path = (hsm: string): string => `hsms/${hsm}.json`;

/**
 * Makes an HSM that was created while the app runs known to it, before the settings name it. Adapters look into the same list,
 * so that they reach it from now on.
 */
export async function joinHsm(world: World, settings: HsmSettings): Promise<void> {
  await world.documents.put('state', path(settings.name), { schema: 1, ...settings });
  admit(world, settings);
}

/** Finds an HSM that joined earlier, as another instance of the app may have let it in. Throws when nobody knows it. */
export async function knownHsm(world: World, hsm: string): Promise<HsmSettings> {
  const known = world.hsms.find(({ name }) => name === hsm);
  if (known) return known;
  const stored = await world.documents.read<HsmSettings>('state', path(hsm));
  if (!stored) {
    throw new AppError('ERR_INPUT', `No HSM named ${hsm} is known.`, { nextStep: 'Name it in the setting MHSM_HSMS.' });
  }
  const { name, uri, resourceId, settleSeconds, drill } = stored.value;
  return admit(world, { name, uri, resourceId, settleSeconds, ...(drill === undefined ? {} : { drill }) });
}

/** Forgets an HSM that joined. Another instance of the app may know it longer, and then finds nothing at its address. */
export async function partFrom(world: World, hsm: string): Promise<void> {
  await world.documents.remove('state', path(hsm));
  const index = world.hsms.findIndex(({ name, drill }) => name === hsm && drill !== undefined);
  if (index >= 0) world.hsms.splice(index, 1);
}

function admit(world: World, settings: HsmSettings): HsmSettings {
  const known = world.hsms.find(({ name }) => name === settings.name);
  if (!known) world.hsms.push(settings);
  return known ?? settings;
}
