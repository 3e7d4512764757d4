import { runVerification } from './journal-verification.ts';

process.exitCode = await runVerification(process.argv.slice(2), console);
