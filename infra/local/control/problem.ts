import { STATUS_CODES } from 'node:http';
import type * as z from 'zod';
import type { Answer } from '../http.ts';

/** A request that the control surface refuses, with the fields at fault. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly faults: { field: string; rule: string }[];

  constructor(status: number, code: string, detail: string, faults: { field: string; rule: string }[] = []) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.faults = faults;
  }
}

/** RFC 9457. */
export const problemAnswer = ({ status, code, message, faults }: Problem): Answer => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail: message,
    ...(faults.length > 0 ? { faults } : {}),
  },
});

/** The value in the schema's shape. Throws a 400 Problem that names each field and the rule it breaks. */
export function parseBody<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ field: [...path, key].join('.'), rule: 'is no field of this request' }));
    }
    return [{ field: path.join('.') || 'body', rule: issue.message }];
  });
  const list = faults.map(({ field, rule }) => `${field}: ${rule}`).join('; ');
  throw new Problem(400, 'ERR_INPUT', `The request has ${faults.length} fault(s). ${list}.`, faults);
}
