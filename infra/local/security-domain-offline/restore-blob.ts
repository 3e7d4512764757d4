import { X509Certificate } from 'node:crypto';
import { openByQuorum, sealForTransfer, thumbprintOf } from '../managed-hsm/security-domain/envelope.ts';

/**
 * What the holders do on a machine without a network: open the security domain with a quorum of their private keys and
 * wrap it for the transfer key of the new HSM. Plays `az keyvault security-domain restore-blob` for scenarios and tests.
 *
 * Takes the `value` of the download and the `transfer_key` of GET /securitydomain/upload; resolves with the `value` of the
 * upload. Rejects with an Error when the keys given do not make a quorum.
 */
export async function restoreBlob(options: {
  securityDomain: string;
  privateKeysPem: readonly string[];
  transferKey: { x5c: readonly string[] };
}): Promise<string> {
  const domain = await openByQuorum(options.securityDomain, options.privateKeysPem);
  const certificate = new X509Certificate(Buffer.from(options.transferKey.x5c[0] ?? '', 'base64'));
  return sealForTransfer(domain, { key: certificate.publicKey, thumbprint: thumbprintOf(certificate.raw) });
}
