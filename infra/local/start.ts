import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startEstate } from './estate-run.ts';
import { realNow } from './movable-date.ts';
import { writeReadyFile } from './ready-file.ts';
import type { Happening } from './story.ts';
import { farewell, greeting, lineFor, printLine } from './terminal.ts';

const USAGE = `npm start -- [options]

  --seed empty|demo|FILE   what the HSMs hold (demo)
  --port N                 first of a run of fixed ports; 0: free ones (0)
  --state DIR              keep everything in DIR over restarts
  --ready-file PATH        write addresses, tokens and environment there once all is up
  --quiet                  tell nothing but failures
  --json                   tell the story as JSON lines
  --help`;

function readArguments() {
  try {
    return parseArgs({
      options: {
        seed: { type: 'string', default: 'demo' },
        port: { type: 'string', default: '0' },
        state: { type: 'string' },
        'ready-file': { type: 'string' },
        quiet: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

const wish = readArguments();
if (wish.help) {
  console.log(USAGE);
  process.exit(0);
}
const port = Number(wish.port);
if (!Number.isInteger(port) || port < 0 || port > 65_500) {
  console.error(`--port is a number from 0 to 65500, not ${wish.port}.\n\n${USAGE}`);
  process.exit(2);
}

let now = () => new Date(realNow());
let greeted = false;
const waiting: Happening[] = [];
const tell = (happening: Happening) => {
  if (wish.quiet) return;
  // The table of addresses comes first; what happened while booting follows it.
  if (!greeted) return void waiting.push(happening);
  const line = lineFor(happening);
  if (!line) return;
  const { tone: _tone, ...facts } = line;
  console.log(
    wish.json ? JSON.stringify({ time: now().toISOString(), kind: happening.kind, ...facts }) : printLine(line, now()),
  );
};

// Whoever waits for the file must not read that of an earlier run.
if (wish['ready-file'] !== undefined) await rm(resolve(wish['ready-file']), { force: true });
const began = performance.now();
const estate = await startEstate({
  seed: wish.seed,
  port,
  webhook: true,
  detection: true,
  ...(wish.state === undefined ? {} : { stateDirectory: resolve(wish.state) }),
  onHappening: tell,
}).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
now = () => estate.estate.clock.now();
if (wish['ready-file'] !== undefined) await writeReadyFile(resolve(wish['ready-file']), estate.ready);
const seconds = (performance.now() - began) / 1000;
const timers = (estate.host?.functions ?? []).filter(({ type }) => type === 'timerTrigger').map(({ name }) => name);
if (wish.json) console.log(JSON.stringify({ kind: 'ready', seconds, ...estate.ready }));
else if (!wish.quiet) console.log(greeting(estate.ready, timers, seconds));
greeted = true;
for (const happening of waiting) tell(happening);

// A person who starts the demo came to see keys rotate, and would wait up to a quarter of an hour for the schedule. Whoever
// asks for a ready file is a program, and runs timers when it wants to.
if (wish.seed === 'demo' && wish['ready-file'] === undefined) {
  await estate
    .runTimer('expirySweepTimer')
    .catch((error: unknown) => console.error('The first sweep did not start:', error));
}

/** npm passes on the signal that the terminal has sent already, so one Ctrl-C may arrive twice. */
const SAME_SIGNAL_MS = 1000;
let stoppingSince: number | undefined;
const stop = () => {
  if (stoppingSince !== undefined) {
    // Ctrl-C once more does not wait; the host ends by itself when its parent is gone.
    if (realNow() - stoppingSince > SAME_SIGNAL_MS) process.exit(130);
    return;
  }
  stoppingSince = realNow();
  estate.stop().then(
    () => {
      if (!wish.quiet && !wish.json) console.log(farewell(wish.state));
      process.exit(0);
    },
    (error: unknown) => {
      console.error('The estate did not stop cleanly:', error);
      process.exit(1);
    },
  );
};
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
