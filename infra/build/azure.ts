import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileBicep } from './bicep/compile.ts';

/** Writes infra/azure/main.json, which a test keeps in step with main.bicep and its modules. */
const root = fileURLToPath(new URL('../..', import.meta.url));
writeFileSync(
  `${root}infra/azure/main.json`,
  `${JSON.stringify(compileBicep(`${root}infra/azure/main.bicep`, root), null, 2)}\n`,
);
