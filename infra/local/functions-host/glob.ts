import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Files under `root` that match a `main` pattern: `*`, `**`, `?` and `{a,b}`, relative, in path order. */
export function matchFiles(root: string, pattern: string): string[] {
  const wanted = new RegExp(`^${translate(pattern.replace(/^\.\//, ''))}$`);
  return walk(root, '').filter((path) => wanted.test(path));
}

function translate(pattern: string): string {
  let depth = 0;
  return pattern.replace(/\*\*\/|\*\*|[\s\S]/g, (token) => {
    switch (token) {
      case '**/':
        return '(?:.*/)?';
      case '**':
        return '.*';
      case '*':
        return '[^/]*';
      case '?':
        return '[^/]';
      case '{':
        depth += 1;
        return '(?:';
      case '}':
        depth -= 1;
        return ')';
      case ',':
        return depth > 0 ? '|' : ',';
      default:
        return token.replace(/[.+^$()|[\]\\]/g, '\\$&');
    }
  });
}

const walk = (root: string, under: string): string[] =>
  readdirSync(join(root, under), { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = under === '' ? entry.name : `${under}/${entry.name}`;
      if (!entry.isDirectory()) return [path];
      return entry.name === 'node_modules' ? [] : walk(root, path);
    });
