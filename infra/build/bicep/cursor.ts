import { BicepError, type Token } from './tokens.ts';

/** A place among the tokens of a file, and what may be taken from there. */
export class Cursor {
  protected at = 0;
  protected readonly tokens: Token[];

  constructor(tokens: Token[]) {
    this.tokens = tokens;
  }

  protected peek(): Token {
    const token = this.tokens[this.at] ?? this.tokens.at(-1);
    if (!token) throw new Error('no tokens');
    return token;
  }

  protected peekAcrossLines(): Token {
    let at = this.at;
    while (this.tokens[at]?.kind === 'newline') at++;
    return this.tokens[at] ?? this.peek();
  }

  protected takeMarkAcrossLines(text: string): boolean {
    const token = this.peekAcrossLines();
    if (token.kind !== 'mark' || token.text !== text) return false;
    this.skipNewlines();
    this.at++;
    return true;
  }

  protected skipNewlines(): void {
    while (this.peek().kind === 'newline') this.at++;
  }

  protected takeMark(text: string): boolean {
    const token = this.peek();
    if (token.kind !== 'mark' || token.text !== text) return false;
    this.at++;
    return true;
  }

  protected takeName(text: string): boolean {
    const token = this.peek();
    if (token.kind !== 'name' || token.text !== text) return false;
    this.at++;
    return true;
  }

  protected mark(text: string): void {
    if (!this.takeMark(text)) this.fail(`expected ${text}`);
  }

  protected name(): string {
    const token = this.peek();
    if (token.kind !== 'name') return this.fail('expected a name');
    this.at++;
    return token.text;
  }

  protected text(): string {
    const token = this.peek();
    if (token.kind !== 'string' || token.holes.length > 0) return this.fail('expected a plain text');
    this.at++;
    return token.pieces[0] ?? '';
  }

  protected fail(what: string): never {
    throw new BicepError(this.peek().place, what);
  }
}
