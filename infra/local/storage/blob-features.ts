import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { withCopiedBody } from './copy-from-url.ts';
import type { BlobPolicy, Immutability } from './immutability.ts';
import type { OwnAnswer, Passage } from './proxy.ts';
import { StorageRefusal } from './refusal.ts';
import type { Upstream, UpstreamCall } from './upstream.ts';
import { ADDED_TO_LISTS, extendList, versionOf } from './versions.ts';

/** What stands in front of Azurite for one account: immutability, version ids, copies from a URL. */
export interface BlobFeatures {
  /** Answers without Azurite, or undefined. Throws StorageRefusal. */
  answer(passage: Passage, upstream: Upstream): Promise<OwnAnswer | undefined>;
  /** The request for Azurite. Throws StorageRefusal. */
  outgoing(passage: Passage, upstream: Upstream): Promise<UpstreamCall>;
  /** Takes note of Azurite's answer; gives another in its place where its body has to change. */
  incoming(passage: Passage, reply: IncomingMessage): Promise<OwnAnswer | undefined>;
  /** Headers on top of Azurite's. */
  added(passage: Passage, reply: IncomingMessage): Record<string, string>;
}

/** Operations that change or remove what a blob holds. Leases, tiers, tags and snapshots do not. */
const CHANGES = new Set([
  ...['BlobPut', 'BlobPutFromUrl', 'BlobCopy', 'BlockListPut', 'BlobDelete'],
  ...['BlobSetMetadata', 'BlobSetProperties', 'AppendBlock', 'BlobSetPage'],
]);
const WRITES = new Set(['BlobPut', 'BlobPutFromUrl', 'BlockListPut']);
const READS = new Set(['BlobGet', 'BlobGetProperties']);

const UNTIL = 'x-ms-immutability-policy-until-date';
const MODE = 'x-ms-immutability-policy-mode';
const HOLD = 'x-ms-legal-hold';

