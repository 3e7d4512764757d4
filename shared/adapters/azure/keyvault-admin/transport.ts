import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineFromOptions,
  createPipelineRequest,
  type HttpMethods,
  type Pipeline,
  type PipelinePolicy,
  RestError,
} from '@azure/core-rest-pipeline';
import type { TokenCredential } from '@azure/identity';
import { keyVaultAuthenticationPolicy } from '@azure/keyvault-common';
import {
  type AdminClientOptions,
  type FullOperationResponse,
  LATEST_API_VERSION,
  type OperationOptions,
} from './models.ts';

export interface Call {
  method: HttpMethods;
  /** From the root of the HSM, encoded; or a whole address of the same HSM, as a `nextLink` is. */
  path: string;
  body?: unknown;
  options?: OperationOptions | undefined;
}

/** HTTP to one HSM: JSON in and out, `api-version` added, refusals thrown as RestError. */
export interface Transport {
  send(call: Call): Promise<FullOperationResponse>;
  /**
   * Sends once, whatever comes back: no retry, no redirect, and no repeat after a 401. A replayed start is a second job.
   * `rehearsal` is a path that is read first, so that the challenge and the token are settled before anything counts.
   * Source: https://github.com/Azure/azure-cli/pull/33783
   */
  sendOnce(call: Call & { rehearsal: string }): Promise<FullOperationResponse>;
}

const keptBack = new WeakSet<Error>();

/** Whether a start failed before it was sent, so that nothing can have begun. */
export const wasKeptBack = (error: unknown): boolean => error instanceof Error && keptBack.has(error);

export function createTransport(vaultUrl: string, credential: TokenCredential, options: AdminClientOptions): Transport {
  const { serviceVersion = LATEST_API_VERSION, httpClient = createDefaultHttpClient() } = options;
  // One policy for both pipelines: what the one has learnt from its challenge, the other knows.
  const authentication = keyVaultAuthenticationPolicy(credential, {
    disableChallengeResourceVerification: options.disableChallengeResourceVerification ?? false,
  });
  const repeating = buildPipeline(options, authentication);
  const single = buildPipeline({ ...options, retryOptions: { maxRetries: 0 } }, authentication);
  single.removePolicy({ name: 'redirectPolicy' });
  single.addPolicy(withoutChallenge, { phase: 'Sign' });

  const transmit = async (pipeline: Pipeline, { method, path, body, options: callOptions = {} }: Call) => {
    const request = createPipelineRequest({
      method,
      url: addressOf(vaultUrl, path, serviceVersion),
      headers: createHttpHeaders({
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(callOptions.abortSignal ? { abortSignal: callOptions.abortSignal } : {}),
    });
    const answer = await pipeline.sendRequest(httpClient, request);
    const response: FullOperationResponse = { ...answer, parsedBody: readBody(answer) };
    callOptions.onResponse?.(response);
    if (answer.status >= 400) throw refusal(response);
    return response;
  };

  let rehearsed = false;
  const rehearse = async (path: string) => {
    await transmit(repeating, { method: 'GET', path }).catch((error: unknown) => {
      const status = error instanceof RestError ? error.statusCode : undefined;
      // Any other answer says that the token was taken; what it says of the path does not matter.
      if (status !== undefined && status !== 401 && status !== 429 && status < 500) return;
      if (error instanceof Error) keptBack.add(error);
      throw error;
    });
    rehearsed = true;
  };
  return {
    send: (call) => transmit(repeating, call),
    async sendOnce({ rehearsal, ...call }) {
      if (!rehearsed) await rehearse(rehearsal);
      return transmit(single, call).catch((error: unknown) => {
        // The token is no longer taken: the next start rehearses again, which meets the new challenge.
        if (error instanceof RestError && error.statusCode === 401) rehearsed = false;
        throw error;
      });
    },
  };
}

function buildPipeline(options: AdminClientOptions, authentication: PipelinePolicy): Pipeline {
  const pipeline = createPipelineFromOptions(options);
  pipeline.addPolicy(authentication);
  for (const { policy, position } of options.additionalPolicies ?? []) {
    // As the official clients place them: `perRetry` policies see every attempt.
    pipeline.addPolicy(policy, position === 'perRetry' ? { afterPhase: 'Retry' } : {});
  }
  return pipeline;
}

/** Hides the challenge of a 401 from the authentication policy, which would otherwise send the request again. */
const withoutChallenge: PipelinePolicy = {
  name: 'withoutChallenge',
  async sendRequest(request, next) {
    const response = await next(request);
    if (response.status === 401) response.headers.delete('www-authenticate');
    return response;
  },
};

/** Throws when a link leads to another host: our token would go with it. */
function addressOf(vaultUrl: string, path: string, apiVersion: string): string {
  const base = new URL(vaultUrl);
  const url = new URL(path, base);
  if (url.origin !== base.origin) throw new RestError(`The HSM ${base.host} answered with a link to ${url.host}.`);
  if (!url.searchParams.has('api-version')) url.searchParams.set('api-version', apiVersion);
  return url.href;
}

function readBody(answer: FullOperationResponse): unknown {
  const text = answer.bodyAsText ?? '';
  if (text === '' || answer.status >= 400) return text === '' ? undefined : parsedOrText(text);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { request, status: statusCode } = answer;
    const code = RestError.PARSE_ERROR;
    throw new RestError(`The answer is not JSON: ${String(cause)}`, { code, statusCode, request, response: answer });
  }
}

/** Refusals by gateways are HTML or empty: the status is what counts. */
function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function refusal(response: FullOperationResponse): RestError {
  const { error } = (response.parsedBody ?? {}) as { error?: { code?: string | null; message?: string | null } | null };
  return new RestError(error?.message ?? `The HSM answered ${response.status}.`, {
    ...(error?.code ? { code: error.code } : {}),
    statusCode: response.status,
    request: response.request,
    response,
  });
}
