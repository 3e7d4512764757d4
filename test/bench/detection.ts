import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Row } from './table.ts';

const ROWS = 1_000_000;

/** Reading and judging an hour of a busy log: rows a second, memory, and whether four times the rows take four times as long. */
export async function detection(): Promise<Row[]> {
  const child = fileURLToPath(new URL('bench-detection.js', import.meta.url));
  const measure = async (rows: number) => {
    const { stdout } = await promisify(execFile)(process.execPath, [child, String(rows)]);
    return JSON.parse(stdout) as { ms: number; groups: number; peakMegabytes: number };
  };
  const once = await measure(ROWS);
  const four = await measure(4 * ROWS);
  const rate = ROWS / (once.ms / 1000);
  return [
    [
      'rows counted and judged, against 50,000 a second',
      `${(rate / 50_000).toFixed(1)} x`,
      `${Math.round(rate).toLocaleString('en')} rows/s; an hour of ${ROWS / 1e6} million rows is ${once.groups} groups`,
    ],
    [
      'time for four times the rows',
      `${(four.ms / once.ms).toFixed(2)} x`,
      `${once.ms.toFixed(0)} and ${four.ms.toFixed(0)} ms`,
    ],
    [
      'peak memory of the judging process',
      `${once.peakMegabytes.toFixed(0)} MB`,
      `four times the rows: ${four.peakMegabytes.toFixed(0)} MB; at most 256`,
    ],
  ];
}
