import Module from 'node:module';

/** A value between host and worker: the first defined field counts. Source: azure-functions-language-worker-protobuf. */
export interface TypedData {
  string?: string;
  json?: string;
  bytes?: Uint8Array;
  int?: number;
  double?: number;
  http?: HttpData;
}

export interface HttpData {
  method?: string;
  url?: string;
  statusCode?: string;
  headers?: Record<string, string>;
  nullableHeaders?: Record<string, { value: string }>;
  nullableParams?: Record<string, { value: string }>;
  nullableQuery?: Record<string, { value: string }>;
  cookies?: Cookie[];
  body?: TypedData | null;
}

export interface Cookie {
  name: string;
  value: string;
  domain?: { value: string };
  path?: { value: string };
  expires?: { value: { seconds: number } };
  secure?: { value: boolean };
  httpOnly?: { value: boolean };
  sameSite?: string;
  maxAge?: { value: number };
}

export interface Binding {
  type: string;
  direction: string;
  name?: string;
  [option: string]: unknown;
}

export interface Duration {
  seconds?: number;
}

export interface FunctionMetadata {
  name: string;
  functionId?: string;
  bindings: Record<string, Binding>;
  retryOptions?: {
    retryStrategy?: string;
    maxRetryCount?: number;
    delayInterval?: Duration;
    minimumInterval?: Duration;
    maximumInterval?: Duration;
  };
}

export interface RegisteredFunction {
  metadata: FunctionMetadata;
  callback: (...inputs: unknown[]) => unknown;
}

export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: unknown): Promise<unknown>;
  getResponse(
    context: unknown,
    result: unknown,
  ): Promise<{ returnValue?: TypedData | null; outputData?: { name: string; data: TypedData }[] }>;
}

export interface ProgrammingModel {
  name: string;
  version: string;
  getInvocationModel(context: unknown): InvocationModel | Promise<InvocationModel>;
  getCapabilities(offered: Record<string, string>): Record<string, string> | Promise<Record<string, string>>;
}

export const hookNames = ['appStart', 'appTerminate', 'preInvocation', 'postInvocation', 'log'] as const;
export type HookName = (typeof hookNames)[number];
export type HookContext = Record<string, unknown>;
export type Hook = (context: HookContext) => unknown;

export interface Registry {
  functions: Map<string, RegisteredFunction>;
  hooks: Record<HookName, Hook[]>;
  model: ProgrammingModel | undefined;
  /** Set after loading; from then on nothing may be registered. */
  locked: boolean;
}

export type WorkerLog = (level: string, category: string, message: string) => void;

/** The class that registrations return. */
class Disposable {
  readonly #act: (() => void) | undefined;

  constructor(act?: () => void) {
    this.#act = act;
  }

  static from(...items: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const item of items) item.dispose();
    });
  }

  dispose(): void {
    this.#act?.();
  }
}

/** What `require('@azure/functions-core')` gives inside the Functions worker, and the registry behind it. */
export function createCoreModule(log: WorkerLog): { core: object; registry: Registry } {
  const registry: Registry = {
    functions: new Map(),
    hooks: { appStart: [], appTerminate: [], preInvocation: [], postInvocation: [], log: [] },
    model: undefined,
    locked: false,
  };
  const refuseWhenLocked = (what: string): void => {
    if (registry.locked) throw systemError(new Error(`${what} after the app has finished loading.`));
  };
  const core = {
    version: '3.14.1',
    hostVersion: '4.1052.200',
    Disposable,
    log,
    setProgrammingModel(model: ProgrammingModel) {
      refuseWhenLocked('A programming model was set');
      registry.model = model;
    },
    getProgrammingModel: () => registry.model,
    registerFunction(metadata: FunctionMetadata, callback: RegisteredFunction['callback']) {
      refuseWhenLocked(`Function "${metadata.name}" was registered`);
      const id = metadata.functionId ?? metadata.name;
      if (registry.functions.has(id))
        throw systemError(new Error(`A function with id "${id}" has already been registered.`));
      registry.functions.set(id, { metadata, callback });
      return new Disposable(() => {
        refuseWhenLocked(`Function "${metadata.name}" was disposed`);
        registry.functions.delete(id);
      });
    },
    registerHook(name: string, hook: Hook) {
      const hooks = (registry.hooks as Record<string, Hook[] | undefined>)[name];
      if (!hooks) throw systemError(new RangeError(`Unrecognized hook "${name}"`));
      hooks.push(hook);
      return new Disposable(() => {
        const index = hooks.indexOf(hook);
        if (index >= 0) hooks.splice(index, 1);
      });
    },
  };
  return { core, registry };
}

const systemError = <E extends Error>(error: E): E => Object.assign(error, { isAzureFunctionsSystemError: true });

/**
 * Answers `require('@azure/functions-core')` as the worker does. The library asks once and remembers a failure, so this
 * must come before the app is loaded. Source: azure-functions-nodejs-worker, src/setupCoreModule.ts.
 */
export function injectCoreModule(core: object): void {
  Module.prototype.require = new Proxy(Module.prototype.require, {
    apply: (original, self, args: [string]) =>
      args[0] === '@azure/functions-core' ? core : Reflect.apply(original, self, args),
  });
}
