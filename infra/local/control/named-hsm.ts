import type { EstateHsm } from '../hsm-fleet.ts';
import { Problem } from './problem.ts';

/** The HSM of that name. Throws a 404 Problem that names those there are. */
export function namedHsm(hsms: readonly EstateHsm[], name: string | undefined): EstateHsm {
  const hsm = hsms.find((one) => one.name === name);
  if (hsm) return hsm;
  const names = hsms.map((one) => one.name).join(', ');
  throw new Problem(404, 'ERR_NOT_FOUND', `There is no HSM ${name}; there are: ${names}.`);
}
