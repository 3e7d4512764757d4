import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { parseArgs } from 'node:util';
import type { Identity } from '../../shared/adapters/azure/credentials.ts';
import { blobName, inChainOrder } from '../../shared/adapters/azure/journal-blobs.ts';
import { createJournalLog } from '../../shared/adapters/azure/journal-log.ts';
import { createStateAccount } from '../../shared/adapters/azure/state-account.ts';
import { linesOf } from '../../shared/adapters/lines.ts';
import { createSystemClock } from '../../shared/adapters/system-clock.ts';
import { AppError } from '../../shared/errors.ts';
import { createVerifier, type Verification } from '../../shared/journal/verify.ts';

const USAGE = `Usage: npm run journal:verify -- (--dir FOLDER | --account URL) [--expect HASH]

  --dir FOLDER    a folder with the blobs of the container "journal", as downloaded: FOLDER/2030/01/31.jsonl
  --account URL   the blob endpoint of the state account; signs in as you (DefaultAzureCredential)
  --expect HASH   the hash that the last line must have, noted at an earlier time or place: shows a journal cut short

Exit code: 0 unbroken, 1 broken, 2 not verified.`;

type Lines = AsyncIterable<{ blob: string; line: string }>;

export interface Output {
  log(text: string): void;
  error(text: string): void;
}

const OPEN_SHOWN = 20;

/** Verifies the hash chain of a journal and prints the result. Resolves with the exit code. */
export async function runVerification(args: string[], output: Output): Promise<0 | 1 | 2> {
  try {
    const { lines, expected } = readArguments(args);
    const blobs = new Set<string>();
    const verifier = createVerifier((text) => createHash('sha256').update(text).digest('hex'));
    for await (const { blob, line } of lines) {
      blobs.add(blob);
      if (!verifier.feed(blob, line)) break;
    }
    if (blobs.size === 0) throw new UsageError('There are no lines of a journal: nothing was verified.');
    const result = verifier.finish(expected);
    for (const text of describe(result, blobs.size)) output.log(text);
    return result.kind === 'unbroken' ? 0 : 1;
  } catch (error) {
    output.error(explain(error));
    return 2;
  }
}

class UsageError extends Error {}

function readArguments(args: string[]): { lines: Lines; expected?: string } {
  const { values } = parse(args);
  const expected = values.expect === undefined ? {} : { expected: values.expect };
  if (values.dir !== undefined && values.account === undefined) return { lines: readFolder(values.dir), ...expected };
  if (values.account !== undefined && values.dir === undefined)
    return { lines: readAccount(values.account), ...expected };
  throw new UsageError(USAGE);
}

function parse(args: string[]) {
  try {
    const text = { type: 'string' } as const;
    return parseArgs({ args, options: { dir: text, account: text, expect: text } });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

async function* readFolder(folder: string): Lines {
  const files = await readdir(folder, { recursive: true });
  for (const blob of inChainOrder(files.map((file) => file.split(sep).join('/'))).map(blobName)) {
    for await (const line of linesOf(createReadStream(join(folder, blob)))) yield { blob, line };
  }
}

function readAccount(url: string): Lines {
  const identity: Identity = {
    duty: 'observe',
    clientId: 'the account you are signed in with',
    async credential() {
      const { DefaultAzureCredential } = await import('@azure/identity');
      return new DefaultAzureCredential();
    },
  };
  return createJournalLog(createStateAccount({ url, identity }), createSystemClock()).lines();
}

function describe(result: Verification, blobs: number): string[] {
  if (result.kind === 'broken') {
    return [
      `The journal is BROKEN at ${result.blob}, line ${result.line}: ${result.reason}.`,
      result.explanation,
      'What follows that line proves nothing.',
    ];
  }
  const { entries, repeats, lastHash, open } = result;
  const shown = open.slice(0, OPEN_SHOWN).map(({ at, class: act, hsm, target }) => `  ${at} ${act} ${hsm}/${target}`);
  return [
    `The journal is unbroken: ${entries} line(s) in ${blobs} blob(s), ${repeats} of them repeats of a step.`,
    `Last hash: ${lastHash}`,
    ...(open.length === 0 ? [] : [`Announced and not answered: ${open.length}`, ...shown]),
    ...(open.length > OPEN_SHOWN ? [`  and ${open.length - OPEN_SHOWN} more`] : []),
  ];
}

function explain(error: unknown): string {
  if (error instanceof AppError) return `${error.message}\n${error.nextStep}`;
  return error instanceof Error ? error.message : String(error);
}
