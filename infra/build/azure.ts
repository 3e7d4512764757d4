import { fileURLToPath } from 'node:url';
import { bringBicep, runBicep } from './bicep.ts';

/** Writes infra/azure/main.json by the official compiler. A test keeps it in step with main.bicep and its modules. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const azure = `${root}infra/azure`;
const { status, stderr } = runBicep(bringBicep(root), [
  'build',
  `${azure}/main.bicep`,
  '--outfile',
  `${azure}/main.json`,
]);
process.stderr.write(stderr);
process.exitCode = status ?? 1;
