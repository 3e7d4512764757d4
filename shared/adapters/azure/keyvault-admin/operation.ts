import { createHttpPoller } from '@azure/core-lro';
import { RestError } from '@azure/core-rest-pipeline';
import type {
  FullOperationResponse,
  KeyVaultAdminPollOperationState,
  KeyVaultBackupPollerOptions,
  OperationStatus,
  PollerLike,
} from './models.ts';
import type { Transport } from './transport.ts';

/** The clients recorded against the service polled at about this pace; polls carry no Retry-After. */
const INTERVAL_MS = 5000;
/** Reading it only settles the token. No job has this id. */
const NO_JOB = '0'.repeat(32);

/** One kind of job: how it is started, where it is asked about, and what it leaves. */
export interface JobKind<TResult> {
  start: { method: 'POST' | 'PUT'; path: string; body: unknown };
  /** Prechecks are asked about under the same path as what they check. Source: recording of 2026-04-29. */
  statusUnder: 'backup' | 'restore';
  result(body: JobBody): TResult;
}

/** A job on the wire. Members that the job does not have yet are null. Times are Unix seconds. */
export interface JobBody {
  status?: string | null;
  statusDetails?: string | null;
  error?: { code?: string | null; message?: string | null } | null;
  startTime?: number | null;
  endTime?: number | null;
  jobId?: string | null;
  azureStorageBlobContainerUri?: string | null;
}

type State<TResult> = KeyVaultAdminPollOperationState<TResult>;

/**
 * Starts a job, once, or takes up one that `resumeFrom` names without a request. A 202 that already says `Failed` gives a
 * poller that is done.
 */
export async function beginOperation<TResult>(
  transport: Transport,
  kind: JobKind<TResult>,
  options: KeyVaultBackupPollerOptions,
): Promise<PollerLike<State<TResult>, TResult>> {
  if (options.resumeFrom !== undefined) return watch(transport, kind, resumed(options.resumeFrom), options);
  const response = await transport.sendOnce({ ...kind.start, rehearsal: statusPath(kind, NO_JOB), options });
  const body = (response.parsedBody ?? {}) as JobBody;
  return watch(transport, kind, { ...stateOf(kind, body), jobId: body.jobId ?? jobIdOf(response) }, options);
}

/** Synchronous on purpose: core-lro's poller is thenable, so that awaiting it would wait for the whole job. */
function watch<TResult>(
  transport: Transport,
  kind: JobKind<TResult>,
  from: State<TResult> & { jobId: string },
  options: KeyVaultBackupPollerOptions,
): PollerLike<State<TResult>, TResult> {
  const { jobId } = from;
  let state: State<TResult> = from;
  const listeners = new Set<(state: State<TResult>) => void>();

  const ask = async (abortSignal: KeyVaultBackupPollerOptions['abortSignal']) => {
    const path = statusPath(kind, jobId);
    const response = await transport.send({
      method: 'GET',
      path,
      options: { ...options, ...(abortSignal ? { abortSignal } : {}) },
    });
    state = { ...stateOf(kind, (response.parsedBody ?? {}) as JobBody), jobId };
    return wireResponse(response, path, state.status);
  };
  /** The job is running already, so what core-lro takes for its start is an answer from memory. */
  const loop = () =>
    createHttpPoller<TResult, { status: 'notStarted' | OperationStatus; error?: Error; result?: TResult }>(
      {
        sendInitialRequest: async () => acceptedBefore(kind, jobId),
        sendPollRequest: (_path, { abortSignal } = {}) => ask(abortSignal),
      },
      {
        intervalInMs: options.intervalInMs ?? INTERVAL_MS,
        resourceLocationConfig: 'azure-async-operation',
        skipFinalGet: true,
        processResult: async () => state.result as TResult,
        updateState(inner) {
          if (state.error) inner.error = state.error;
          for (const listener of listeners) listener(state);
        },
      },
    );

  let inner = loop();
  /** A lost or refused poll says nothing about the job, while core-lro would call it failed for ever. */
  const guarded = async <T>(act: () => Promise<T>): Promise<T> => {
    if (state.error) throw state.error;
    return act().catch((error: unknown) => {
      if (!state.isCompleted) inner = loop();
      throw error;
    });
  };

  return {
    poll: (pollOptions) =>
      guarded(async () => {
        if (!state.isCompleted) await inner.poll(pollOptions);
      }),
    pollUntilDone: (pollOptions) =>
      guarded(async () => {
        if (!state.isCompleted) await inner.pollUntilDone(pollOptions);
        return state.result as TResult;
      }),
    onProgress(callback) {
      listeners.add(callback);
      return () => listeners.delete(callback);
    },
    isDone: () => state.isCompleted === true,
    getOperationState: () => state,
    getResult: () => state.result,
    toString: () => serializedJob(jobId),
  };
}

