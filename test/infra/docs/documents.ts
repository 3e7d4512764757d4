import { readdirSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

export const root = new URL('../../../', import.meta.url).pathname;

/** Folders that hold what other people wrote, or what was built. */
const NOT_OURS = new Set(['node_modules', 'dist', '.git']);

/** Every Markdown file of the project, by its path from the root. */
export function markdownFiles(folder = root): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    const path = resolve(folder, entry.name);
    if (entry.isDirectory()) return markdownFiles(path);
    return entry.name.endsWith('.md') ? [relative(root, path)] : [];
  });
}

export const read = (path: string): string => readFileSync(resolve(root, path), 'utf8');

export interface Block {
  /** All that stands behind the three backticks. */
  info: string;
  lines: string[];
}

/** A document parted into its prose, line by line, and its fenced blocks. */
export function parts(text: string): { prose: string[]; blocks: Block[] } {
  const prose: string[] = [];
  const blocks: Block[] = [];
  let open: (Block & { indent: string }) | undefined;
  for (const line of text.split('\n')) {
    const fence = /^(\s*)```(.*)$/.exec(line);
    if (open) {
      if (fence && fence[2] === '') {
        blocks.push({ info: open.info, lines: open.lines });
        open = undefined;
      } else open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
    } else if (fence) open = { info: (fence[2] ?? '').trim(), lines: [], indent: fence[1] ?? '' };
    else prose.push(line);
  }
  if (open) throw new Error(`a block is never closed: ${open.info}`);
  return { prose, blocks };
}

/** As GitHub makes anchors of headings. */
export const anchorOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

export const headingsOf = (text: string): string[] =>
  parts(text).prose.flatMap((line) => /^#{1,6} (.+)$/.exec(line)?.[1] ?? []);

/** Links to files of the project: where they stand, the file and the anchor they mean. */
export function linksOf(path: string): { text: string; file: string; anchor: string | undefined }[] {
  return parts(read(path)).prose.flatMap((line) =>
    [...line.matchAll(/\]\(([^()\s]+)\)/g)].flatMap(([, target = '']) => {
      if (/^[a-z]+:/.test(target)) return [];
      const [file = '', anchor] = target.split('#');
      return [{ text: target, file: file === '' ? path : relative(root, resolve(root, dirname(path), file)), anchor }];
    }),
  );
}

export interface Row {
  [column: string]: string;
}

/** The rows of each table below a heading, by the names of their columns. */
export function tableBelow(path: string, heading: string): Row[] {
  const lines = read(path).split('\n');
  const at = lines.findIndex((line) => /^#{1,6} /.test(line) && line.replace(/^#+ /, '') === heading);
  if (at < 0) throw new Error(`${path} has no heading ${heading}`);
  const cells = (line: string) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim());
  const rows: Row[] = [];
  let columns: string[] | undefined;
  for (const line of lines.slice(at + 1)) {
    if (/^#{1,6} /.test(line)) break;
    if (!line.startsWith('|')) columns = undefined;
    else if (columns === undefined) columns = cells(line);
    else if (!/^[|\s:-]+$/.test(line)) {
      const values = cells(line);
      rows.push(Object.fromEntries(columns.map((column, index) => [column, values[index] ?? ''])));
    }
  }
  return rows;
}

/** Texts in backticks, of prose and tables. */
export const quoted = (text: string): string[] =>
  parts(text).prose.flatMap((line) => [...line.matchAll(/`([^`]+)`/g)].map(([, inner = '']) => inner));
