import { spawn } from 'node:child_process';
import type { Block } from './documents.ts';

const MARK = '-- block --';

/**
 * Runs the blocks marked `sh run` as one shell session, so that what one sets the next one has, and returns what each wrote.
 * The first that fails ends it.
 */
export async function runBlocks(
  blocks: readonly Block[],
  { cwd, env }: { cwd: string; env: Record<string, string> },
): Promise<{ outputs: string[]; errors: string; status: number | null }> {
  const script = ['set -e', ...blocks.map(({ lines }) => `${lines.join('\n')}\necho '${MARK}'`)].join('\n');
  const shell = spawn('sh', ['-c', script], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    shell[name].setEncoding('utf8').on('data', (chunk: string) => {
      texts[name] += chunk;
    });
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    shell.on('error', reject).on('close', resolve);
  });
  const outputs = texts.stdout.split(`${MARK}\n`);
  return { outputs: outputs.slice(0, -1), errors: `${outputs.at(-1)}${texts.stderr}`, status };
}

/** Each block to be run, with the block `text` right behind it, which says what is seen. */
export function runnable(blocks: readonly Block[]): (Block & { shown: string[] })[] {
  return blocks.flatMap((block, index) => {
    if (block.info !== 'sh run') return [];
    const next = blocks[index + 1];
    return [{ ...block, shown: next?.info === 'text' ? next.lines : [] }];
  });
}

/** The first line that is shown and not seen, in the order shown; `…` stands for anything, a line of it alone for any lines. */
export function firstUnseen(shown: readonly string[], output: string): string | undefined {
  const seen = output.split('\n');
  let from = 0;
  for (const line of shown.filter((each) => each !== '…')) {
    const pattern = new RegExp(`^${line.split('…').map(escaped).join('.*')}$`);
    const at = seen.findIndex((each, index) => index >= from && pattern.test(each));
    if (at < 0) return line;
    from = at + 1;
  }
  return undefined;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
