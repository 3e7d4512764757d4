import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { pipeline } from 'node:stream';
import type { Tls, TokenVerifier } from '../estate.ts';
import type { Faults } from '../faults.ts';
import { type Listener, listening } from '../http.ts';
import type { AccountName } from './accounts.ts';
import type { BlobFeatures } from './blob-features.ts';
import { nameBlobOperation, nameQueueOperation, type StorageRequest } from './operations.ts';
import { refuse, StorageRefusal } from './refusal.ts';
import type { DataRoles } from './roles.ts';
import { createUpstream, type UpstreamCall } from './upstream.ts';

/** Audience of storage tokens. Source: https://learn.microsoft.com/azure/storage/blobs/authorize-access-azure-active-directory */
export const STORAGE_AUDIENCE = 'https://storage.azure.com';

/** A request on its way through a proxy. */
export interface Passage {
  operation: string;
  container: string;
  blob: string;
  call: UpstreamCall;
  url: URL;
  headers: IncomingHttpHeaders;
}

/** An answer that is not streamed from Azurite. */
export interface OwnAnswer {
  status: number;
  headers: Record<string, string>;
  body?: string;
}

/**
 * The address that clients see, in front of one Azurite service. It verifies bearer tokens (Azurite reads their times and
 * never their signature), checks data roles, meets the faults set for the operation, adds what Azurite lacks, and streams
 * the rest through: no body of a blob is ever held whole.
 */
export async function startStorageProxy(options: {
  service: 'blob' | 'queue';
  /** The one account that is served here, and what faults call it. */
  account: string;
  accountName: AccountName;
  roles: DataRoles;
  /** Blob features that Azurite lacks. */
  features?: BlobFeatures;
  port?: number;
  targetPort: number;
  tls: Tls;
  tokens: TokenVerifier;
  faults: Faults;
}): Promise<Listener> {
  const { service, account, accountName, targetPort, tls, tokens, faults, roles, features } = options;
  const upstream = createUpstream({ port: targetPort, tls });

  const authorize = async (authorization: string | undefined, method: string, container: string): Promise<void> => {
    const token = /^bearer (.+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return;
    const principal = await tokens.verify(token, STORAGE_AUDIENCE).catch((error: unknown) => {
      const message = `Server failed to authenticate the request. ${String(error)}`;
      throw new StorageRefusal(401, 'InvalidAuthenticationInfo', message);
    });
    if (roles.permits(principal, method, container)) return;
    const message = 'This request is not authorized to perform this operation using this permission.';
    throw new StorageRefusal(403, 'AuthorizationPermissionMismatch', message);
  };

  const forward = async (passage: Passage, res: ServerResponse, swallowReply: boolean): Promise<void> => {
    const call = (await features?.outgoing(passage, upstream)) ?? passage.call;
    const reply = await upstream.send(call).catch((error: Error) => {
      throw new StorageRefusal(503, 'ServerBusy', `Azurite did not answer: ${error.message}`);
    });
    const answer = await features?.incoming(passage, reply);
    if (swallowReply) {
      reply.resume().once('close', () => res.destroy());
      return;
    }
    if (answer) return own(res, answer);
    res.writeHead(reply.statusCode ?? 502, { ...reply.headers, ...features?.added(passage, reply) });
    pipeline(reply, res, (error) => error && res.destroy());
  };

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const header = (name: string) => req.headers[name]?.toString();
    const { method = 'GET', url: path = '/', headers } = req;
    const request: StorageRequest = { method, url: new URL(path, 'https://localhost'), header };
    const { url } = request;
    if (url.pathname.split('/')[1] !== account) {
      throw new StorageRefusal(404, 'ResourceNotFound', `This is the account ${account}.`);
    }
    const about =
      service === 'blob' ? nameBlobOperation(request) : { container: '', blob: '', ...nameQueueOperation(request) };
    const { operation, ...where } = about;
    const fault = await faults.meet(service, operation, { ...where, account: accountName });
    if (fault.kind === 'lostReply' && fault.when === 'before') return void res.destroy();
    if (fault.kind === 'answer') throw new StorageRefusal(fault.status, fault.code, fault.message, fault.headers);
    const { container, blob } = about;
    await authorize(header('authorization'), method, container);
    const passage: Passage = { operation, container, blob, url, headers, call: { method, path, headers, body: req } };
    const lost = fault.kind === 'lostReply';
    const answer = await features?.answer(passage, upstream);
    if (!answer) return forward(passage, res, lost);
    req.resume();
    if (lost) res.destroy();
    else own(res, answer);
  };

  const server = createServer({ cert: tls.cert, key: tls.key }, (req, res) => {
    handle(req, res).catch((error: unknown) => {
      req.resume();
      if (error instanceof StorageRefusal) refuse(res, error);
      else refuse(res, { status: 500, code: 'InternalError', message: String(error) });
    });
  });
  const { port, close } = await listening(server, options.port);
  return {
    port,
    async close() {
      const closed = close();
      upstream.close();
      await closed;
    },
  };
}

function own(res: ServerResponse, { status, headers, body = '' }: OwnAnswer): void {
  res.writeHead(status, { 'content-length': String(Buffer.byteLength(body)), ...headers });
  res.end(body);
}
