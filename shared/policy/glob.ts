/**
 * `*` is any run of characters, `?` is one; letters compare without case, as the names of keys and HSMs do. Walks the text
 * with one step back at most, so that no pattern in a policy can make matching slow.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const [glob, name] = [pattern.toLowerCase(), text.toLowerCase()];
  let at = 0;
  let star = -1;
  let resume = 0;
  let position = 0;
  while (position < name.length) {
    if (glob[at] === '*') {
      star = at++;
      resume = position;
    } else if (at < glob.length && (glob[at] === '?' || glob[at] === name[position])) {
      at += 1;
      position += 1;
    } else if (star >= 0) {
      at = star + 1;
      position = ++resume;
    } else {
      return false;
    }
  }
  while (glob[at] === '*') at += 1;
  return at === glob.length;
}

/** How specific a pattern is: its characters that stand for themselves. */
export const literalLength = (pattern: string): number => pattern.replace(/[*?]/g, '').length;
