import type { KeyClientOptions } from '@azure/keyvault-keys';
import { AppError } from '../../errors.ts';

/** An HSM as the adapters need it. */
export interface HsmAddress {
  name: string;
  /** `https://{host}`, without a slash at the end. */
  uri: string;
}

/** The SDK sets no limit of its own to the wait for an answer. */
export const REQUEST_MS = 20_000;

/** Modest retries, Retry-After honoured: for calls that may be repeated. */
export const REPEATING = { maxRetries: 3, retryDelayInMs: 500, maxRetryDelayInMs: 8000 } as const;
export const SENT_ONCE = { maxRetries: 0 } as const;

/** Options of a client whose every single request is given up after `requestMs`. The client writes into them. */
export const clientOptions = (
  retryOptions: NonNullable<KeyClientOptions['retryOptions']>,
  requestMs: number = REQUEST_MS,
): Pick<KeyClientOptions, 'retryOptions' | 'additionalPolicies'> => ({
  retryOptions: { ...retryOptions },
  additionalPolicies: [
    {
      position: 'perRetry',
      policy: {
        name: 'requestTimeout',
        sendRequest(request, next) {
          request.timeout = requestMs;
          return next(request);
        },
      },
    },
  ],
});

/** The name by which `az` knows an HSM: the first label of its host. */
export const hsmNameOf = (uri: string): string => new URL(uri).hostname.split('.')[0] ?? '';

export const unknownHsm = (hsm: string): AppError =>
  new AppError('ERR_INPUT', `No HSM of this installation is named ${hsm}.`, {
    nextStep: 'Use a name from the setting MHSM_HSMS.',
  });
