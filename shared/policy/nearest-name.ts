/** The known name that a misspelt one most likely means; undefined when none is near. */
export function nearestName(written: string, known: readonly string[]): string | undefined {
  const word = written.slice(0, 64).toLowerCase();
  const ranked = known
    .map((name) => ({ name, distance: editDistance(word, name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [nearest] = ranked;
  // A third of the letters wrong is another word, not a slip.
  return nearest !== undefined && nearest.distance <= Math.max(1, nearest.name.length / 3) ? nearest.name : undefined;
}

/** Levenshtein's: insertions, deletions and replacements, row by row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? a.length;
}
