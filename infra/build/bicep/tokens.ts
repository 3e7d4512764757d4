/** A place in a file, counted from 1. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

export class BicepError extends Error {
  constructor(place: Place, what: string) {
    super(`${place.file}:${place.line}:${place.column}: ${what}`);
    this.name = 'BicepError';
  }
}

export type Token =
  | { kind: 'name'; text: string; place: Place }
  | { kind: 'number'; value: number; place: Place }
  /** Literal pieces with expressions between them: always one piece more than holes. */
  | { kind: 'string'; pieces: string[]; holes: Token[][]; place: Place }
  | { kind: 'newline'; place: Place }
  | { kind: 'mark'; text: string; place: Place }
  | { kind: 'end'; place: Place };

const MARKS = [
  ...['...', '==', '!=', '<=', '>=', '&&', '||', '??', '=>', '.?', '[?'],
  ...['{', '}', '[', ']', '(', ')', ',', ':', '?', '.', '=', '<', '>', '!', '+', '-', '*', '/', '%', '@'],
];

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\\': '\\', "'": "'", $: '$' };

/** Cuts a Bicep file into tokens. Newlines are tokens, because they part statements, properties and items. */
export function readTokens(source: string, file: string): Token[] {
  const lineStarts = [0];
  for (let at = 0; at < source.length; at++) if (source[at] === '\n') lineStarts.push(at + 1);
  const place = (at: number): Place => {
    let line = lineStarts.length;
    while (line > 1 && (lineStarts[line - 1] ?? 0) > at) line--;
    return { file, line, column: at - (lineStarts[line - 1] ?? 0) + 1 };
  };
  const { tokens, at } = read(0, false);
  return [...tokens, { kind: 'end', place: place(at) }];

  function read(from: number, inHole: boolean): { tokens: Token[]; at: number } {
    const tokens: Token[] = [];
    let at = from;
    let depth = 0;
    while (at < source.length) {
      const rest = source.slice(at, at + 3);
      const here = place(at);
      if (rest[0] === '\n') {
        tokens.push({ kind: 'newline', place: here });
        at++;
      } else if (/\s/.test(rest[0] ?? '')) at++;
      else if (rest.startsWith('//')) at = endOf('\n', at);
      // Directives to the linter.
      else if (source.startsWith('#disable-next-line', at)) at = endOf('\n', at);
      else if (rest.startsWith('/*')) at = endOf('*/', at) + 2;
      else if (rest === "'''") {
        const end = source.indexOf("'''", at + 3);
        if (end < 0) throw new BicepError(here, 'this text never ends');
        tokens.push({
          kind: 'string',
          pieces: [source.slice(at + 3, end).replace(/^\r?\n/, '')],
          holes: [],
          place: here,
        });
        at = end + 3;
      } else if (rest[0] === "'") {
        const string = readString(at);
        tokens.push(string.token);
        at = string.at;
      } else if (/\d/.test(rest[0] ?? '')) {
        const digits = /^\d+/.exec(source.slice(at))?.[0] ?? '';
        tokens.push({ kind: 'number', value: Number(digits), place: here });
        at += digits.length;
      } else if (/[A-Za-z_]/.test(rest[0] ?? '')) {
        const text = /^\w+/.exec(source.slice(at))?.[0] ?? '';
        tokens.push({ kind: 'name', text, place: here });
        at += text.length;
      } else {
        const text = MARKS.find((mark) => source.startsWith(mark, at));
        if (text === undefined) throw new BicepError(here, `unexpected ${JSON.stringify(rest[0])}`);
        if (inHole && text === '}' && depth === 0) return { tokens, at };
        if (text === '{') depth++;
        if (text === '}') depth--;
        tokens.push({ kind: 'mark', text, place: here });
        at += text.length;
      }
    }
    if (inHole) throw new BicepError(place(from), 'this ${ never ends');
    return { tokens, at };
  }

  function readString(from: number): { token: Token; at: number } {
    const pieces: string[] = [];
    const holes: Token[][] = [];
    let piece = '';
    let at = from + 1;
    for (;;) {
      const char = source[at];
      if (char === undefined || char === '\n') throw new BicepError(place(from), 'this text never ends');
      if (char === "'") break;
      if (char === '\\') {
        const escaped = ESCAPES[source[at + 1] ?? ''];
        if (escaped === undefined) throw new BicepError(place(at), `unknown escape \\${source[at + 1]}`);
        piece += escaped;
        at += 2;
      } else if (source.startsWith('${', at)) {
        const hole = read(at + 2, true);
        pieces.push(piece);
        holes.push([...hole.tokens, { kind: 'end', place: place(hole.at) }]);
        piece = '';
        at = hole.at + 1;
      } else {
        piece += char;
        at++;
      }
    }
    pieces.push(piece);
    return { token: { kind: 'string', pieces, holes, place: place(from) }, at: at + 1 };
  }

  function endOf(text: string, at: number): number {
    const end = source.indexOf(text, at);
    return end < 0 ? source.length : end;
  }
}