/** What `resumeFrom` takes when only the job's id was kept. */
export const serializedJob = (jobId: string): string =>
  JSON.stringify({ state: { jobId, isStarted: true, status: 'running' } });

function resumed<TResult>(serialized: string): State<TResult> & { jobId: string } {
  const { state } = JSON.parse(serialized) as { state?: { jobId?: string } };
  if (!state?.jobId) throw new RestError('The serialized poller names no job.');
  return { jobId: state.jobId, status: 'running', isStarted: true, isCompleted: false };
}

const statusPath = (kind: Pick<JobKind<unknown>, 'statusUnder'>, jobId: string): string =>
  `/${kind.statusUnder}/${encodeURIComponent(jobId)}/pending`;

const STATUSES: Record<string, OperationStatus> = {
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'canceled',
  cancelled: 'canceled',
};

/** Reads a job, be it in a 202 or in a 200: the HTTP status alone says nothing. */
function stateOf<TResult>(kind: JobKind<TResult>, body: JobBody): State<TResult> {
  const status = STATUSES[(body.status ?? '').toLowerCase()] ?? 'running';
  return {
    status,
    isStarted: true,
    isCompleted: status !== 'running',
    ...(body.statusDetails ? { statusDetails: body.statusDetails } : {}),
    ...timesOf(body),
    ...(status === 'failed' || status === 'canceled' ? { error: failureOf(body, status) } : {}),
    ...(status === 'succeeded' ? { result: kind.result(body) } : {}),
  };
}

export const timesOf = ({ startTime, endTime }: JobBody): { startTime?: Date; endTime?: Date } => ({
  ...(startTime ? { startTime: new Date(startTime * 1000) } : {}),
  // Null while it runs; the example of the specification shows 0.
  ...(endTime ? { endTime: new Date(endTime * 1000) } : {}),
});

/** `error` may be null, or an object whose members all are: the details then say what there is to say. */
function failureOf({ error, statusDetails }: JobBody, status: string): Error {
  const message = error?.message || statusDetails || `The job ended as ${status}, without a reason.`;
  return Object.assign(new Error(message), { code: error?.code || statusDetails || status });
}

/** The id in the address, of which only the end can be relied upon: early answers lack the slash after the host. */
function jobIdOf(response: FullOperationResponse): string {
  const [, jobId] = /\/([^/?]+)\/pending/.exec(response.headers.get('azure-asyncoperation') ?? '') ?? [];
  if (jobId) return jobId;
  // Accepted, and nothing to ask about: as good as an answer that was cut off.
  throw new RestError('The HSM accepted a job and did not name it.', {
    code: RestError.PARSE_ERROR,
    statusCode: response.status,
    request: response.request,
    response,
  });
}

const acceptedBefore = (kind: JobKind<unknown>, jobId: string) => ({
  flatResponse: {},
  rawResponse: {
    statusCode: 202,
    headers: { 'azure-asyncoperation': statusPath(kind, jobId) },
    request: { method: kind.start.method, url: kind.start.path },
  },
});

/** What core-lro needs of an answer: the state as we read it, and the pace. */
function wireResponse(response: FullOperationResponse, path: string, status: OperationStatus) {
  const retryAfter = response.headers.get('retry-after');
  const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  return {
    flatResponse: {},
    rawResponse: { statusCode: response.status, headers, body: { status }, request: { method: 'GET', url: path } },
  };
}
