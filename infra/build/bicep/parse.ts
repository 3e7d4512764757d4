import { ExpressionReader } from './read-expression.ts';
import type { Body, Decorator, Expression, Statement } from './syntax.ts';
import { BicepError, readTokens } from './tokens.ts';

/** Reads the part of Bicep that the templates use; anything else is refused by name and place. */
export function parseBicep(source: string, file: string): Statement[] {
  return new StatementReader(readTokens(source, file)).file();
}

class StatementReader extends ExpressionReader {
  file(): Statement[] {
    const statements: Statement[] = [];
    for (this.skipNewlines(); this.peek().kind !== 'end'; this.skipNewlines()) statements.push(this.statement());
    return statements;
  }

  protected statement(): Statement {
    const decorators: Decorator[] = [];
    while (this.takeMark('@')) {
      decorators.push(this.decorator());
      this.skipNewlines();
    }
    const place = this.peek().place;
    const keyword = this.name();
    if (keyword === 'targetScope') {
      this.mark('=');
      return { kind: 'targetScope', scope: this.text(), place };
    }
    if (!['param', 'var', 'output', 'resource', 'module'].includes(keyword))
      throw new BicepError(place, `the statement ${keyword} is not supported`);
    const name = this.name();
    const declared = { name, decorators, place };
    if (keyword === 'param') {
      const type = this.type();
      return this.takeMark('=')
        ? { kind: 'param', ...declared, type, default: this.expression() }
        : { kind: 'param', ...declared, type };
    }
    if (keyword === 'var') {
      this.mark('=');
      return { kind: 'var', ...declared, value: this.expression() };
    }
    if (keyword === 'output') {
      const type = this.type();
      this.mark('=');
      return { kind: 'output', ...declared, type, value: this.expression() };
    }
    const target = this.text();
    if (keyword === 'module') {
      this.mark('=');
      return { kind: 'module', ...declared, path: target, body: this.body() };
    }
    const [type, apiVersion] = target.split('@');
    if (!type || !apiVersion) throw new BicepError(place, `${target} is not a type with its api-version`);
    const existing = this.takeName('existing');
    this.mark('=');
    return { kind: 'resource', ...declared, type, apiVersion, existing, body: this.body() };
  }

  protected decorator(): Decorator {
    let name = this.name();
    while (this.takeMark('.')) name = this.name();
    this.mark('(');
    return { name, args: this.list(')') };
  }

  /** A type as written: `string`, `string[]`, `'a' | 'b'` are all that parameters here need. */
  protected type(): string {
    let type = this.name();
    while (this.takeMark('[')) {
      this.mark(']');
      type += '[]';
    }
    if (this.takeMark('?')) type += '?';
    return type;
  }

  protected body(): Body {
    if (this.takeMark('[')) {
      const loop = this.loopHead();
      const body = this.conditional();
      this.skipNewlines();
      this.mark(']');
      return { ...body, loop };
    }
    return this.conditional();
  }

  protected conditional(): Body {
    let condition: Expression | undefined;
    if (this.takeName('if')) {
      this.mark('(');
      condition = this.inside(() => this.expression());
      this.mark(')');
    }
    const value = this.expression();
    if (value.kind !== 'object') throw new BicepError(value.place, 'expected an object');
    return condition ? { condition, value } : { value };
  }
}
