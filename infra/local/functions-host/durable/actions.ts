/** What an orchestrator asks for. Source: Azure/azure-functions-durable-extension, OutOfProcOrchestrationShim.cs. */
export const ActionType = {
  CallActivity: 0,
  CallActivityWithRetry: 1,
  CallSubOrchestrator: 2,
  CallSubOrchestratorWithRetry: 3,
  ContinueAsNew: 4,
  CreateTimer: 5,
  WaitForExternalEvent: 6,
  CallEntity: 7,
  CallHttp: 8,
  SignalEntity: 9,
  ScheduledSignalEntity: 10,
  WhenAny: 11,
  WhenAll: 12,
  LockEntities: 13,
  ReleaseEntities: 14,
} as const;

export interface RetryOptions {
  firstRetryIntervalInMilliseconds: number;
  maxNumberOfAttempts: number;
  backoffCoefficient?: number;
  maxRetryIntervalInMilliseconds?: number;
  retryTimeoutInMilliseconds?: number;
}

export interface Action {
  actionType: number;
  functionName?: string;
  input?: unknown;
  retryOptions?: RetryOptions;
  instanceId?: string;
  version?: string;
  fireAt?: string;
  isCanceled?: boolean;
  externalEventName?: string;
  operation?: string;
  compoundActions?: Action[];
}

/** What the orchestrator function returns, or carries in its failure. */
export interface OrchestratorState {
  isDone: boolean;
  actions: Action[][];
  schemaVersion: number;
  customStatus?: unknown;
  output?: unknown;
  error?: string;
}

const typeNames = new Map<number, string>(Object.entries(ActionType).map(([name, number]) => [number, name]));

export const actionTypeName = (type: number): string => typeNames.get(type) ?? `action type ${type}`;

/** `CallActivity 'readKey'`: how messages name an action. */
export const describeAction = (action: Action): string => {
  const name = action.functionName ?? action.externalEventName ?? action.operation ?? action.fireAt;
  return `${actionTypeName(action.actionType)}${name === undefined ? '' : ` '${name}'`}`;
};

/**
 * JSON text of an input. The library encodes a string twice for activities and continue-as-new (so a string already is
 * JSON text), and leaves it raw for sub-orchestrations and entities. Absent stays null.
 */
export const activityInput = (input: unknown): string | null => (typeof input === 'string' ? input : rawInput(input));

export const rawInput = (input: unknown): string | null => (input === undefined ? null : JSON.stringify(input));

/**
 * The first task that the orchestrator handed to two actions, found by the identity of the objects it returned.
 * The extension would run it twice and every later id would differ from JavaScript's: wrong results, or a hang.
 * Source: Azure/azure-functions-durable-js issue 574. Waits for external events take no id and may be reused.
 */
export function findRepeatedTask(returned: unknown): Action | undefined {
  const actions = (returned as { actions?: unknown } | null | undefined)?.actions;
  if (!Array.isArray(actions)) return undefined;
  const seen = new Set<Action>();
  const visit = (action: Action): Action | undefined => {
    if (action.actionType === ActionType.WaitForExternalEvent) return undefined;
    if (seen.has(action)) return action;
    seen.add(action);
    return firstDefined(action.compoundActions ?? [], visit);
  };
  return firstDefined(actions.flat() as Action[], visit);
}

function firstDefined<T, R>(items: T[], pick: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = pick(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
