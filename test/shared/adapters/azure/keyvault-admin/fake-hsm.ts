import { existsSync, readFileSync } from 'node:fs';
import { type Answer, type Listener, listen, type Request } from '../../../../../infra/local/http.ts';
import type { Ground } from '../estate.ts';

/** One exchange with the real service, as the test proxy of the Azure SDKs writes it. */
export interface Entry {
  RequestUri: string;
  RequestMethod: string;
  RequestBody: unknown;
  StatusCode: number;
  ResponseHeaders: Record<string, string>;
  ResponseBody: unknown;
}

const recordings = new URL('../../../../../../shared/spec/recordings/', import.meta.url);

/** Whether the recordings lie beside this checkout; says so once when they do not. */
export function recordingsPresent(): boolean {
  const present = existsSync(recordings);
  if (!present) console.warn('Skipped: the recorded answers of a real Managed HSM are not beside this checkout.');
  return present;
}

export const loadRecording = (file: string): Entry[] =>
  (JSON.parse(readFileSync(new URL(file, recordings), 'utf8')) as { Entries: Entry[] }).Entries;

/** The path without empty segments, and without the query. */
export const pathOf = ({ RequestUri }: Entry): string => new URL(RequestUri).pathname.replace(/\/{2,}/g, '/');

export const replay = ({ StatusCode, ResponseHeaders, ResponseBody }: Entry): Answer => ({
  status: StatusCode,
  headers: Object.fromEntries(Object.entries(ResponseHeaders).filter(([name]) => name !== 'Content-Length')),
  ...(ResponseBody === null ? {} : { body: ResponseBody }),
});

/** What a Managed HSM answers to a call without a token. Source: any of the recordings. */
const challenge: Answer = {
  status: 401,
  headers: {
    'WWW-Authenticate':
      'Bearer authorization="https://login.microsoftonline.com/00000000-0000-4000-8000-00000000feed", resource="https://managedhsm.azure.net"',
  },
};

/** A Managed HSM that asks for a token, notes what arrives with one, and answers what `handle` says. */
export async function startFakeHsm(ground: Ground) {
  const seen: { method: string; path: string; query: string; body: unknown }[] = [];
  let anonymous: string[] = [];
  let handle: (request: Request) => Answer | Promise<Answer> = () => ({ status: 404 });
  const server: Listener = await listen({
    tls: ground.estate.tls,
    origin: 'https://contoso.managedhsm.azure.net',
    async handle(request) {
      const { method, path, url, body, headers } = request;
      if (!headers.authorization) {
        anonymous.push(`${method} ${path}`);
        return challenge;
      }
      const text = body.toString('utf8');
      seen.push({ method, path, query: url.search, body: text === '' ? undefined : JSON.parse(text) });
      return handle(request);
    },
  });
  return {
    uri: `https://contoso.managedhsm.azure.net:${server.port}`,
    seen,
    answer(next: typeof handle) {
      handle = next;
    },
    /** `POST /backup` and the like, of calls that carried a token. */
    calls: () => seen.map(({ method, path }) => `${method} ${path}`),
    /** Calls that came without a token since the last time this was asked. */
    takeAnonymous() {
      const found = anonymous;
      anonymous = [];
      return found;
    },
    forget: () => void seen.splice(0),
    close: () => server.close(),
  };
}

export type FakeHsm = Awaited<ReturnType<typeof startFakeHsm>>;

/** A job as the service writes it, nulls included. */
export const job = (changes: Record<string, unknown> = {}) => ({
  status: 'InProgress',
  statusDetails: null,
  error: null,
  startTime: 1777478907,
  endTime: null,
  jobId: 'e6c83ddf390c4bd8b6b882c1a8c5a754',
  azureStorageBlobContainerUri: null,
  ...changes,
});
