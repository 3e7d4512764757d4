import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { EstateClock } from './clock.ts';
import type { HostMessage } from './functions-host/report.ts';
import type { Work } from './functions-host/work.ts';
import type { AppKeys } from './secrets.ts';

/** The Functions host as a child process, which may die and come back while the estate stays. */
export interface HostProcess {
  /** `http://localhost:{port}`; the same after every restart. */
  readonly url: string;
  readonly pid: number | undefined;
  readonly isUp: boolean;
  readonly functions: readonly { name: string; type: string }[];
  /** Resolves when the app is loaded. Rejects with the app's own words when it does not start. */
  start(): Promise<void>;
  /** Ends the process at once, as a crashed worker would, and leaves it down. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** What the app has left to do, by all that the host knew of the clock when asked; undefined while it is down. */
  work(): Promise<Work | undefined>;
  /** Ends and starts it. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export type HostChange =
  | { kind: 'up'; pid: number }
  | { kind: 'down'; reason: string }
  /** A log line or an invocation, as the host reports it. */
  | { kind: 'told'; message: Extract<HostMessage, { type: 'log' | 'invocation' }> }
  /** What the process printed by itself. */
  | { kind: 'printed'; stream: 'stdout' | 'stderr'; text: string };

const FIRST_BACK_OFF_MS = 250;
const LONGEST_BACK_OFF_MS = 10_000;
/** How long a host may take from its start to its ready message. */
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 3000;

/** The files that the build makes of infra/local/functions-host, beside the launcher's own. */
export const hostFiles = (directory: string) => ({
  main: join(directory, 'host.js'),
  preload: join(directory, 'preload.js'),
});

export async function createHostProcess(options: {
  directory: string;
  appRoot: string;
  port?: number;
  clock: EstateClock;
  stateDirectory: string;
  appKeys: AppKeys;
  environment(url: string): Record<string, string>;
  onChange(change: HostChange): void;
}): Promise<HostProcess> {
  const { clock, onChange } = options;
  const files = hostFiles(options.directory);
  const port = options.port || (await freePort());
  const url = `http://localhost:${port}`;
  let child: ChildProcess | undefined;
  let functions: { name: string; type: string }[] = [];
  let up = false;
  /** Whether an end of the process is wanted; otherwise it is a crash. */
  let ending = false;
  let backOffMs = FIRST_BACK_OFF_MS;
  let comeBack: NodeJS.Timeout | undefined;

  const tell = (message: { type: 'clock'; offsetMs: number } | { type: 'work'; id: number }) => {
    // A host that dies meanwhile learns the time when it comes back.
    if (child?.connected)
      child.send(
        message,
        (error) => error && onChange({ kind: 'printed', stream: 'stderr', text: `${message.type}: ${error.message}` }),
      );
  };
  const asked = new Map<number, (work: Work | undefined) => void>();
  let questions = 0;
  const answer = (id: number, work: Work | undefined) => {
    asked.get(id)?.(work);
    asked.delete(id);
  };
  const stopListening = clock.onMove((offsetMs) => tell({ type: 'clock', offsetMs }));

  const start = async (): Promise<void> => {
    if (!existsSync(files.main)) throw new Error(`There is no Functions host at ${files.main}: run npm run build.`);
    clearTimeout(comeBack);
    ending = false;
    const started = spawn(process.execPath, ['--import', files.preload, files.main], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        TMPDIR: process.env.TMPDIR,
        ...options.environment(url),
        ESTATE_HOST_PORT: String(port),
        ESTATE_APP_ROOT: options.appRoot,
        ESTATE_STATE_DIR: options.stateDirectory,
        ESTATE_CLOCK_OFFSET_MS: String(clock.offsetMs),
        ESTATE_HOST_KEYS: JSON.stringify(options.appKeys),
      },
    });
    child = started;
    for (const stream of ['stdout', 'stderr'] as const) {
      started[stream]?.on('data', (text: Buffer) =>
        onChange({ kind: 'printed', stream, text: text.toString().trimEnd() }),
      );
    }
    started.once('exit', (code, signal) => {
      if (child === started) child = undefined;
      const wasUp = up;
      up = false;
      for (const id of [...asked.keys()]) answer(id, undefined);
      if (ending) return;
      onChange({ kind: 'down', reason: `ended with ${signal ?? `code ${code}`}` });
      // A host that never came up would fail again for the same reason: the caller of start() is told instead.
      if (wasUp) comeBackLater();
    });
    await whenReady(started);
    tell({ type: 'clock', offsetMs: clock.offsetMs });
    up = true;
    onChange({ kind: 'up', pid: started.pid ?? 0 });
  };

  const whenReady = (started: ChildProcess) =>
    new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => {
        ending = true;
        started.kill('SIGKILL');
        reject(new Error(`The Functions host was not ready within ${READY_WITHIN_MS / 1000} s.`));
      }, READY_WITHIN_MS);
      started.once('exit', (code, signal) => {
        clearTimeout(late);
        reject(new Error(`The Functions host ended with ${signal ?? `code ${code}`} before it was ready.`));
      });
      started.on('message', (message: HostMessage) => {
        if (message.type === 'log' || message.type === 'invocation') onChange({ kind: 'told', message });
        if (message.type === 'work') answer(message.id, message);
        if (message.type === 'fatal') reject(new Error(message.message));
        if (message.type !== 'ready') return;
        clearTimeout(late);
        functions = message.functions;
        backOffMs = FIRST_BACK_OFF_MS;
        resolve();
      });
    });

  const comeBackLater = () => {
    comeBack = setTimeout(() => {
      start().catch((error: unknown) => {
        onChange({ kind: 'down', reason: String(error) });
        comeBackLater();
      });
    }, backOffMs);
    backOffMs = Math.min(backOffMs * 2, LONGEST_BACK_OFF_MS);
  };

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    clearTimeout(comeBack);
    ending = true;
    up = false;
    const leaving = child;
    if (!leaving || leaving.exitCode !== null || leaving.signalCode !== null) return;
    const exited = once(leaving, 'exit');
    leaving.kill(signal);
    const insist = setTimeout(() => leaving.kill('SIGKILL'), STOP_WITHIN_MS);
    await exited;
    clearTimeout(insist);
  };

  return {
    url,
    get pid() {
      return child?.pid;
    },
    get isUp() {
      return up;
    },
    get functions() {
      return functions;
    },
    start,
    work: () =>
      new Promise((resolve) => {
        if (!up || !child?.connected) return resolve(undefined);
        questions += 1;
        asked.set(questions, resolve);
        tell({ type: 'work', id: questions });
      }),
    async kill(signal = 'SIGKILL') {
      await end(signal);
      onChange({ kind: 'down', reason: `killed with ${signal}` });
    },
    async restart() {
      await end('SIGTERM');
      await start();
    },
    async stop() {
      stopListening();
      await end('SIGTERM');
    },
  };
}

/**
 * A port that was free a moment ago; the host takes it, and takes it again after a restart. It is one of those that no system
 * gives to outgoing connections, of which one could have it while the host is down.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * PORTS);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** Linux gives from 32,768 on, others from 49,152. */
const LOWEST_PORT = 20_000;
const PORTS = 10_000;
