import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a deployment ships: every file of the folder that its .funcignore does not name. Paths with slashes, in order. */
export function packageFiles(root: string): string[] {
  const ignores = ignoring(readFileSync(join(root, '.funcignore'), 'utf8'));
  const walk = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (ignores(path)) return [];
      return entry.isDirectory() ? walk(path) : [path];
    });
  return walk('').toSorted();
}

/**
 * The part of the gitignore rules that .funcignore uses: a name anywhere, a path from the root, `*` and a leading `**`.
 */
export function ignoring(text: string): (path: string) => boolean {
  const rules = text
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const anywhere = !line.includes('/') || line.startsWith('**/');
      const glob = line
        .replace(/^(\*\*)?\//, '')
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '[^/]*');
      return new RegExp(`${anywhere ? '(^|/)' : '^'}${glob}$`);
    });
  return (path) => rules.some((rule) => rule.test(path));
}
