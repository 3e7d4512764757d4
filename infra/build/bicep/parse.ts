import type { Body, Decorator, Expression, Statement } from './syntax.ts';
import { BicepError, type Place, readTokens, type Token } from './tokens.ts';

const PRECEDENCE = [['??'], ['||'], ['&&'], ['==', '!='], ['<', '<=', '>', '>='], ['+', '-'], ['*', '/', '%']];

/** Reads the part of Bicep that the templates use; anything else is refused by name and place. */
export function parseBicep(source: string, file: string): Statement[] {
  return new Parser(readTokens(source, file)).file();
}

class Parser {
  #tokens: Token[];
  #at = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  file(): Statement[] {
    const statements: Statement[] = [];
    for (this.#skipNewlines(); this.#peek().kind !== 'end'; this.#skipNewlines()) statements.push(this.#statement());
    return statements;
  }

  whole(): Expression {
    const value = this.#expression();
    this.#skipNewlines();
    if (this.#peek().kind !== 'end') this.#fail('expected the end of this hole in the text');
    return value;
  }

  #statement(): Statement {
    const decorators: Decorator[] = [];
    while (this.#takeMark('@')) {
      decorators.push(this.#decorator());
      this.#skipNewlines();
    }
    const place = this.#peek().place;
    const keyword = this.#name();
    if (keyword === 'targetScope') {
      this.#mark('=');
      return { kind: 'targetScope', scope: this.#text(), place };
    }
    if (!['param', 'var', 'output', 'resource', 'module'].includes(keyword))
      throw new BicepError(place, `the statement ${keyword} is not supported`);
    const name = this.#name();
    const declared = { name, decorators, place };
    if (keyword === 'param') {
      const type = this.#type();
      return this.#takeMark('=')
        ? { kind: 'param', ...declared, type, default: this.#expression() }
        : { kind: 'param', ...declared, type };
    }
    if (keyword === 'var') {
      this.#mark('=');
      return { kind: 'var', ...declared, value: this.#expression() };
    }
    if (keyword === 'output') {
      const type = this.#type();
      this.#mark('=');
      return { kind: 'output', ...declared, type, value: this.#expression() };
    }
    const target = this.#text();
    if (keyword === 'module') {
      this.#mark('=');
      return { kind: 'module', ...declared, path: target, body: this.#body() };
    }
    const [type, apiVersion] = target.split('@');
    if (!type || !apiVersion) throw new BicepError(place, `${target} is not a type with its api-version`);
    const existing = this.#takeName('existing');
    this.#mark('=');
    return { kind: 'resource', ...declared, type, apiVersion, existing, body: this.#body() };
  }

  #decorator(): Decorator {
    let name = this.#name();
    while (this.#takeMark('.')) name = this.#name();
    this.#mark('(');
    return { name, args: this.#list(')') };
  }

  /** A type as written: `string`, `string[]`, `'a' | 'b'` are all that parameters here need. */
  #type(): string {
    let type = this.#name();
    while (this.#takeMark('[')) {
      this.#mark(']');
      type += '[]';
    }
    if (this.#takeMark('?')) type += '?';
    return type;
  }

  #body(): Body {
    if (this.#takeMark('[')) {
      const loop = this.#loopHead();
      const body = this.#conditional();
      this.#skipNewlines();
      this.#mark(']');
      return { ...body, loop };
    }
    return this.#conditional();
  }

  #conditional(): Body {
    let condition: Expression | undefined;
    if (this.#takeName('if')) {
      this.#mark('(');
      condition = this.#inside(() => this.#expression());
      this.#mark(')');
    }
    const value = this.#expression();
    if (value.kind !== 'object') throw new BicepError(value.place, 'expected an object');
    return condition ? { condition, value } : { value };
  }

  #loopHead() {
    this.#skipNewlines();
    if (!this.#takeName('for')) this.#fail('expected for');
    let item: string;
    let index: string | undefined;
    if (this.#takeMark('(')) {
      item = this.#name();
      this.#mark(',');
      index = this.#name();
      this.#mark(')');
    } else item = this.#name();
    if (!this.#takeName('in')) this.#fail('expected in');
    const over = this.#expression();
    this.#mark(':');
    return { item, ...(index === undefined ? {} : { index }), over };
  }

  #expression(): Expression {
    const condition = this.#binary(0);
    if (!this.#takeMarkAcrossLines('?')) return condition;
    this.#skipNewlines();
    const yes = this.#expression();
    if (!this.#takeMarkAcrossLines(':')) this.#fail('expected :');
    this.#skipNewlines();
    return { kind: 'choice', condition, yes, no: this.#expression(), place: condition.place };
  }

  #binary(level: number): Expression {
    const operators = PRECEDENCE[level];
    if (!operators) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const token = this.#peekAcrossLines();
      if (token.kind !== 'mark' || !operators.includes(token.text)) return left;
      this.#skipNewlines();
      this.#at++;
      this.#skipNewlines();
      left = { kind: 'binary', operator: token.text, left, right: this.#binary(level + 1), place: left.place };
    }
  }

  #unary(): Expression {
    const { place } = this.#peek();
    if (this.#takeMark('!')) return { kind: 'unary', operator: '!', value: this.#unary(), place };
    if (this.#takeMark('-')) return { kind: 'unary', operator: '-', value: this.#unary(), place };
    return this.#access(this.#primary());
  }

  #access(of: Expression): Expression {
    const { place } = of;
    if (this.#takeMark('.?')) return this.#access({ kind: 'member', of, name: this.#name(), safe: true, place });
    if (this.#takeMark('.')) {
      const name = this.#name();
      if (this.#takeMark('(')) {
        if (of.kind !== 'name')
          throw new BicepError(place, 'only functions of az and sys are called by their namespace');
        return this.#access({ kind: 'call', callee: name, args: this.#list(')'), place });
      }
      return this.#access({ kind: 'member', of, name, safe: false, place });
    }
    const safe = this.#takeMark('[?');
    if (safe || this.#takeMark('[')) {
      const index = this.#expression();
      this.#mark(']');
      return this.#access({ kind: 'index', of, index, safe, place });
    }
    if (this.#takeMark('!')) return this.#access(of);
    return of;
  }

  #primary(): Expression {
    const token = this.#peek();
    const { place } = token;
    this.#at++;
    if (token.kind === 'number') return { kind: 'literal', value: token.value, place };
    if (token.kind === 'string') {
      if (token.holes.length === 0) return { kind: 'literal', value: token.pieces[0] ?? '', place };
      const holes = token.holes.map((hole) => new Parser(hole).whole());
      return { kind: 'interpolation', pieces: token.pieces, holes, place };
    }
    if (token.kind === 'name') return this.#named(token.text, place);
    if (token.kind === 'mark' && token.text === '(') return this.#parenthesised(place);
    if (token.kind === 'mark' && token.text === '[') return this.#array(place);
    if (token.kind === 'mark' && token.text === '{') return this.#object(place);
    throw new BicepError(place, 'expected a value');
  }

  #named(name: string, place: Place): Expression {
    if (name === 'true' || name === 'false') return { kind: 'literal', value: name === 'true', place };
    if (name === 'null') return { kind: 'literal', value: null, place };
    if (this.#takeMark('=>')) return { kind: 'lambda', names: [name], body: this.#lambdaBody(), place };
    if (this.#takeMark('(')) return { kind: 'call', callee: name, args: this.#list(')'), place };
    return { kind: 'name', name, place };
  }

  #parenthesised(place: Place): Expression {
    const from = this.#at;
    const names: string[] = [];
    while (this.#peek().kind === 'name') {
      names.push(this.#name());
      if (!this.#takeMark(',')) break;
    }
    if (this.#takeMark(')') && this.#takeMark('=>')) return { kind: 'lambda', names, body: this.#lambdaBody(), place };
    this.#at = from;
    const value = this.#inside(() => this.#expression());
    this.#mark(')');
    return value;
  }

  #lambdaBody(): Expression {
    this.#skipNewlines();
    return this.#expression();
  }

  #array(place: Place): Expression {
    this.#skipNewlines();
    const first = this.#peek();
    if (first.kind === 'name' && first.text === 'for') {
      const head = this.#loopHead();
      this.#skipNewlines();
      const body = this.#expression();
      this.#skipNewlines();
      this.#mark(']');
      return { kind: 'loop', ...head, body, place };
    }
    const items: { spread: boolean; value: Expression }[] = [];
    while (!this.#takeMark(']')) {
      const spread = this.#takeMark('...');
      items.push({ spread, value: this.#expression() });
      this.#separator();
    }
    return { kind: 'array', items, place };
  }

  #object(place: Place): Expression {
    const members: { key: Expression | 'spread'; value: Expression }[] = [];
    this.#skipNewlines();
    while (!this.#takeMark('}')) {
      if (this.#takeMark('...')) members.push({ key: 'spread', value: this.#expression() });
      else {
        const token = this.#peek();
        const key: Expression =
          token.kind === 'name' ? { kind: 'literal', value: this.#name(), place: token.place } : this.#primary();
        this.#mark(':');
        this.#skipNewlines();
        members.push({ key, value: this.#expression() });
      }
      this.#separator();
    }
    return { kind: 'object', members, place };
  }

  #list(close: string): Expression[] {
    const values: Expression[] = [];
    this.#skipNewlines();
    while (!this.#takeMark(close)) {
      values.push(this.#expression());
      this.#separator();
    }
    return values;
  }

  /** A comma, a newline, or the end of the list that follows. */
  #separator(): void {
    this.#skipNewlines();
    this.#takeMark(',');
    this.#skipNewlines();
  }

  #inside<T>(read: () => T): T {
    this.#skipNewlines();
    const value = read();
    this.#skipNewlines();
    return value;
  }

  #peek(): Token {
    const token = this.#tokens[this.#at] ?? this.#tokens.at(-1);
    if (!token) throw new Error('no tokens');
    return token;
  }

  #peekAcrossLines(): Token {
    let at = this.#at;
    while (this.#tokens[at]?.kind === 'newline') at++;
    return this.#tokens[at] ?? this.#peek();
  }

  #takeMarkAcrossLines(text: string): boolean {
    const token = this.#peekAcrossLines();
    if (token.kind !== 'mark' || token.text !== text) return false;
    this.#skipNewlines();
    this.#at++;
    return true;
  }

  #skipNewlines(): void {
    while (this.#peek().kind === 'newline') this.#at++;
  }

  #takeMark(text: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'mark' || token.text !== text) return false;
    this.#at++;
    return true;
  }

  #takeName(text: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'name' || token.text !== text) return false;
    this.#at++;
    return true;
  }

  #mark(text: string): void {
    if (!this.#takeMark(text)) this.#fail(`expected ${text}`);
  }

  #name(): string {
    const token = this.#peek();
    if (token.kind !== 'name') return this.#fail('expected a name');
    this.#at++;
    return token.text;
  }

  #text(): string {
    const token = this.#peek();
    if (token.kind !== 'string' || token.holes.length > 0) return this.#fail('expected a plain text');
    this.#at++;
    return token.pieces[0] ?? '';
  }

  #fail(what: string): never {
    throw new BicepError(this.#peek().place, what);
  }
}
