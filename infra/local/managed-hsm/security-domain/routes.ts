import { createPublicKey, X509Certificate } from 'node:crypto';
import * as z from 'zod';
import { parseBody } from '../bodies.ts';
import { atHsm, ok, type Reply, type Route } from '../routes/route.ts';
import { thumbprintOf } from './envelope.ts';
import type { SecurityDomainService } from './service.ts';
import { downloadBody, recipientsOf } from './wrapping-certificates.ts';

const uploadBody = z.object({ value: z.string() });

/** `required` when the request does not say. Source: the REST description. */
const DEFAULT_QUORUM = 2;

/** `SecurityDomainBackup` and `SecurityDomainBackupStatusGet` are documented names; the others are ours. */
export function securityDomainRoutes(service: SecurityDomainService, uri: () => string): Route[] {
  const accepted = (direction: 'download' | 'upload', body: unknown): Reply => ({
    status: 202,
    body,
    // No recording: the name in lower case as on the recorded jobs, the wait of the description's example.
    headers: { 'azure-asyncoperation': `${uri()}/securitydomain/${direction}/pending`, 'Retry-After': '5' },
  });
  const common = { scope: atHsm, beforeActivation: true } as const;
  const polled = { ...common, method: 'GET', withoutApiVersion: true } as const;
  return [
    {
      ...{ ...common, method: 'POST', path: '/securitydomain/download', operation: 'SecurityDomainBackup' },
      dataAction: 'securitydomain/download/action',
      async handle(call) {
        const body = parseBody(downloadBody, call.body());
        const value = await service.download(recipientsOf(body), body.required ?? DEFAULT_QUORUM);
        return accepted('download', { value });
      },
    },
    {
      ...{ ...polled, path: '/securitydomain/download/pending', operation: 'SecurityDomainBackupStatusGet' },
      dataAction: 'securitydomain/download/read',
      handle: () => ok(service.status('download')),
    },
    {
      ...{ ...common, method: 'GET', path: '/securitydomain/upload', operation: 'SecurityDomainTransferKeyGet' },
      dataAction: 'securitydomain/transferkey/read',
      handle: async () => ok({ key_format: 'jwk', transfer_key: transferKeyJwk(await service.transferKey(), uri()) }),
    },
    {
      ...{ ...common, method: 'POST', path: '/securitydomain/upload', operation: 'SecurityDomainRestore' },
      dataAction: 'securitydomain/upload/action',
      async handle(call) {
        await service.upload(parseBody(uploadBody, call.body()).value);
        return accepted('upload', service.status('upload'));
      },
    },
    {
      ...{ ...polled, path: '/securitydomain/upload/pending', operation: 'SecurityDomainRestoreStatusGet' },
      dataAction: 'securitydomain/upload/read',
      handle: () => ok(service.status('upload')),
    },
  ];
}

/** Members as in the description's example. */
function transferKeyJwk({ certificatePem }: { certificatePem: string }, uri: string): Record<string, unknown> {
  const certificate = new X509Certificate(certificatePem);
  const { n, e } = createPublicKey(certificatePem).export({ format: 'jwk' });
  return {
    ...{ kid: `${uri}/transfer_key`, kty: 'RSA', key_ops: ['encrypt'], n, e, alg: 'RSA-OAEP-256' },
    x5c: [certificate.raw.toString('base64')],
    x5t: Buffer.from(certificate.fingerprint.replaceAll(':', ''), 'hex').toString('base64url'),
    'x5t#S256': thumbprintOf(certificate.raw),
  };
}