export function createBlobFeatures(options: {
  immutability: Immutability;
  /** A storage token of the estate's own, to look at blobs. */
  token(): Promise<string>;
}): BlobFeatures {
  const { immutability } = options;

  const look = async ({ url }: Passage, upstream: Upstream): Promise<IncomingHttpHeaders | undefined> => {
    const reply = await upstream.send({
      method: 'HEAD',
      path: url.pathname,
      headers: { authorization: `Bearer ${await options.token()}`, 'x-ms-version': '2025-11-05' },
    });
    reply.resume();
    return reply.statusCode === 200 ? reply.headers : undefined;
  };
  const demandBlob = async (passage: Passage, upstream: Upstream): Promise<void> => {
    const found = await look(passage, upstream);
    const version = passage.url.searchParams.get('versionid');
    if (found && (version === null || version === versionOf(found))) return;
    throw new StorageRefusal(404, 'BlobNotFound', 'The specified blob does not exist.');
  };
  const policyAnswer = (policy: BlobPolicy): OwnAnswer => ({
    status: 200,
    headers: { 'x-ms-request-id': randomUUID(), 'x-ms-version': '2025-11-05', ...policyHeaders(policy) },
  });

  return {
    async answer(passage, upstream) {
      const { operation, container, blob, headers } = passage;
      const text = (name: string) => headers[name]?.toString();
      switch (operation) {
        case 'BlobSetImmutabilityPolicies':
          await demandBlob(passage, upstream);
          return policyAnswer(immutability.setPolicy(container, blob, { until: text(UNTIL), mode: text(MODE) }));
        case 'BlobDeleteImmutabilityPolicies':
          await demandBlob(passage, upstream);
          immutability.deletePolicy(container, blob);
          return policyAnswer({});
        case 'BlobSetLegalhold':
          await demandBlob(passage, upstream);
          immutability.setLegalHold(container, blob, text(HOLD) === 'true');
          return policyAnswer({ legalHold: text(HOLD) === 'true' });
        case 'ContainerDelete':
          if (!immutability.protects(container)) return undefined;
          // That it is refused is documented; the code was not found.
          throw new StorageRefusal(409, 'ContainerProtectedFromDeletion', 'The container holds immutable blobs.');
        case 'ServiceBatch':
        case 'ContainerSetBatch':
        case 'ContainerGetBatch':
          if (!immutability.protects()) return undefined;
          throw new StorageRefusal(501, 'NotImplemented', 'The estate takes no batches where blobs are immutable.');
        default:
          return undefined;
      }
    },

    async outgoing(passage, upstream) {
      const { operation, container, blob, headers, url } = passage;
      const { method, body } = passage.call;
      if (CHANGES.has(operation)) {
        await immutability.demandMutable(container, blob, async () => {
          const created = (await look(passage, upstream))?.['x-ms-creation-time'];
          return created === undefined ? undefined : new Date(String(created));
        });
      }
      const path = await pathFor(passage, async () => demandBlob(passage, upstream));
      const call = { method, path, headers: withoutPolicy(headers) };
      if (operation === 'BlobPutFromUrl') return withCopiedBody(call, upstream, 'blob');
      if (operation === 'BlockPutFromUrl') return withCopiedBody(call, upstream, 'block');
      if (url.searchParams.get('comp') === 'list') delete call.headers['accept-encoding'];
      return { ...call, ...(body ? { body } : {}) };
    },

    async incoming({ operation, container, blob, headers, url }, reply) {
      const succeeded = (reply.statusCode ?? 500) < 300;
      if (succeeded && operation === 'BlobDelete' && !url.searchParams.has('snapshot')) {
        immutability.forget(container, blob);
      }
      if (succeeded && WRITES.has(operation)) {
        immutability.forget(container, blob);
        const [until, mode] = [headers[UNTIL]?.toString(), headers[MODE]?.toString()];
        if (until !== undefined) immutability.setPolicy(container, blob, { until, mode });
        if (headers[HOLD] === 'true') immutability.setLegalHold(container, blob, true);
      }
      const asked = includes(url);
      if (!succeeded || operation !== 'BlobList' || !ADDED_TO_LISTS.some((one) => asked.has(one))) return undefined;
      const chunks: Buffer[] = [];
      for await (const chunk of reply) chunks.push(chunk as Buffer);
      const body = extendList(Buffer.concat(chunks).toString('utf8'), asked, (name) =>
        immutability.blob(container, name),
      );
      const { 'content-length': _length, 'transfer-encoding': _encoding, ...kept } = reply.headers;
      return { status: reply.statusCode ?? 200, headers: kept as Record<string, string>, body };
    },

    added({ operation, container, blob }, reply): Record<string, string> {
      if ((reply.statusCode ?? 500) >= 300) return {};
      if (operation === 'ContainerGetProperties') {
        const { retentionDays, legalHold, versionLevel } = immutability.container(container);
        return {
          'x-ms-has-immutability-policy': String(retentionDays !== undefined),
          'x-ms-has-legal-hold': String(legalHold ?? false),
          'x-ms-immutable-storage-with-versioning-enabled': String(versionLevel ?? false),
        };
      }
      const version = WRITES.has(operation) || READS.has(operation) ? versionOf(reply.headers) : undefined;
      const isRead = READS.has(operation);
      return {
        ...(version === undefined ? {} : { 'x-ms-version-id': version }),
        ...(isRead && version !== undefined ? { 'x-ms-is-current-version': 'true' } : {}),
        ...(isRead ? policyHeaders(immutability.blob(container, blob)) : {}),
      };
    },
  };
}

function policyHeaders({ until, mode, legalHold }: BlobPolicy): Record<string, string> {
  return {
    ...(until === undefined ? {} : { [UNTIL]: new Date(until).toUTCString() }),
    ...(mode === undefined ? {} : { [MODE]: mode.toLowerCase() }),
    ...(legalHold === undefined ? {} : { [HOLD]: String(legalHold) }),
  };
}

const includes = (url: URL): Set<string> => new Set((url.searchParams.get('include') ?? '').split(','));

/** Azurite gets neither a version nor parts of a listing that it does not know. A version that is not there is refused. */
async function pathFor({ url, call }: Passage, demandVersion: () => Promise<void>): Promise<string> {
  const asked = includes(url);
  const foreign = ADDED_TO_LISTS.some((one) => asked.has(one));
  if (!url.searchParams.has('versionid') && !foreign) return call.path;
  if (url.searchParams.has('versionid')) await demandVersion();
  const plain = new URL(url);
  plain.searchParams.delete('versionid');
  for (const one of ADDED_TO_LISTS) asked.delete(one);
  if (foreign) plain.searchParams.set('include', [...asked].join(','));
  if (plain.searchParams.get('include') === '') plain.searchParams.delete('include');
  return `${plain.pathname}${plain.search}`;
}

const withoutPolicy = (headers: IncomingHttpHeaders): IncomingHttpHeaders => {
  const { [UNTIL]: _until, [MODE]: _mode, [HOLD]: _hold, ...rest } = headers;
  return rest;
};
