import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Registry } from './core-module.ts';
import { matchFiles } from './glob.ts';
import type { Hooks } from './invocation.ts';

/** What the real worker offers. Source: azure-functions-nodejs-worker, WorkerInitHandler.ts. */
const workerCapabilities: Record<string, string> = {
  RawHttpBodyBytes: 'true',
  RpcHttpTriggerMetadataRemoved: 'true',
  RpcHttpBodyOnly: 'true',
  IgnoreEmptyValuedRpcHttpHeaders: 'true',
  UseNullableValueDictionaryForHttp: 'true',
  WorkerStatus: 'true',
  TypedDataCollection: 'true',
  HandlesWorkerTerminateMessage: 'true',
};

/**
 * Loads what `main` in the app's package.json names, then closes registration. Throws when an entry point throws, when
 * nothing matches, when nothing was registered, or when the app asks for HTTP streaming, which is left out here.
 */
export async function loadApp(appRoot: string, registry: Registry, hooks: Hooks): Promise<void> {
  const manifest = JSON.parse(readFileSync(join(appRoot, 'package.json'), 'utf8')) as { main?: string; type?: string };
  if (!manifest.main) throw new Error(`package.json in ${appRoot} names no "main".`);
  const files = matchFiles(appRoot, manifest.main);
  if (files.length === 0) throw new Error(`Found zero files matching "main": "${manifest.main}" in ${appRoot}.`);
  for (const file of files) {
    try {
      await loadFile(join(appRoot, file), manifest.type === 'module');
    } catch (error) {
      throw new Error(`Worker was unable to load entry point "${file}".`, { cause: error });
    }
  }
  await hooks.run('appStart', { hookData: {}, appHookData: hooks.appHookData });
  if (!registry.model || registry.functions.size === 0)
    throw new Error(
      'The app loaded but registered no function with the host: it registers none, or its @azure/functions was bundled ' +
        'without leaving @azure/functions-core external, or was loaded before the host.',
    );
  const capabilities = await registry.model.getCapabilities(workerCapabilities);
  if (capabilities.HttpUri) throw new Error('The app enables HTTP streaming, which the local host does not emulate.');
  registry.locked = true;
}

const loadFile = async (path: string, isModule: boolean): Promise<unknown> =>
  isModule || path.endsWith('.mjs') ? import(pathToFileURL(path).href) : createRequire(path)(path);
