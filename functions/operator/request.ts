import type { HttpRequest } from '@azure/functions';
import type * as z from 'zod';
import { type FieldFault, ProblemError } from './problem.ts';
import { refuseSecrets, shownName } from './refuse-secrets.ts';
import type { OperatorRoute } from './routes.ts';

export interface ParsedRequest {
  params: Record<string, string>;
  query: Record<string, string>;
  body: unknown;
  idempotencyKey?: string;
}

const LARGEST_BODY = 64 * 1024;
/** More than anybody mends at once: an answer must not grow with the request. */
const MOST_FAULTS = 20;

/** Parses a request by its route before anything happens; every fault is told at once, naming field, rule and example. */
export async function parseRequest(route: OperatorRoute, request: HttpRequest): Promise<ParsedRequest> {
  const faults: FieldFault[] = [];
  const params = take(route.params, { ...request.params }, 'path', faults);
  const query = take(route.query, readQuery(request, faults), 'query', faults);
  const json = route.body ? await readJson(request, faults, route.largestBody) : undefined;
  if (json) refuseSecrets(json.value, route);
  const body = route.body && json ? take(route.body, json.value, 'body', faults) : undefined;
  const idempotencyKey = request.headers.get('idempotency-key') ?? undefined;
  if (idempotencyKey !== undefined && !/^[\x21-\x7e]{8,128}$/.test(idempotencyKey)) {
    faults.push({
      field: 'header Idempotency-Key',
      rule: 'must be 8 to 128 visible characters',
      example: '5f3c2a1e-9f0b-4a57-8b8e-0d7a2f1c9b11',
    });
  }
  if (faults.length > 0) {
    const told = faults.slice(0, MOST_FAULTS);
    throw new ProblemError({
      status: 400,
      code: 'InvalidRequest',
      title: 'The request is not valid',
      detail: told.map((fault) => `${fault.field} ${fault.rule}`).join('; '),
      nextStep: 'Mend the fields named in errors and send the request again; nothing was done.',
      errors: told,
    });
  }
  return {
    params: params as Record<string, string>,
    query: query as Record<string, string>,
    body,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  };
}

function take(schema: z.ZodType, value: unknown, where: string, faults: FieldFault[]): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const names = issue.code === 'unrecognized_keys' ? issue.keys : [issue.path.join('.') || '(whole)'];
    for (const name of names) {
      const rule = issue.code === 'unrecognized_keys' ? 'is not known here' : lowerFirst(issue.message);
      const example = Object.hasOwn(EXAMPLES, name) ? EXAMPLES[name] : undefined;
      faults.push({ field: `${where} ${shownName(name)}`, rule, ...(example ? { example } : {}) });
    }
  }
  return undefined;
}

/** Of two values for one parameter it cannot be told which was meant, and one of them might be dryRun=true. */
function readQuery(request: HttpRequest, faults: FieldFault[]): Record<string, string> {
  const query = [...request.query.entries()];
  const names = query.map(([name]) => name);
  const repeated = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  for (const name of repeated) faults.push({ field: `query ${shownName(name)}`, rule: 'must be given once' });
  return Object.fromEntries(query);
}

/** Undefined when there is no JSON to look at, and then the one fault says so. */
async function readJson(
  request: HttpRequest,
  faults: FieldFault[],
  largest = LARGEST_BODY,
): Promise<{ value: unknown } | undefined> {
  const text = await request.text();
  if (text.length > largest) {
    faults.push({ field: 'body (whole)', rule: `must be at most ${largest} characters` });
    return undefined;
  }
  try {
    return { value: JSON.parse(text) };
  } catch {
    faults.push({ field: 'body (whole)', rule: 'must be JSON', example: '{"reason":"suspected exposure"}' });
    return undefined;
  }
}

const EXAMPLES: Record<string, string> = {
  hsm: 'contoso',
  name: 'payments-card-pan',
  reason: 'suspected exposure of the key reference',
  overrides: '["window"]',
  'overrides.0': '"window"',
  expectedVersion: '0123456789abcdef0123456789abcdef',
  dryRun: 'true',
  severity: 'High',
  since: '2026-03-01',
  id: 'rotate-contoso-payments-card-pan-0123456789abcdef0123456789abcdef',
};

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
