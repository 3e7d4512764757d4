import { parseArgs } from 'node:util';
import { attack } from './attack.ts';
import { backup } from './backup.ts';
import { drill } from './drill.ts';
import { recovery } from './recovery.ts';
import { restore } from './restore.ts';
import { rotation } from './rotation.ts';
import { runStory, type Story } from './story.ts';

/** Every story that `npm run scenario -- NAME` can tell. */
const SCENARIOS: Record<string, (story: Story) => Promise<void>> = {
  rotation,
  backup,
  restore,
  drill,
  recovery,
  attack,
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
});
const [name] = positionals;
const scenario = name === undefined ? undefined : SCENARIOS[name];

if (name === undefined || !scenario || positionals.length > 1) {
  console.error(`Usage: npm run scenario -- NAME [--json]\nNAME is one of: ${Object.keys(SCENARIOS).join(', ')}`);
  process.exit(2);
}

const told = await runStory(name, scenario, values.json ? undefined : (line) => console.log(line));
if (values.json) console.log(JSON.stringify(told, null, 2));
process.exit(told.ok ? 0 : 1);
