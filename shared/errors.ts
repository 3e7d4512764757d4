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

/** A fault with a stable code, and a message and next step fit to be mailed: no key material, token or SAS. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly nextStep: string;

  constructor(code: ErrorCode, message: string, options: { nextStep: string; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.nextStep = options.nextStep;
  }
}

const TRANSIENT: ReadonlySet<ErrorCode> = new Set(['ERR_TRANSIENT', 'ERR_THROTTLED']);

export const isTransient = (error: unknown): error is AppError =>
  error instanceof AppError && TRANSIENT.has(error.code);

export const hasCode = (error: unknown, code: ErrorCode): error is AppError =>
  error instanceof AppError && error.code === code;
