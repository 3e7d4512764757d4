import { fileURLToPath } from 'node:url';
import { copy } from './copy.ts';
import { detection } from './detection.ts';
import { latency } from './latency.ts';
import { loadTime } from './load.ts';
import { logWorkspace } from './log-workspace.ts';
import { sweep } from './sweep.ts';
import { printTable } from './table.ts';

/** `npm run bench`: figures as ratios within one run, because milliseconds of a shared machine mean little. */
const root = fileURLToPath(new URL('../..', import.meta.url));

const settings = Object.fromEntries(
  Object.entries((await import('../../local.settings.sample.json')).Values).map(([name, value]) => [
    name,
    String(value),
  ]),
);

printTable('Load and size', await loadTime(root, settings));
printTable('Rotation', await latency());
printTable('Sweep', await sweep());
printTable('Detection', await detection());
printTable('The log workspace of the estate', await logWorkspace());
printTable('Backup', await copy());
process.exit(0);
