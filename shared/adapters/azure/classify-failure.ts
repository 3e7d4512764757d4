import { AppError, type Denial, type ErrorCode } from '../../errors.ts';
import { redactText } from '../../redact.ts';
import type { Identity } from './credentials.ts';

/** What was attempted, for the message: `list the keys of contoso`, and who attempted it. */
export interface FailureContext {
  act: string;
  identity: Pick<Identity, 'duty' | 'clientId'>;
  /** Name of the HSM as its host and `az --hsm-name` spell it; absent for other services. */
  hsmName?: string;
  /** The data action that the act takes, for calls whose refusal the SDK passes on without the service's words. */
  needs?: { dataAction: string; scope: string };
  /** The Azure role that the act takes on a service that does not name what is missing. */
  role?: string;
}

interface Failure {
  status: number | undefined;
  code: string;
  /** The service's own words, first line, without secrets. */
  text: string;
  retryAfter: string | undefined;
}

/** The connection was never made, so nothing was sent. */
const NOT_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
/** Sent perhaps, and no whole answer came back. PARSE_ERROR: an answer that was cut off. */
const NO_ANSWER = new Set(['ECONNRESET', 'ETIMEDOUT', 'ESOCKETTIMEDOUT', 'EPIPE', 'REQUEST_SEND_ERROR', 'PARSE_ERROR']);
const TRANSIENT_STATUS = new Set([408, 500, 502, 503, 504]);

/**
 * Turns a failure of an SDK or of HTTP into an AppError. What is neither comes back unchanged: it is a bug, and must look
 * like one.
 */
export function classifyFailure(error: unknown, context: FailureContext): unknown {
  if (error instanceof AppError) return error;
  const failure = readFailure(error);
  if (!failure) return error;
  return isSignInFailure(error)
    ? classifySignIn(failure, context, error)
    : failure.status === undefined
      ? noAnswer(failure, context, error)
      : classifyStatus(failure.status, failure, context, error);
}

/** Whether a failed call may have taken effect: it was sent, and no definite answer came. */
export function isUnknownOutcome(error: unknown): boolean {
  const failure = readFailure(error);
  if (!failure || isSignInFailure(error)) return false;
  return failure.status === undefined ? !NOT_CONNECTED.has(failure.code) : TRANSIENT_STATUS.has(failure.status);
}

function classifyStatus(status: number, failure: Failure, context: FailureContext, cause: unknown): AppError {
  if (status === 429) {
    const wait = failure.retryAfter === undefined ? '' : ` It asks to wait ${failure.retryAfter} s.`;
    return fail(
      'ERR_THROTTLED',
      `Throttled while trying to ${context.act}.${wait}`,
      'Nothing to do: it is tried again.',
      cause,
    );
  }
  if (TRANSIENT_STATUS.has(status)) {
    const message = `The service answered ${status} when asked to ${context.act}${quoted(failure)}`;
    return fail('ERR_TRANSIENT', message, 'Nothing to do: it is tried again.', cause);
  }
  if (status === 401 || status === 403) return classifyForbidden(status, failure, context, cause);
  const message = `Could not ${context.act}${quoted(failure)}`;
  if (status === 404) return fail('ERR_NOT_FOUND', message, 'Check that it exists and was not deleted.', cause);
  // Reading changes nothing, so what it conflicts with is an operation of the HSM, whether the SDK passes the words on or not.
  const isReading = context.needs?.dataAction.endsWith('/read/action') === true;
  if (status === 409 && (isReading || /\b(restore|backup) operation is in progress/i.test(failure.text))) {
    return fail('ERR_HSM_BUSY', message, 'Wait until the running operation of the HSM has ended.', cause);
  }
  if (status === 409 || status === 412) {
    return fail('ERR_CONFLICT', message, 'Someone else changed it meanwhile: look again, then decide.', cause);
  }
  return fail(
    'ERR_REFUSED_BY_SERVICE',
    message,
    "Read the service's reason above; a repeat would be refused too.",
    cause,
  );
}

