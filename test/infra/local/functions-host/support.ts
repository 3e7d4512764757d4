import { type ChildProcess, fork } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Work } from '../../../../infra/local/functions-host/work.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));

export const keys = {
  master: 'master-key',
  function: 'function-key',
  system: { eventgrid_extension: 'grid-key', durabletask_extension: 'durable-key' },
};

export interface Message {
  type: string;
  port?: number;
  message?: string;
  level?: string;
  name?: string;
  phase?: string;
  functions?: { name: string; type: string }[];
}

/** A folder whose bundles find the project's packages; removed by `dispose`. */
export interface Workshop {
  folder: string;
  dispose(): void;
}

export interface Child {
  process: ChildProcess;
  port: number;
  messages: Message[];
  moveClock(offsetMs: number): void;
  /** What the host has left to do, asked after everything that was sent before. */
  work(): Promise<Work>;
  /** Asks until it says that nothing is left. */
  idle(): Promise<Work>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** A call below the durable webhook base, with its key. */
  durable(path: string, init?: RequestInit): Promise<Response>;
  kill(): Promise<void>;
}

/** Builds the host, its preload and the named fixture apps, as infra/build/build.mjs builds the real ones. */
export async function openWorkshop(apps: string[]): Promise<Workshop> {
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, 'node_modules/.cache/functions-host-'));
  const common = { bundle: true, format: 'esm', platform: 'node', target: 'node20', logLevel: 'warning' } as const;
  await Promise.all([
    build({
      ...common,
      absWorkingDir: root,
      entryPoints: { host: 'infra/local/functions-host/main.ts', preload: 'infra/local/functions-host/preload.ts' },
      outdir: folder,
      packages: 'external',
      splitting: true,
      outExtension: { '.js': '.mjs' },
    }),
    ...apps.map((app) =>
      build({
        ...common,
        absWorkingDir: root,
        entryPoints: [join(here, `fixtures/${app}.ts`)],
        outfile: join(folder, app, 'main.js'),
        external: ['@azure/functions-core'],
        banner: {
          js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
        },
      }),
    ),
  ]);
  for (const app of apps) {
    writeFileSync(join(folder, app, 'package.json'), JSON.stringify({ type: 'module', main: 'main.js' }));
    copyFileSync(join(here, 'fixtures/host.json'), join(folder, app, 'host.json'));
  }
  return { folder, dispose: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface StartOptions {
  app: string;
  state?: string;
  offsetMs?: number;
  settings?: Record<string, string>;
}

/** Starts the host as a child, as the launcher does. Rejects with its `fatal` message. */
export async function startHost(workshop: Workshop, options: StartOptions): Promise<Child> {
  const messages: Message[] = [];
  const child = fork(join(workshop.folder, 'host.mjs'), {
    execArgv: ['--import', join(workshop.folder, 'preload.mjs')],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: {
      PATH: process.env.PATH,
      FIXTURE_HUB: 'FixtureHub',
      ESTATE_APP_ROOT: join(workshop.folder, options.app),
      ESTATE_HOST_PORT: '0',
      ESTATE_STATE_DIR: options.state ?? mkdtempSync(join(workshop.folder, 'state-')),
      ESTATE_CLOCK_OFFSET_MS: String(options.offsetMs ?? 0),
      ESTATE_HOST_KEYS: JSON.stringify(keys),
      ...options.settings,
    },
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    child.on('message', (message: Message) => {
      messages.push(message);
      if (message.type === 'ready') resolve(message.port ?? 0);
      if (message.type === 'fatal') reject(new Error(message.message));
    });
    child.once('exit', (code) => reject(new Error(`The host exited with ${code}.`)));
  });
  let questions = 0;
  const work = () =>
    new Promise<Work>((resolve) => {
      questions += 1;
      const id = questions;
      const listen = (message: Message & { id?: number }) => {
        if (message.type !== 'work' || message.id !== id) return;
        child.off('message', listen);
        resolve(message as unknown as Work);
      };
      child.on('message', listen);
      child.send({ type: 'work', id });
    });
  const call = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);
  return {
    process: child,
    port,
    messages,
    work,
    idle: () => until(work, ({ idle }) => idle),
    moveClock: (offsetMs) => void child.send({ type: 'clock', offsetMs }),
    fetch: call,
    durable: (path, init) =>
      call(`/runtime/webhooks/durabletask/${path}`, {
        ...init,
        headers: { 'x-functions-key': 'durable-key', ...init?.headers },
      }),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

export interface Status {
  name: string;
  instanceId: string;
  runtimeStatus: string;
  output: unknown;
  customStatus: unknown;
  historyEvents?: Record<string, unknown>[];
}

const json = { 'content-type': 'application/json' };

export async function start(host: Child, name: string, input: unknown, id = ''): Promise<string> {
  const answer = await host.durable(`orchestrators/${name}/${id}`, {
    method: 'POST',
    body: JSON.stringify(input),
    headers: json,
  });
  if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { id: string }).id;
}

export const raise = (host: Child, id: string, name: string, value: unknown) =>
  host.durable(`instances/${id}/raiseEvent/${name}`, { method: 'POST', body: JSON.stringify(value), headers: json });

export async function status(host: Child, id: string, query = ''): Promise<Status> {
  const answer = await host.durable(`instances/${id}?showHistory=true&showHistoryOutput=true${query}`);
  return (await answer.json()) as Status;
}

/** Asks again until `met`; the test's own time limit is the only one. */
export async function until<T>(ask: () => Promise<T> | T, met: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await ask();
    if (met(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const ended = (host: Child, id: string): Promise<Status> =>
  until(
    () => status(host, id),
    (each) => ['Completed', 'Failed', 'Terminated'].includes(each.runtimeStatus),
  );

export async function run(host: Child, name: string, input: unknown): Promise<Status> {
  return ended(host, await start(host, name, input));
}
