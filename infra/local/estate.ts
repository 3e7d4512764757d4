import type { EstateClock } from './clock.ts';
import type { Faults } from './faults.ts';

/** Who a verified token speaks for. */
export interface Principal {
  /** Object id: what local RBAC assignments name. */
  oid: string;
  appid: string;
  tid: string;
  /** Display name for audit rows and the terminal; `upn` only for people. */
  name: string;
  upn?: string;
  roles: string[];
}

/** Checks signature, audience, tenant and time window. Throws an Error whose message says which check failed. */
export interface TokenVerifier {
  verify(token: string, audience: string): Promise<Principal>;
}

/** One data-plane call of a Managed HSM, before it takes either table's shape (AZKVAuditLogs or AzureDiagnostics). */
export interface AuditRow {
  time: string;
  hsm: string;
  resourceId: string;
  /** Names documented for vaults; those of a Managed HSM are not public beyond four. */
  operationName: string;
  httpStatusCode: number;
  resultType: 'Success' | 'Failure';
  resultDescription?: string;
  callerIpAddress: string;
  clientInfo: string;
  requestUri: string;
  correlationId: string;
  durationMs: number;
  identity: { oid?: string; appid?: string; upn?: string };
  /** `https://{hsm}…/keys/{name}/{version}` where the call names a key. */
  id?: string;
  algorithm?: string;
}

export type AuditSink = (row: AuditRow) => void;

export interface Tls {
  cert: string;
  key: string;
  ca: string;
}

/** What the estate gives each of its services. */
export interface Estate {
  clock: EstateClock;
  faults: Faults;
  tokens: TokenVerifier;
  audit: AuditSink;
  tls: Tls;
  tenantId: string;
}

/** Every emulated service starts on a port (0: a free one), stops, and can save and load what it knows. */
export interface Service {
  readonly name: string;
  readonly url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** JSON of everything that must outlive a restart of the estate. */
  save(): unknown;
  load(saved: unknown): void;
  reset(): void;
}
