import { type Answer, json, type Request } from '../../http.ts';
import { type ClientAddresses, managementUrls } from './client-binding.ts';
import { type InstanceFilter, type Management, ManagementError } from './management.ts';
import { type Instance, isFinal, type RuntimeStatus } from './state.ts';
import { statusJson } from './status-json.ts';

/** The durable HTTP API below one base path. Source: HttpApiHandler.cs of the extension. */
export interface DurableApi {
  /** `path` is what follows the base, without slashes at either end. */
  handle(request: Request, path: string): Promise<Answer>;
}

const PAGE_SIZE = 100;

export function createDurableApi(management: Management, addresses: ClientAddresses): DurableApi {
  return {
    async handle(request, path) {
      try {
        return await route(request, path.split('/').map(decodeURIComponent));
      } catch (error) {
        if (!(error instanceof ManagementError)) throw error;
        return { status: error.status, body: { Message: error.message } };
      }
    },
  };

  async function route(request: Request, parts: string[]): Promise<Answer> {
    const [collection, first = '', second = '', third = ''] = parts;
    const called = `${request.method} ${collection}`;
    if (called === 'POST orchestrators') return startInstance(request, first, second);
    if (called === 'GET instances') return first ? showInstance(request, first) : listInstances(request);
    if (called === 'DELETE instances') return first ? purgeOne(first) : purgeMany(request);
    if (called === 'POST instances') return actOnInstance(request, first, second, third);
    if (called === 'GET entities') return readEntity(first, second);
    if (called === 'POST entities') return signalEntity(request, first, second);
    if (called === 'POST makeprimary') return { status: 200 };
    return { status: 404 };
  }

  async function startInstance(request: Request, name: string, instanceId: string): Promise<Answer> {
    const query = request.url.searchParams;
    const input = request.body.length === 0 ? null : JSON.stringify(jsonBody(request));
    const id = management.start(name, instanceId || undefined, input, query.get('version') ?? undefined);
    const timeout = Number(query.get('timeout') ?? 0);
    if (timeout > 0) {
      const ended = await waitUntilEnded(id, timeout, Number(query.get('pollingInterval') ?? 1));
      if (ended?.status === 'Completed')
        return { status: 200, body: JSON.stringify(outputOf(ended)), headers: jsonType };
      if (ended) return { status: ended.status === 'Failed' ? 500 : 200, body: show(ended, query) };
    }
    return checkStatus(id);
  }

  async function waitUntilEnded(id: string, timeoutSeconds: number, intervalSeconds: number) {
    const deadline = performance.now() + timeoutSeconds * 1000;
    while (performance.now() < deadline) {
      const instance = management.find(id);
      if (instance && isFinal(instance.status)) return instance;
      await new Promise((resolve) => setTimeout(resolve, Math.max(intervalSeconds * 1000, 10)));
    }
    return undefined;
  }

  function checkStatus(id: string): Answer {
    const urls = managementUrls(addresses, id);
    return { status: 202, headers: { location: urls.statusQueryGetUri ?? '', 'retry-after': '10' }, body: urls };
  }

  function showInstance(request: Request, id: string): Answer {
    const query = request.url.searchParams;
    const instance = management.find(id);
    if (!instance) return { status: 404 };
    const body = show(instance, query);
    if (!isFinal(instance.status))
      return {
        status: 202,
        headers: { location: managementUrls(addresses, id).statusQueryGetUri ?? '', 'retry-after': '5' },
        body,
      };
    const asError = instance.status === 'Failed' && flag(query, 'returnInternalServerErrorOnFailure', false);
    return { status: asError ? 500 : 200, body };
  }

  function listInstances(request: Request): Answer {
    const query = request.url.searchParams;
    const found = management.list(filterOf(query));
    const from = continuationOf(request.headers['x-ms-continuation-token']);
    const size = Number(query.get('top')) || PAGE_SIZE;
    const page = found.slice(from, from + size);
    const more = from + size < found.length;
    return {
      status: 200,
      headers: more ? { 'x-ms-continuation-token': Buffer.from(String(from + size)).toString('base64') } : {},
      body: page.map((instance) => statusJson(instance, { ...displayOf(query), showHistory: false })),
    };
  }

  function purgeOne(id: string): Answer {
    const instance = management.find(id);
    const deleted = instance ? management.purge([instance]) : 0;
    return deleted === 0 ? { status: 404 } : { status: 200, body: { instancesDeleted: deleted } };
  }

  function purgeMany(request: Request): Answer {
    const filter = filterOf(request.url.searchParams);
    if (!filter.createdFrom) throw new ManagementError(400, "Please provide value for 'createdTimeFrom' parameter.");
    const deleted = management.purge(management.list(filter));
    return deleted === 0 ? { status: 404 } : { status: 200, body: { instancesDeleted: deleted } };
  }

  function actOnInstance(request: Request, id: string, operation: string, name: string): Answer {
    const reason = request.url.searchParams.get('reason') ?? '';
    switch (operation) {
      case 'raiseEvent':
        if (!request.headers['content-type']?.startsWith('application/json'))
          throw new ManagementError(400, 'Only application/json request content is supported');
        management.raiseEvent(id, name, JSON.stringify(jsonBody(request)));
        return { status: 202 };
      case 'terminate':
        management.terminate(id, reason);
        return { status: 202 };
      case 'suspend':
        management.suspend(id, reason);
        return { status: 202 };
      case 'resume':
        management.resume(id, reason);
        return { status: 202 };
      case 'restart': {
        const newId = flag(request.url.searchParams, 'restartWithNewInstanceId', true);
        return checkStatus(management.restart(id, newId));
      }
      case 'rewind':
        // The client library knows 501 as "not supported by the storage provider".
        throw new ManagementError(501, 'Rewind is not emulated by the local durable engine.');
      default:
        return { status: 404 };
    }
  }

  function readEntity(name: string, key: string): Answer {
    const state = key ? management.readEntity(name, key) : undefined;
    return state === undefined ? { status: 404 } : { status: 200, headers: jsonType, body: state };
  }

  function signalEntity(request: Request, name: string, key: string): Answer {
    const input = request.body.length === 0 ? null : JSON.stringify(jsonBody(request));
    management.signalEntity(name, key, request.url.searchParams.get('op') ?? '', input);
    return { status: 202 };
  }
}

