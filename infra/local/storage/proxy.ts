import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as requestHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import type { Tls, TokenVerifier } from '../estate.ts';
import type { Faults } from '../faults.ts';
import type { Listener } from '../http.ts';
import { nameBlobOperation, nameQueueOperation, type StorageRequest } from './operations.ts';
import type { DataRoles } from './roles.ts';

/** Audience of storage tokens. Source: https://learn.microsoft.com/azure/storage/blobs/authorize-access-azure-active-directory */
export const STORAGE_AUDIENCE = 'https://storage.azure.com';

/**
 * The address that clients see, in front of one Azurite service. It verifies bearer tokens (Azurite reads their times and
 * never their signature), meets the faults set for the operation, and streams the rest through.
 */
export async function startStorageProxy(options: {
  service: 'blob' | 'queue';
  /** The one account that is served here. */
  account: string;
  roles: DataRoles;
  port?: number;
  targetPort: number;
  tls: Tls;
  tokens: TokenVerifier;
  faults: Faults;
}): Promise<Listener> {
  const { service, account, targetPort, tls, tokens, faults, roles } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 64, ca: tls.ca, servername: 'localhost' });

  const forward = (req: IncomingMessage, res: ServerResponse, swallowReply: boolean) => {
    const upstream = requestHttps(
      { agent, host: '127.0.0.1', port: targetPort, method: req.method, path: req.url, headers: req.headers },
      (reply) => {
        if (swallowReply) {
          reply.resume().once('close', () => res.destroy());
          return;
        }
        res.writeHead(reply.statusCode ?? 502, reply.headers);
        pipeline(reply, res, (error) => error && res.destroy());
      },
    );
    upstream.once('error', (error) => {
      if (res.headersSent) res.destroy();
      else refuse(res, { status: 503, code: 'ServerBusy', message: `Azurite did not answer: ${error.message}` });
    });
    pipeline(req, upstream, (error) => error && upstream.destroy());
  };

  const handle = async (req: IncomingMessage, res: ServerResponse) => {
    const header = (name: string) => req.headers[name]?.toString();
    const request: StorageRequest = {
      method: req.method ?? 'GET',
      url: new URL(req.url ?? '/', 'https://localhost'),
      header,
    };
    if (request.url.pathname.split('/')[1] !== account) {
      req.resume();
      return refuse(res, { status: 404, code: 'ResourceNotFound', message: `This is the account ${account}.` });
    }
    const { operation, ...about } = service === 'blob' ? nameBlobOperation(request) : nameQueueOperation(request);
    const fault = await faults.meet(service, operation, about);
    if (fault.kind === 'lostReply' && fault.when === 'before') return void res.destroy();
    if (fault.kind === 'answer') {
      req.resume();
      return refuse(res, fault);
    }
    const token = /^bearer (.+)$/i.exec(header('authorization') ?? '')?.[1];
    if (token !== undefined) {
      const verified = await tokens.verify(token, STORAGE_AUDIENCE).catch(String);
      if (typeof verified === 'string') {
        req.resume();
        const message = `Server failed to authenticate the request. ${verified}`;
        return refuse(res, { status: 401, code: 'InvalidAuthenticationInfo', message });
      }
      if (!roles.permits(verified, request.method)) {
        req.resume();
        const message = 'This request is not authorized to perform this operation using this permission.';
        return refuse(res, { status: 403, code: 'AuthorizationPermissionMismatch', message });
      }
    }
    forward(req, res, fault.kind === 'lostReply');
  };

  const server = createServer({ cert: tls.cert, key: tls.key }, (req, res) => {
    handle(req, res).catch((error: unknown) =>
      refuse(res, { status: 500, code: 'InternalError', message: String(error) }),
    );
  });
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        agent.destroy();
      }),
  };
}

/** An error in the form of the storage services: XML, and the code again as a header. */
function refuse(
  res: ServerResponse,
  error: { status: number; code: string; message: string; headers?: Record<string, string> },
): void {
  if (res.headersSent) return void res.destroy();
  const escaped = error.message.replace(/[<>&]/g, (mark) => `&#${mark.charCodeAt(0)};`);
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${error.code}</Code><Message>${escaped}</Message></Error>`;
  res.writeHead(error.status, {
    'content-type': 'application/xml',
    'x-ms-error-code': error.code,
    'x-ms-request-id': randomUUID(),
    ...error.headers,
  });
  res.end(body);
}
