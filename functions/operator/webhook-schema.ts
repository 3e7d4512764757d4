import * as z from 'zod';
import type { EventPayload, NoticePayload } from '../../shared/notification/webhook-payload.ts';

const common = {
  version: z.literal(1).describe('Of this shape. Fields may be added within a version.'),
  timestamp: z.iso.datetime().describe('When it happened, whenever it arrives.'),
  installation: z.string().describe('Which installation says so.'),
};

const lines = z.array(z.string());

/** What a receiver may rely on; parses what we send, and is published in the OpenAPI document. */
export const webhookPayloads = {
  event: z.object({
    ...common,
    kind: z.literal('event'),
    type: z.string().startsWith('ManagedHsmLifecycle.').describe('As on the Event Grid topic.'),
    data: z.object({
      id: z.string().describe('The same for every repeat of the fact.'),
      source: z.string().describe('Resource id of the HSM.'),
      subject: z.string().describe('keys/{name}, or the operation: backups/{id}, drills/{id}, …'),
      data: z
        .record(z.string(), z.unknown())
        .describe('Named by the type; that of the key events of a vault for Key….'),
    }),
  }),
  notice: z.object({
    ...common,
    kind: z.literal('notice'),
    type: z.string().startsWith('ManagedHsmLifecycle.Notice.'),
    data: z.object({
      id: z.string().describe('The same while the same still holds.'),
      severity: z.enum(['info', 'attention', 'critical']),
      hsm: z.string().exactOptional(),
      key: z.string().exactOptional(),
      headline: z.string(),
      paragraphs: lines,
      facts: z.array(z.object({ label: z.string(), value: z.string() })),
      warnings: lines,
      mustDo: lines.describe('In this order; empty: nothing.'),
      commands: lines.describe('To be copied as they are.'),
    }),
  }),
} satisfies { event: z.ZodType<EventPayloadOnTheWire>; notice: z.ZodType<NoticePayload> };

type EventPayloadOnTheWire = Omit<EventPayload, 'data'> & {
  data: Omit<EventPayload['data'], 'data'> & { data: Record<string, unknown> };
};

const header = (name: string, description: string) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string' },
});

const HEADERS = [
  header('webhook-id', 'The same for every repeat: drop what you have had.'),
  header('webhook-timestamp', 'Unix seconds of this attempt, part of what is signed: refuse what is old.'),
  header(
    'webhook-signature',
    'One or several of v1,{Base64}, parted by blanks: HMAC-SHA256 over {webhook-id}.{webhook-timestamp}.{body} as sent, keyed with the bytes that the Base64 after whsec_ stands for. One that matches suffices. https://www.standardwebhooks.com',
  ),
];

/** The member `webhooks` of an OpenAPI 3.1 document. */
export const describeWebhooks = (): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(webhookPayloads).map(([name, schema]) => [
      name,
      {
        post: {
          operationId: `webhook-${name}`,
          summary: name === 'event' ? 'A fact, for programs.' : 'A notice, for people.',
          parameters: HEADERS,
          requestBody: { required: true, content: { 'application/json': { schema: z.toJSONSchema(schema) } } },
          responses: {
            '2XX': { description: 'Taken.' },
            '4XX': {
              description: 'Refused for good, but for 408, 425 and 429: kept for a person to have it sent again.',
            },
            '5XX': { description: 'Tried again over hours.' },
          },
        },
      },
    ]),
  );
