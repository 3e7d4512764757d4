import { createLog, type Log } from '../../shared/log.ts';

/** A log that keeps its lines. */
export function createFakeLog(): { log: Log; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return { log: createLog({ debug: write, info: write, warn: write, error: write }), lines };
}
