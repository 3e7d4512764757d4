import { type CryptoOperation, runCrypto } from '../crypto/operations.ts';
import { forbidden, fromReading } from '../errors.ts';
import type { KeyStore } from '../keys.ts';
import type { KeyVersion } from '../model.ts';
import type { Readings } from '../readings.ts';
import { keyUrl, type Vault } from '../wire.ts';
import { atKey, type Call, ok, type Reply, type Route } from './route.ts';

/** Names of audit rows and data actions. Source: general/logging and the recorded built-in roles. */
const OPERATIONS: Record<CryptoOperation, { audit: string; dataAction: string }> = {
  encrypt: { audit: 'KeyEncrypt', dataAction: 'keys/encrypt/action' },
  decrypt: { audit: 'KeyDecrypt', dataAction: 'keys/decrypt/action' },
  sign: { audit: 'KeySign', dataAction: 'keys/sign/action' },
  verify: { audit: 'KeyVerify', dataAction: 'keys/verify/action' },
  wrapKey: { audit: 'KeyWrap', dataAction: 'keys/wrap/action' },
  unwrapKey: { audit: 'KeyUnwrap', dataAction: 'keys/unwrap/action' },
};

/** So that data can be recovered. Source: keys/about-keys-details. */
const ALLOWED_OUTSIDE_WINDOW: ReadonlySet<CryptoOperation> = new Set(['decrypt', 'unwrapKey', 'verify']);

export function cryptoRoutes(options: { vault: Vault; keys: KeyStore; readings: Readings; now(): number }): Route[] {
  const { vault, keys, readings } = options;

  const checkUse = (operation: CryptoOperation, version: KeyVersion) => {
    if (!version.enabled) throw fromReading(readings.cryptoOnDisabledKey, { operation });
    // Recorded text, with and without the full stop; the inner code is in the SDKs' troubleshooting pages.
    if (!version.keyOps.includes(operation)) {
      throw forbidden(`Operation ${operation} is not permitted on this key`, 'KeyOperationForbidden');
    }
    if (ALLOWED_OUTSIDE_WINDOW.has(operation)) return;
    const now = options.now();
    if (version.nbf !== undefined && now < version.nbf) {
      throw forbidden(`Operation ${operation} is not allowed on a key that is not yet valid.`, 'KeyNotYetValid');
    }
    if (version.exp !== undefined && now >= version.exp) {
      throw forbidden(`Operation ${operation} is not allowed on an expired key.`, 'KeyExpired');
    }
  };

  const handle =
    (operation: CryptoOperation) =>
    (call: Call): Reply => {
      const body = call.body();
      if (typeof body.alg === 'string') call.audit.algorithm = body.alg;
      const { key, version } = keys.get(call.params.name ?? '', call.params.version);
      call.audit.version = version.version;
      checkUse(operation, version);
      const { alg, ...result } = runCrypto(operation, version.material, body);
      // Recorded member order, with alg, which the description lacks (Azure/azure-sdk-for-js, 2021).
      if (operation === 'verify') return ok(result);
      return ok({ alg, kid: keyUrl(vault, key.name, version.version), ...result });
    };

  return (Object.keys(OPERATIONS) as CryptoOperation[]).flatMap((operation) => {
    const { audit, dataAction } = OPERATIONS[operation];
    // An identifier without a version makes a client send an empty segment, which is dropped: the newest version is used.
    return ['/keys/:name/:version', '/keys/:name'].map(
      (base): Route => ({
        method: 'POST',
        path: `${base}/${operation.toLowerCase()}`,
        operation: audit,
        dataAction,
        scope: atKey,
        handle: handle(operation),
      }),
    );
  });
}
