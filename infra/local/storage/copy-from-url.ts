import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { StorageRefusal } from './refusal.ts';
import type { Upstream, UpstreamCall } from './upstream.ts';

const SOURCE_CONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'] as const;
const PROPERTIES = [
  'content-type',
  'content-encoding',
  'content-language',
  'content-disposition',
  'cache-control',
] as const;

/**
 * Turns Put Blob From URL and Put Block From URL, which Azurite lacks, into their plain forms: the source is read with the
 * authorization that the request carries for it, and streamed on. Throws StorageRefusal when the source cannot be read.
 */
export async function withCopiedBody(
  call: { method: string; path: string; headers: IncomingHttpHeaders },
  upstream: Upstream,
  kind: 'blob' | 'block',
): Promise<UpstreamCall> {
  const source = await openSource(call.headers, upstream);
  const headers = {
    ...plainHeaders(call.headers),
    ...(kind === 'blob' ? inherited(call.headers, source.headers) : {}),
  };
  const md5 = call.headers['x-ms-source-content-md5'];
  return {
    ...call,
    headers: {
      ...headers,
      'content-length': source.headers['content-length'] ?? '0',
      ...(md5 === undefined ? {} : { 'content-md5': String(md5) }),
    },
    body: source,
  };
}

async function openSource(headers: IncomingHttpHeaders, upstream: Upstream): Promise<IncomingMessage> {
  const address = String(headers['x-ms-copy-source']);
  if (!URL.canParse(address)) {
    throw new StorageRefusal(400, 'InvalidHeaderValue', 'x-ms-copy-source is not an address.');
  }
  const url = new URL(address);
  if (url.protocol !== 'https:' || !['localhost', '127.0.0.1'].includes(url.hostname)) {
    throw new StorageRefusal(
      404,
      'CannotVerifyCopySource',
      `The estate copies from its own accounts, not from ${url.host}.`,
    );
  }
  const wanted: Record<string, string> = { 'x-ms-version': String(headers['x-ms-version'] ?? '2025-11-05') };
  const authorization = headers['x-ms-copy-source-authorization'];
  if (authorization !== undefined) wanted.authorization = String(authorization);
  const range = headers['x-ms-source-range'];
  if (range !== undefined) wanted['x-ms-range'] = String(range);
  for (const condition of SOURCE_CONDITIONS) {
    const value = headers[`x-ms-source-${condition}`];
    if (value !== undefined) wanted[condition] = String(value);
  }
  const source = await upstream.fetch(url, wanted).catch((error: Error) => {
    throw new StorageRefusal(404, 'CannotVerifyCopySource', `The copy source did not answer: ${error.message}`);
  });
  const status = source.statusCode ?? 502;
  if (status < 300) return source;
  source.resume();
  if (status === 304 || status === 412) {
    const message = 'The source condition specified using HTTP conditional header(s) is not met.';
    throw new StorageRefusal(412, 'SourceConditionNotMet', message);
  }
  throw new StorageRefusal(status, 'CannotVerifyCopySource', `The copy source answered ${status}.`);
}

/** The request without what speaks of the source. */
const plainHeaders = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !/^x-ms-(copy-source|source-)/.test(name))
      .map(([name, value]) => [name, String(value)]),
  );

/** A copy takes over properties and metadata that the request does not set. */
function inherited(headers: IncomingHttpHeaders, source: IncomingHttpHeaders): Record<string, string> {
  const given: Record<string, string> = { 'x-ms-blob-type': 'BlockBlob' };
  if (headers['x-ms-copy-source-blob-properties'] !== 'false') {
    for (const name of PROPERTIES) {
      const value = source[name];
      if (value !== undefined && headers[`x-ms-blob-${name}`] === undefined) given[`x-ms-blob-${name}`] = String(value);
    }
  }
  const isMetadata = (name: string) => name.startsWith('x-ms-meta-');
  if (!Object.keys(headers).some(isMetadata)) {
    for (const [name, value] of Object.entries(source)) if (isMetadata(name)) given[name] = String(value);
  }
  return given;
}
