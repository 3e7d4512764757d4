import { randomBytes, randomUUID } from 'node:crypto';
import type { Binding, HookContext, HookName, Registry, TypedData } from './core-module.ts';
import type { Report } from './report.ts';

/** What a trigger gives to one run of a function. */
export interface Trigger {
  /** For the record: `http`, `timer`, `eventGrid`, `queue`, `orchestration`, `activity`, `entity`. */
  kind: string;
  instanceId?: string;
  data: TypedData;
  metadata: Record<string, TypedData>;
  retry?: { retryCount: number; maxRetryCount: number; exception?: { message: string } };
}

export interface Outcome {
  returnValue: TypedData | null | undefined;
  /** What the handler returned, before it became JSON. */
  result: unknown;
}

/** Runs one function once. Rejects with what the handler threw. */
export type Invoke = (name: string, trigger: Trigger) => Promise<Outcome>;

/** setTimeout overflows above 2^31 - 1 ms. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** What an error says, whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

export interface Hooks {
  run(name: HookName, context: HookContext): Promise<void>;
  appHookData: Record<string, unknown>;
}

export function createHooks(registry: Registry): Hooks {
  return {
    appHookData: {},
    async run(name, context) {
      for (const hook of [...registry.hooks[name]]) await hook(context);
    },
  };
}

/** The worker's order of steps for one invocation. Source: azure-functions-nodejs-worker, InvocationHandler.ts. */
export function createInvoke(options: {
  registry: Registry;
  hooks: Hooks;
  report: Report;
  /** JSON of the durable client binding. */
  durableClient(): string;
  /** Longest run of any function; Infinity for none. On Azure the worker is restarted, here the invocation fails. */
  timeoutMs: number;
}): Invoke {
  const { registry, hooks, report } = options;
  return async (name, trigger) => {
    const found = registry.functions.get(name);
    if (!found || !registry.model) throw new Error(`Function '${name}' is not registered.`);
    const { metadata, callback } = found;
    const invocationId = randomUUID();
    const log = createInvocationLog(name, invocationId, registry, hooks, report);
    const coreContext = {
      invocationId,
      metadata,
      state: undefined as string | undefined,
      request: {
        invocationId,
        functionId: metadata.functionId ?? name,
        inputData: inputData(metadata.bindings, trigger.data, options.durableClient),
        triggerMetadata: trigger.metadata,
        traceContext: {
          traceParent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
          traceState: '',
          attributes: {},
        },
        ...(trigger.retry ? { retryContext: trigger.retry } : {}),
      },
      log: log.write,
    };
    const run = async (): Promise<Outcome> => {
      const model = await registry.model?.getInvocationModel(coreContext);
      if (!model) throw new Error('The app set no programming model.');
      const { context, inputs } = await model.getArguments();
      log.contextIs(context);
      const hookData = {};
      const before = {
        hookData,
        appHookData: hooks.appHookData,
        invocationContext: context,
        functionCallback: callback,
        inputs,
      };
      coreContext.state = 'preInvocationHooks';
      await hooks.run('preInvocation', before);
      const after: HookContext = { ...before, inputs: before.inputs, result: null, error: null };
      coreContext.state = 'invocation';
      try {
        after.result = await model.invokeFunction(context, before.inputs, before.functionCallback);
      } catch (error) {
        after.error = error;
      }
      coreContext.state = 'postInvocationHooks';
      await hooks.run('postInvocation', after);
      coreContext.state = undefined;
      if (after.error) throw after.error;
      const response = await model.getResponse(context, after.result);
      return { returnValue: response.returnValue, result: after.result };
    };
    try {
      return await report.invocation(name, trigger, () => withinTime(run(), name, options.timeoutMs));
    } catch (error) {
      // A failing orchestrator rejects with its whole state: the engine reports that one in words.
      if (trigger.kind !== 'orchestration')
        report.log('error', 'Host.Results', `Executed 'Functions.${name}' (Failed): ${stackOf(error)}`, {
          functionName: name,
          invocationId,
        });
      throw error;
    }
  };
}

async function withinTime<T>(run: Promise<T>, name: string, timeoutMs: number): Promise<T> {
  if (!Number.isFinite(timeoutMs)) return run;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `Timeout value of ${timeoutMs} ms exceeded by function: ${name}`;
    timer = setTimeout(() => reject(new Error(text)), Math.min(timeoutMs, LONGEST_TIMEOUT_MS)).unref();
  });
  return Promise.race([run, late]).finally(() => clearTimeout(timer));
}

function inputData(
  bindings: Record<string, Binding>,
  data: TypedData,
  durableClient: () => string,
): { name: string; data: TypedData }[] {
  const given: { name: string; data: TypedData }[] = [];
  for (const [name, binding] of Object.entries(bindings)) {
    const type = binding.type.toLowerCase();
    if (type.endsWith('trigger')) given.unshift({ name, data });
    else if (type === 'durableclient' || type === 'orchestrationclient')
      given.push({ name, data: { string: durableClient() } });
  }
  return given;
}

/** Log hooks may change a line (redact it) before it leaves; they are synchronous, as in the worker. */
function createInvocationLog(name: string, invocationId: string, registry: Registry, hooks: Hooks, report: Report) {
  let invocationContext: unknown;
  return {
    contextIs(context: unknown) {
      invocationContext = context;
    },
    write(level: string, category: string, message: string) {
      const line: HookContext = {
        hookData: {},
        appHookData: hooks.appHookData,
        level,
        message,
        category,
        invocationContext,
      };
      for (const hook of registry.hooks.log) hook(line);
      report.log(String(line.level), String(line.category), String(line.message), { functionName: name, invocationId });
    },
  };
}