const jsonType = { 'content-type': 'application/json; charset=utf-8' };

const outputOf = (instance: Instance): unknown => (instance.output === null ? null : JSON.parse(instance.output));

const show = (instance: Instance, query: URLSearchParams) => statusJson(instance, displayOf(query));

const displayOf = (query: URLSearchParams) => ({
  showInput: flag(query, 'showInput', true),
  showHistory: flag(query, 'showHistory', false),
  showHistoryOutput: flag(query, 'showHistoryOutput', false),
});

const flag = (query: URLSearchParams, name: string, otherwise: boolean): boolean => {
  const value = query.get(name);
  return value === null ? otherwise : value.toLowerCase() === 'true';
};

const continuationOf = (token: string | string[] | undefined): number =>
  typeof token === 'string' && token !== 'null' ? Number(Buffer.from(token, 'base64').toString()) || 0 : 0;

function filterOf(query: URLSearchParams): InstanceFilter {
  const createdFrom = instant(query, 'createdTimeFrom');
  const createdTo = instant(query, 'createdTimeTo');
  const prefix = query.get('instanceIdPrefix');
  const statuses = query.get('runtimeStatus')?.split(',').filter(Boolean) as RuntimeStatus[] | undefined;
  return {
    ...(createdFrom ? { createdFrom } : {}),
    ...(createdTo ? { createdTo } : {}),
    ...(prefix ? { instanceIdPrefix: prefix } : {}),
    ...(statuses ? { statuses } : {}),
  };
}

function instant(query: URLSearchParams, name: string): Date | undefined {
  const text = query.get(name);
  if (!text) return undefined;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw new ManagementError(400, `'${name}' is not an instant: ${text}`);
  return at;
}

function jsonBody(request: Request): unknown {
  try {
    const value = json(request);
    if (value === undefined) throw new SyntaxError('the body is empty');
    return value;
  } catch (error) {
    throw new ManagementError(400, `The request body is not valid JSON: ${String(error)}`);
  }
}
