/** What was measured, the figure, and what it was made of. */
export type Row = [measure: string, figure: string, detail: string];

export const median = (values: number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[middle - 1] ?? Number.NaN, sorted[middle] ?? Number.NaN];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
};

export function printTable(title: string, rows: Row[]): void {
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column as 0 | 1].length)));
  console.log(`\n${title}`);
  for (const [measure, figure, detail] of rows) {
    console.log(`  ${measure.padEnd(widths[0] ?? 0)}  ${figure.padStart(widths[1] ?? 0)}  ${detail}`);
  }
}
