import * as z from 'zod';
import { json, type Request } from '../http.ts';

/** A refusal in Resource Manager's form. */
export class ArmError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function parse<T extends z.ZodType>(schema: T, request: Request): z.output<T> {
  let body: unknown;
  try {
    body = json(request);
  } catch (error) {
    throw new ArmError(400, 'InvalidRequestContent', `The body is not JSON: ${String(error)}`);
  }
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new ArmError(400, 'InvalidRequestContent', z.prettifyError(parsed.error));
  return parsed.data;
}
