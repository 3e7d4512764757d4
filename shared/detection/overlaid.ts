/** A record with some entries new or changed; the record itself where nothing did. Neither is written to. */
export const overlaid = <T>(before: Record<string, T>, changed: ReadonlyMap<string, T>): Record<string, T> =>
  // Spread defines properties, so that a key called `__proto__` is a key like any other.
  changed.size === 0 ? before : { ...before, ...Object.fromEntries(changed) };