/** Texts of a firewall, which come with the code Forbidden. https://learn.microsoft.com/azure/key-vault/general/troubleshooting-access-issues */
const CLOSED_NETWORK = /public network access is disabled|client address is(n't| not) authorized/i;

/** Texts of a 403 that speak of the key's own state, which no role assignment can mend. */
const KEY_STATE = /not permitted on this key|disabled|expired|not yet valid|before its|outside (of )?its/i;

function classifyForbidden(status: number, failure: Failure, context: FailureContext, cause: unknown): AppError {
  const { duty, clientId } = context.identity;
  const who = `the identity of the duty ${duty} (client id ${clientId})`;
  // Source of the text: Azure/azure-cli issue 32719.
  const needs = failure.code === 'AccessDenied' ? context.needs : undefined;
  const [, dataAction = needs?.dataAction, scope = needs?.scope] =
    /Not authorized to access (\S+) on (\S+)/i.exec(failure.text) ?? [];
  if (dataAction && scope) {
    const denial: Denial = { dataAction, scope, duty, clientId };
    const message = `Could not ${context.act}: ${who} lacks the data action ${dataAction} on ${scope}.`;
    return new AppError('ERR_DENIED', message, { nextStep: grantInstruction(denial, context.hsmName), cause, denial });
  }
  const message = `Could not ${context.act} as ${who}${quoted(failure)}`;
  const closed = /^ForbiddenBy(Firewall|Connection)$/.test(failure.code) || CLOSED_NETWORK.test(failure.text);
  if (status === 403 && !closed && context.hsmName !== undefined && KEY_STATE.test(failure.text)) {
    return fail(
      'ERR_REFUSED_BY_SERVICE',
      `Could not ${context.act}${quoted(failure)}`,
      'Check the state of the key.',
      cause,
    );
  }
  const nextStep = closed
    ? "Let the app's network reach the service: by a private endpoint whose name the app resolves, or through its firewall."
    : `Assign ${context.role ?? 'a role that permits it'} on the resource to this identity, if it is not there yet.`;
  return new AppError('ERR_DENIED', message, { nextStep, cause, denial: { duty, clientId } });
}

/** Built-in local roles from the narrowest to the widest. https://learn.microsoft.com/azure/key-vault/managed-hsm/built-in-roles */
const ROLES: [RegExp, string][] = [
  [/\/keys\/read\/action$/i, 'Managed HSM Crypto Auditor'],
  [/\/keys\/backup\/action$/i, 'Managed HSM Backup User'],
  [/\/keys\/(wrap|unwrap)\/action$/i, 'Managed HSM Crypto Service Encryption User'],
  [/\/keys\/(write|rotate|encrypt|decrypt|sign|verify)\/action$/i, 'Managed HSM Crypto User'],
];

function grantInstruction({ dataAction = '', scope = '/', clientId }: Denial, hsmName = 'HSM-NAME'): string {
  const [, role] = ROLES.find(([actions]) => actions.test(dataAction)) ?? [];
  const named = role ? `"${role}"` : 'ROLE';
  const command = `az keyvault role assignment create --hsm-name ${hsmName} --role ${named} --assignee ${clientId} --scope ${scope}`;
  // The built-in role allows far more; ours is made for it, and named only because many installations have not granted it.
  if (/\/keys\/write\/action$/i.test(dataAction))
    return `Grant it with: npm run setup -- --principal maintain-policy=OBJECT-ID of this identity, whose role holds just this and keys/read. Or: ${command}, which allows far more.`;
  return role
    ? `Grant it with: ${command} (or name a custom role that holds just this data action).`
    : `Grant it with: ${command}, where ROLE is a role that holds this data action.`;
}

/**
 * Failures of `@azure/identity`: nobody is signed in, or the identity endpoint did not answer. Without a token nothing was sent
 * to the service itself.
 */
export function isSignInFailure(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^(Aggregate)?Authentication(Required)?Error$|^CredentialUnavailableError$/.test(error.name)
  );
}

/** What the identity endpoint says of an identity that is not attached; the library passes the text on, and no status. */
const UNKNOWN_IDENTITY = /managed identity found for specified|identity not found/i;

function classifySignIn(failure: Failure, context: FailureContext, cause: unknown): AppError {
  const { duty, clientId } = context.identity;
  const message = `No token for the identity of the duty ${duty} (client id ${clientId}), needed to ${context.act}${quoted(failure)}`;
  const definite = UNKNOWN_IDENTITY.test(failure.text) || failure.status === 400 || failure.status === 401;
  const nextStep = 'Check that this user-assigned identity exists and is attached to the app.';
  return definite
    ? new AppError('ERR_DENIED', message, { nextStep, cause, denial: { duty, clientId } })
    : fail('ERR_TRANSIENT', message, nextStep, cause);
}

function noAnswer(failure: Failure, context: FailureContext, cause: unknown): AppError {
  const message = `No answer when trying to ${context.act} (${failure.code}).`;
  return fail('ERR_TRANSIENT', message, 'If it goes on, check the network and private endpoint.', cause);
}

const fail = (code: ErrorCode, message: string, nextStep: string, cause: unknown) =>
  new AppError(code, message, { nextStep, cause });

const quoted = ({ code, text }: Failure): string =>
  text || code ? `: ${[code, text].filter(Boolean).join(', ')}` : '.';

const LONGEST_TEXT = 300;

/** Reads what the SDKs' RestError and Node's socket errors have in common, without loading any SDK. */
function readFailure(error: unknown): Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { statusCode, code, response } = error as Error & {
    statusCode?: unknown;
    code?: unknown;
    response?: { headers?: { get?(name: string): string | undefined } };
  };
  const text = redactText(error.message.split('\n')[0] ?? '').slice(0, LONGEST_TEXT);
  const named = typeof code === 'string' ? code : '';
  // An answer that says it succeeded and cannot be read is as good as none.
  if (typeof statusCode === 'number' && statusCode >= 400) {
    return { status: statusCode, code: named, text, retryAfter: response?.headers?.get?.('retry-after') };
  }
  const aborted = error.name === 'AbortError' || error.name === 'TimeoutError';
  if (!aborted && !NOT_CONNECTED.has(named) && !NO_ANSWER.has(named) && !isSignInFailure(error)) return undefined;
  return { status: undefined, code: named || error.name, text, retryAfter: undefined };
}
