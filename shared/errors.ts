/**
 * Throw means "ask again", return means "this is the answer".
 *
 * Only TransientError leaves an activity as a throw, so that the retry policy of its caller applies. The others are turned
 * into returned failures by functions/implement.ts, and are told.
 */
export type ErrorCode =
  | 'ERR_CONFIG'
  | 'ERR_INPUT'
  | 'ERR_TRANSIENT'
  | 'ERR_THROTTLED'
  | 'ERR_UNKNOWN_OUTCOME'
  | 'ERR_DENIED'
  | 'ERR_NOT_FOUND'
  | 'ERR_CONFLICT'
  | 'ERR_HSM_BUSY'
  | 'ERR_REFUSED_BY_SERVICE';

/** Which permission was missing, where, and for which of our identities: ERR_DENIED carries it when the service said so. */
export interface Denial {
  /** `Microsoft.KeyVault/managedHsm/keys/rotate/action`; absent when the service did not name it. */
  dataAction?: string;
  /** `/`, `/keys` or `/keys/{name}`, as local role assignments of a Managed HSM name scopes. */
  scope?: string;
  /** The duty that the identity serves, and its client id. */
  duty: string;
  clientId: string;
}

/** A fault with a stable code, and a message and next step fit to be mailed: no key material, token or SAS. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly nextStep: string;
  readonly denial?: Denial;

  constructor(code: ErrorCode, message: string, options: { nextStep: string; cause?: unknown; denial?: Denial }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.nextStep = options.nextStep;
    if (options.denial) this.denial = options.denial;
  }
}

const TRANSIENT: ReadonlySet<ErrorCode> = new Set(['ERR_TRANSIENT', 'ERR_THROTTLED']);

export const isTransient = (error: unknown): error is AppError =>
  error instanceof AppError && TRANSIENT.has(error.code);

export const hasCode = (error: unknown, code: ErrorCode): error is AppError =>
  error instanceof AppError && error.code === code;
