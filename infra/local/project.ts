import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout: this module runs from the sources in tests and from a chunk below `dist` otherwise. */
export const PROJECT = upwards(dirname(fileURLToPath(import.meta.url)));

function upwards(directory: string): string {
  if (existsSync(join(directory, 'infra', 'local'))) return directory;
  const parent = dirname(directory);
  if (parent === directory) throw new Error('The embedded estate runs from its checkout, and there is none here.');
  return upwards(parent);
}

/** Path of a file of the checkout. */
export const inProject = (...path: string[]): string => join(PROJECT, ...path);
