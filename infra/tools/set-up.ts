import { runSetup } from './setup.ts';

process.exitCode = await runSetup(process.argv.slice(2), process.env, console);
