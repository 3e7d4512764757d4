import type { HttpMethods, Pipeline } from '@azure/core-rest-pipeline';
import { hasCode } from '../../errors.ts';
import { once } from '../once.ts';
import { classifyFailure } from './classify-failure.ts';
import type { Identity } from './credentials.ts';
import { REPEATING, REQUEST_MS } from './hsm-client.ts';

export interface ArmOptions {
  /** Azure Resource Manager, without a slash at the end. */
  armUrl: string;
  /** Whom tokens are for: another one in each cloud. */
  audience: string;
  identity: Identity;
  requestMs?: number;
}

/**
 * Requests to Azure Resource Manager, acting as one identity. Every request may be repeated: writes are PUT, PATCH or DELETE of
 * a whole. `role` is the Azure role that a denial names.
 */
export function createArm({ armUrl, audience, identity, requestMs = REQUEST_MS }: ArmOptions, role: string) {
  const connection = once(() => connect(identity, `${audience}/.default`));

  /** `act` completes "Could not …"; `path` is a resource id, or a whole address of the same service. */
  const send = async (
    act: string,
    method: HttpMethods,
    path: string,
    version: string,
    body?: unknown,
  ): Promise<unknown> => {
    try {
      const { rest, pipeline, client } = await connection();
      const url = path.startsWith('https://') ? path : `${armUrl}${path}?api-version=${version}`;
      const request = rest.createPipelineRequest({
        ...{ url, method, timeout: requestMs },
        headers: rest.createHttpHeaders({ accept: 'application/json', 'content-type': 'application/json' }),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const response = await pipeline.sendRequest(client, request);
      const parsed = parse(response.bodyAsText);
      if (response.status < 400) return parsed;
      const { code, message } = (parsed as { error?: { code?: string; message?: string } } | undefined)?.error ?? {};
      throw new rest.RestError(message ?? `Azure Resource Manager answered ${response.status}.`, {
        ...{ statusCode: response.status, request, response },
        ...(code === undefined ? {} : { code }),
      });
    } catch (error) {
      throw classifyFailure(error, { act, identity, role });
    }
  };

  return {
    send,
    /** Undefined when there is nothing at the path. */
    sendIfThere: (...call: Parameters<typeof send>): Promise<unknown> =>
      send(...call).catch((error: unknown) => {
        if (hasCode(error, 'ERR_NOT_FOUND')) return undefined;
        throw error;
      }),
  };
}

async function connect(identity: Identity, scopes: string) {
  const [rest, credential] = await Promise.all([import('@azure/core-rest-pipeline'), identity.credential()]);
  const pipeline: Pipeline = rest.createPipelineFromOptions({ retryOptions: { ...REPEATING } });
  pipeline.addPolicy(rest.bearerTokenAuthenticationPolicy({ credential, scopes }));
  return { rest, pipeline, client: rest.createDefaultHttpClient() };
}

function parse(text: string | null | undefined): unknown {
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // A gateway's page: the status says what there is to say.
    return undefined;
  }
}
