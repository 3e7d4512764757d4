import * as z from 'zod';
import { operatorRoutes } from './routes.ts';
import { describeWebhooks } from './webhook-schema.ts';

/** The OpenAPI 3.1 document, from the same schemas that validate. */
export function describeApi(installation: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of operatorRoutes) {
    const parameters = [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')];
    if (route.method === 'POST') parameters.push(IDEMPOTENCY_KEY);
    const answers = Object.entries(route.answers).map(([status, description]) => [
      status,
      { description, content: { 'application/json': { schema: {} } } },
    ]);
    paths[`/api/${route.path}`] = {
      ...paths[`/api/${route.path}`],
      [route.method.toLowerCase()]: {
        operationId: route.operation,
        summary: route.summary,
        description: `App role: ${route.anyOf.join(' or ')}.`,
        parameters,
        ...(route.body
          ? {
              requestBody: {
                required: true,
                content: { 'application/json': { schema: z.toJSONSchema(route.body, { io: 'input' }) } },
              },
            }
          : {}),
        responses: { ...Object.fromEntries(answers), default: PROBLEM },
      },
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Managed HSM lifecycle',
      version: '1',
      description: `Operator API of installation ${installation}.`,
    },
    paths,
    webhooks: describeWebhooks(),
    components: { securitySchemes: { entra: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
    security: [{ entra: [] }],
  };
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Repeating a request with the same key answers with the same operation.',
  schema: { type: 'string', minLength: 8, maxLength: 128 },
};

const PROBLEM = {
  description: 'Refused: RFC 9457, with a stable code, the faulty fields and the next step.',
  content: {
    'application/problem+json': {
      schema: {
        type: 'object',
        required: ['type', 'status', 'code', 'title', 'detail'],
        properties: {
          type: { type: 'string' },
          status: { type: 'integer' },
          code: { type: 'string' },
          title: { type: 'string' },
          detail: { type: 'string' },
          reason: { type: 'string', description: 'Of a refusal: a stable fact, by which scripts tell refusals apart.' },
          nextStep: { type: 'string' },
          instance: { type: 'string' },
          errors: {
            type: 'array',
            items: {
              type: 'object',
              required: ['field', 'rule'],
              properties: { field: { type: 'string' }, rule: { type: 'string' }, example: { type: 'string' } },
            },
          },
        },
      },
    },
  },
};

function parametersOf(schema: z.ZodObject, where: 'path' | 'query') {
  return Object.entries(schema.shape).map(([name, field]) => ({
    name,
    in: where,
    required: where === 'path',
    schema: z.toJSONSchema(field as z.ZodType, { io: 'input' }),
  })) as object[];
}
