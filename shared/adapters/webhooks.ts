import { createHmac } from 'node:crypto';
import { AppError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { WebhookCall, Webhooks } from '../ports/webhooks.ts';
import type { WebhookSettings } from '../webhook-settings.ts';

const WAIT_MS = 15_000;

/**
 * Calls webhooks with the signature of the Standard Webhooks convention: an HMAC-SHA256 over id, instant and body, once for
 * each secret. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function createWebhooks(settings: readonly WebhookSettings[], clock: Clock): Webhooks {
  return {
    names: settings.map(({ name }) => name),
    async call(webhook, call) {
      const found = settings.find(({ name }) => name === webhook);
      if (!found) {
        throw new AppError('ERR_CONFIG', `The settings name no webhook ${webhook} any more.`, {
          nextStep: 'Put it back into MHSM_WEBHOOKS and MHSM_WEBHOOK_SECRETS, or leave the call undelivered.',
        });
      }
      const status = await post(found, call, Math.floor(clock.now().getTime() / 1000));
      if (status < 200 || status >= 300) throw refusal(found, status);
    },
  };
}

async function post(webhook: WebhookSettings, { id, body }: WebhookCall, at: number): Promise<number> {
  try {
    const response = await fetch(webhook.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'managed-hsm-lifecycle',
        'webhook-id': id,
        'webhook-timestamp': String(at),
        'webhook-signature': webhook.secrets.map((secret) => sign(secret.reveal(), id, at, body)).join(' '),
      },
      body,
      // A redirect could lead to where nobody meant to send.
      redirect: 'manual',
      signal: AbortSignal.timeout(WAIT_MS),
    });
    // Nothing in the answer is of use, and a receiver must not make us read without end.
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    throw new AppError('ERR_TRANSIENT', `${nameOf(webhook)} did not answer: ${why(error)}.`, {
      nextStep: 'Nothing to do: it is tried again.',
    });
  }
}

function sign(secret: string, id: string, at: number, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')}`;
}

function refusal(webhook: WebhookSettings, status: number): AppError {
  const message = `${nameOf(webhook)} answered ${status}.`;
  if (status === 429) {
    return new AppError('ERR_THROTTLED', message, { nextStep: 'Nothing to do: it is tried again.' });
  }
  if (status >= 500 || status === 408 || status === 425) {
    return new AppError('ERR_TRANSIENT', message, { nextStep: 'Nothing to do: it is tried again.' });
  }
  if (status === 401 || status === 403) {
    return new AppError('ERR_DENIED', message, {
      nextStep: `Compare the secrets of ${webhook.name} in MHSM_WEBHOOK_SECRETS with those of the receiver.`,
    });
  }
  return new AppError('ERR_REFUSED_BY_SERVICE', message, {
    nextStep:
      status >= 300 && status < 400
        ? `Write the address that it redirects to into MHSM_WEBHOOKS: redirects of ${webhook.name} are not followed.`
        : `Check the address of ${webhook.name} in MHSM_WEBHOOKS and what its receiver accepts.`,
  });
}

const nameOf = ({ name, url }: WebhookSettings): string => `The webhook ${name} at ${new URL(url).host}`;

/** The code of the fault, never its text, which may carry the address with a secret in it. */
function why(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${WAIT_MS / 1000} seconds`;
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return typeof cause?.code === 'string' ? cause.code : 'no connection';
}
