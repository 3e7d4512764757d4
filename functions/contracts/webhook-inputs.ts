import * as z from 'zod';

const webhook = z.string();
/** The id that its call carries. */
const message = z.string();

export const webhookInputs = {
  startRelays: z.strictObject({}),
  sendWebhook: z.strictObject({ webhook, message }),
  settleWebhook: z.strictObject({
    webhook,
    message,
    undelivered: z.strictObject({ why: z.string(), nextStep: z.string() }).exactOptional(),
  }),
} as const;

/** `message`: the id of what waits in the outbox of that webhook. */
export interface RelayInput {
  webhook: string;
  message: string;
}
