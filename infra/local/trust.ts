import { createRequire } from 'node:module';

// The CommonJS objects, because an ES module namespace cannot be changed and the libraries read these.
const require = createRequire(import.meta.url);
const tls: typeof import('node:tls') = require('node:tls');
const dns: typeof import('node:dns') = require('node:dns');

const trusted = new Set<string>();
let installed = false;

/** Names of the embedded estate, which no resolver knows. */
export const isEstateName = (host: string): boolean =>
  /(^|\.)(localhost|managedhsm\.(azure\.net|azure\.cn|usgovcloudapi\.net))$/.test(host);

/**
 * Makes this process trust a local authority and resolve the estate's names to loopback. Needed by code that opens its
 * own connections inside the estate process: Azurite fetching a copy source, the SDKs inside scenarios and tests.
 * NODE_EXTRA_CA_CERTS cannot serve here: Node reads it once, at process start.
 */
export function trustAuthority(caPem: string): void {
  trusted.add(caPem);
  if (installed) return;
  installed = true;
  const createSecureContext = tls.createSecureContext;
  tls.createSecureContext = (options) => {
    const made = createSecureContext(options);
    const { context } = made as unknown as { context: { addCACert(pem: string): void } };
    if (!options?.ca) for (const pem of trusted) context.addCACert(pem);
    return made;
  };
  const lookup = dns.lookup as (...args: unknown[]) => void;
  dns.lookup = Object.assign(
    (host: string, ...rest: unknown[]) => lookup(isEstateName(host) ? '127.0.0.1' : host, ...rest),
    { __promisify__: dns.lookup.__promisify__ },
  ) as unknown as typeof dns.lookup;
}
