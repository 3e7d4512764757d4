import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tls } from '../estate.ts';
import { azuriteAccounts } from './accounts.ts';
import type { Azurite } from './azurite.ts';

const LISTENING = /Azurite (Blob|Queue) service is successfully listening at https:\/\/127\.0\.0\.1:(\d+)/g;

/**
 * Azurite through its command line, for the day its internals change. It keeps real time, so a moved clock makes it refuse
 * tokens: run the estate without moving the clock until startAzurite works again.
 */
export async function startAzuriteChild(options: { tls: Tls; directory?: string }): Promise<Azurite> {
  const scratch = await mkdtemp(join(tmpdir(), 'estate-azurite-'));
  const files = { cert: join(scratch, 'server.pem'), key: join(scratch, 'server.key') };
  await Promise.all([writeFile(files.cert, options.tls.cert), writeFile(files.key, options.tls.key, { mode: 0o600 })]);
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js');
  const child = spawn(
    process.execPath,
    [
      program,
      ...['--blobPort', '0', '--queuePort', '0', '--tablePort', '0'],
      ...['--cert', files.cert, '--key', files.key, '--oauth', 'basic', '--skipApiVersionCheck', '--disableTelemetry'],
      ...(options.directory === undefined ? ['--inMemoryPersistence'] : ['--location', options.directory]),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, AZURITE_ACCOUNTS: azuriteAccounts() } },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const endWithParent = () => void child.kill('SIGKILL');
  process.once('exit', endWithParent);
  const ports = await new Promise<Map<string, number>>((resolve, reject) => {
    let output = '';
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`Azurite ended with code ${code}: ${output}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      const found = new Map([...output.matchAll(LISTENING)].map((match) => [match[1] ?? '', Number(match[2])]));
      if (found.has('Blob') && found.has('Queue')) resolve(found);
    });
  });
  return {
    blobPort: ports.get('Blob') ?? 0,
    queuePort: ports.get('Queue') ?? 0,
    async stop() {
      process.off('exit', endWithParent);
      child.kill('SIGTERM');
      await exited;
      await rm(scratch, { recursive: true, force: true });
    },
  };
}
