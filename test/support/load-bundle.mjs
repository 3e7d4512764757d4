// Loads an app as the worker does, and then further modules of it: `node load-bundle.mjs MAIN [MODULE...]`. Prints what was
// registered, in how many milliseconds it was loaded, and which modules could not be. Plain JavaScript, because it runs as it
// stands in a process of its own.
import Module from 'node:module';
import { pathToFileURL } from 'node:url';

const [, , main, ...further] = process.argv;
const functions = [];
const nothing = () => undefined;
const disposable = { dispose: nothing };
const core = {
  version: '3.14.1',
  hostVersion: '4.1052.200',
  Disposable: class {
    dispose = nothing;
  },
  setProgrammingModel: nothing,
  getProgrammingModel: nothing,
  registerFunction({ name }) {
    functions.push(name);
    return disposable;
  },
  registerHook: () => disposable,
  log: nothing,
};
const original = Module.prototype.require;
Module.prototype.require = function (id) {
  return id === '@azure/functions-core' ? core : original.call(this, id);
};

const startedAt = performance.now();
const used = process.cpuUsage();
await import(pathToFileURL(main).href);
const ms = performance.now() - startedAt;
const { user, system } = process.cpuUsage(used);
const processorMs = (user + system) / 1000;

const failed = [];
for (const path of further) {
  try {
    await import(pathToFileURL(path).href);
  } catch (error) {
    failed.push(`${path}: ${error}`);
  }
}
console.log(JSON.stringify({ ms, processorMs, functions, failed }));
