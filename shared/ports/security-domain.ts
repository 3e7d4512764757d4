/** The public half of a wrapping key, as the service takes it: a JWK with its certificate, and nothing private. */
export interface WrappingKey {
  kid: string;
  kty: 'RSA';
  key_ops: string[];
  alg: string;
  n: string;
  e: string;
  /** Base64 DER of the certificate. */
  x5c: string[];
  x5t: string;
  'x5t#S256': string;
}

export interface DomainProgress {
  kind: 'running' | 'succeeded' | 'failed';
  details?: string;
}

/**
 * The security domain of an HSM: opaque blobs that pass between the service and a person. Private keys and shares are never
 * seen here. Acts are sent once: ERR_UNKNOWN_OUTCOME when the reply is lost. Throws AppError as HsmAccess does.
 */
export interface SecurityDomain {
  /** Activates a new HSM; afterwards, downloads its domain anew. 3 to 10 certificates, `required` of them open it again. */
  download(hsm: string, request: { certificates: WrappingKey[]; required: number }): Promise<{ blob: string }>;
  readDownload(hsm: string): Promise<DomainProgress>;
  /** Of an HSM in recovery: what the domain must be wrapped for. Text as the service gives it. */
  transferKey(hsm: string): Promise<{ format: string; key: string }>;
  /** The domain as the holders wrapped it for the transfer key. */
  upload(hsm: string, blob: string): Promise<void>;
  readUpload(hsm: string): Promise<DomainProgress>;
}
