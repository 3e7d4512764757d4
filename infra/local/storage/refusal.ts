import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** What a storage service answers instead of acting. */
export class StorageRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;

  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.name = 'StorageRefusal';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Sends an error in the form of the storage services: XML, and the code again as a header. */
export function refuse(
  res: ServerResponse,
  error: { status: number; code: string; message: string; headers?: Record<string, string> },
): void {
  if (res.headersSent) return void res.destroy();
  const escaped = error.message.replace(/[<>&]/g, (mark) => `&#${mark.charCodeAt(0)};`);
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${error.code}</Code><Message>${escaped}</Message></Error>`;
  res.writeHead(error.status, {
    'content-type': 'application/xml',
    'x-ms-error-code': error.code,
    'x-ms-request-id': randomUUID(),
    ...error.headers,
  });
  res.end(body);
}
