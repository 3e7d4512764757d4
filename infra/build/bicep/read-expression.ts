import { Cursor } from './cursor.ts';
import type { Expression } from './syntax.ts';
import { BicepError, type Place } from './tokens.ts';

const PRECEDENCE = [['??'], ['||'], ['&&'], ['==', '!='], ['<', '<=', '>', '>='], ['+', '-'], ['*', '/', '%']];

/** Reads values: literals, names, calls, operators, lists, objects. */
export class ExpressionReader extends Cursor {
  whole(): Expression {
    const value = this.expression();
    this.skipNewlines();
    if (this.peek().kind !== 'end') this.fail('expected the end of this hole in the text');
    return value;
  }

  protected loopHead() {
    this.skipNewlines();
    if (!this.takeName('for')) this.fail('expected for');
    let item: string;
    let index: string | undefined;
    if (this.takeMark('(')) {
      item = this.name();
      this.mark(',');
      index = this.name();
      this.mark(')');
    } else item = this.name();
    if (!this.takeName('in')) this.fail('expected in');
    const over = this.expression();
    this.mark(':');
    return { item, ...(index === undefined ? {} : { index }), over };
  }

  protected expression(): Expression {
    const condition = this.binary(0);
    if (!this.takeMarkAcrossLines('?')) return condition;
    this.skipNewlines();
    const yes = this.expression();
    if (!this.takeMarkAcrossLines(':')) this.fail('expected :');
    this.skipNewlines();
    return { kind: 'choice', condition, yes, no: this.expression(), place: condition.place };
  }

  protected binary(level: number): Expression {
    const operators = PRECEDENCE[level];
    if (!operators) return this.unary();
    let left = this.binary(level + 1);
    for (;;) {
      const token = this.peekAcrossLines();
      if (token.kind !== 'mark' || !operators.includes(token.text)) return left;
      this.skipNewlines();
      this.at++;
      this.skipNewlines();
      left = { kind: 'binary', operator: token.text, left, right: this.binary(level + 1), place: left.place };
    }
  }

  protected unary(): Expression {
    const { place } = this.peek();
    if (this.takeMark('!')) return { kind: 'unary', operator: '!', value: this.unary(), place };
    if (this.takeMark('-')) return { kind: 'unary', operator: '-', value: this.unary(), place };
    return this.access(this.primary());
  }

  protected access(of: Expression): Expression {
    const { place } = of;
    if (this.takeMark('.?')) return this.access({ kind: 'member', of, name: this.name(), safe: true, place });
    if (this.takeMark('.')) {
      const name = this.name();
      if (this.takeMark('(')) {
        if (of.kind !== 'name')
          throw new BicepError(place, 'only functions of az and sys are called by their namespace');
        return this.access({ kind: 'call', callee: name, args: this.list(')'), place });
      }
      return this.access({ kind: 'member', of, name, safe: false, place });
    }
    const safe = this.takeMark('[?');
    if (safe || this.takeMark('[')) {
      const index = this.expression();
      this.mark(']');
      return this.access({ kind: 'index', of, index, safe, place });
    }
    if (this.takeMark('!')) return this.access(of);
    return of;
  }

  protected primary(): Expression {
    const token = this.peek();
    const { place } = token;
    this.at++;
    if (token.kind === 'number') return { kind: 'literal', value: token.value, place };
    if (token.kind === 'string') {
      if (token.holes.length === 0) return { kind: 'literal', value: token.pieces[0] ?? '', place };
      const holes = token.holes.map((hole) => new ExpressionReader(hole).whole());
      return { kind: 'interpolation', pieces: token.pieces, holes, place };
    }
    if (token.kind === 'name') return this.named(token.text, place);
    if (token.kind === 'mark' && token.text === '(') return this.parenthesised(place);
    if (token.kind === 'mark' && token.text === '[') return this.array(place);
    if (token.kind === 'mark' && token.text === '{') return this.object(place);
    throw new BicepError(place, 'expected a value');
  }

  protected named(name: string, place: Place): Expression {
    if (name === 'true' || name === 'false') return { kind: 'literal', value: name === 'true', place };
    if (name === 'null') return { kind: 'literal', value: null, place };
    if (this.takeMark('=>')) return { kind: 'lambda', names: [name], body: this.lambdaBody(), place };
    if (this.takeMark('(')) return { kind: 'call', callee: name, args: this.list(')'), place };
    return { kind: 'name', name, place };
  }

  protected parenthesised(place: Place): Expression {
    const from = this.at;
    const names: string[] = [];
    while (this.peek().kind === 'name') {
      names.push(this.name());
      if (!this.takeMark(',')) break;
    }
    if (this.takeMark(')') && this.takeMark('=>')) return { kind: 'lambda', names, body: this.lambdaBody(), place };
    this.at = from;
    const value = this.inside(() => this.expression());
    this.mark(')');
    return value;
  }

  protected lambdaBody(): Expression {
    this.skipNewlines();
    return this.expression();
  }

  protected array(place: Place): Expression {
    this.skipNewlines();
    const first = this.peek();
    if (first.kind === 'name' && first.text === 'for') {
      const head = this.loopHead();
      this.skipNewlines();
      const body = this.expression();
      this.skipNewlines();
      this.mark(']');
      return { kind: 'loop', ...head, body, place };
    }
    const items: { spread: boolean; value: Expression }[] = [];
    while (!this.takeMark(']')) {
      const spread = this.takeMark('...');
      items.push({ spread, value: this.expression() });
      this.separator(']');
    }
    return { kind: 'array', items, place };
  }

  protected object(place: Place): Expression {
    const members: { key: Expression | 'spread'; value: Expression }[] = [];
    this.skipNewlines();
    while (!this.takeMark('}')) {
      if (this.takeMark('...')) members.push({ key: 'spread', value: this.expression() });
      else {
        const token = this.peek();
        const key: Expression =
          token.kind === 'name' ? { kind: 'literal', value: this.name(), place: token.place } : this.primary();
        this.mark(':');
        this.skipNewlines();
        members.push({ key, value: this.expression() });
      }
      this.separator('}');
    }
    return { kind: 'object', members, place };
  }

  protected list(close: string): Expression[] {
    const values: Expression[] = [];
    this.skipNewlines();
    while (!this.takeMark(close)) {
      values.push(this.expression());
      this.separator(close);
    }
    return values;
  }

  /** A comma, a newline, or the end of the list that follows. Only arguments go on in the next line after a comma (BCP238). */
  protected separator(close: string): void {
    const newline = this.peek().kind === 'newline';
    this.skipNewlines();
    const comma = this.takeMark(',');
    if (comma && close !== ')' && this.peek().kind === 'newline') this.fail('unexpected new line after a comma');
    this.skipNewlines();
    const next = this.peek();
    if (!newline && !comma && !(next.kind === 'mark' && next.text === close))
      this.fail(`expected a comma, a new line or ${close}`);
  }

  protected inside<T>(read: () => T): T {
    this.skipNewlines();
    const value = read();
    this.skipNewlines();
    return value;
  }
}
