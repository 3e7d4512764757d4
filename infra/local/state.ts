import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where one estate keeps its files: a directory that outlives it (`--state`), or a temporary one. */
export interface StateDirectory {
  readonly path: string;
  /** Whether the directory outlives the estate. */
  readonly kept: boolean;
  /** What `saveWith` wrote last, in this run or an earlier one; undefined when nothing was. */
  load(): Promise<Record<string, unknown> | undefined>;
  /** Writes what `snapshot` gives, when it has changed: every two seconds of real time and at the end. */
  saveWith(snapshot: () => Record<string, unknown>): void;
  close(): Promise<void>;
}

const EVERY_MS = 2000;

export async function openState(directory?: string): Promise<StateDirectory> {
  const kept = directory !== undefined;
  const path = directory ?? (await mkdtemp(join(tmpdir(), 'embedded-estate-')));
  await mkdir(path, { recursive: true });
  const file = join(path, 'services.json');
  let timer: NodeJS.Timeout | undefined;
  let save: (() => Promise<void>) | undefined;
  let written = '';
  return {
    path,
    kept,
    async load() {
      try {
        return JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw new Error(`The state in ${file} cannot be read: ${String(error)}. Remove the directory to start afresh.`);
      }
    },
    saveWith(snapshot) {
      if (!kept) return;
      save = async () => {
        const text = JSON.stringify(snapshot());
        if (text === written) return;
        written = text;
        // Renaming is atomic, so a kill in between leaves the state before it.
        await writeFile(`${file}.new`, text, { mode: 0o600 });
        await rename(`${file}.new`, file);
      };
      const saveNow = save;
      timer = setInterval(
        () => saveNow().catch((error: unknown) => console.error('State not saved:', error)),
        EVERY_MS,
      );
      timer.unref();
    },
    async close() {
      clearInterval(timer);
      await save?.();
      if (!kept) await rm(path, { recursive: true, force: true });
    },
  };
}
