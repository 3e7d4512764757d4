import { createRequire } from 'node:module';
import { type Diagnostic, type Place, QueryRefusal } from './refusal.ts';
import { type Type, typeNamed } from './value.ts';

/** A table as the parser is told of it. */
export interface TableSchema {
  name: string;
  columns: readonly { name: string; type: Type }[];
}

/** A node of the parser's tree. Its members are those of Microsoft's C# library, which was compiled to JavaScript. */
export interface Node {
  readonly [member: string]: unknown;
}
interface List {
  Count: number;
  getItem(index: number): unknown;
}
interface Parser {
  typeName(node: unknown): string;
  analyse(text: string, schema: Schema): { Syntax: Node; ResultType: unknown; GetDiagnostics(): List };
  schema(tables: readonly TableSchema[]): Schema;
}
/** The parser's own description of a set of tables. */
type Schema = object;

let loaded: Parser | undefined;

/** Loads the parser at the first query: it takes a third of a second and 50 MB. */
function parser(): Parser {
  if (loaded) return loaded;
  const require = createRequire(import.meta.url);
  require('@kusto/language-service-next/bridge.min.js');
  require('@kusto/language-service-next/Kusto.Language.Bridge.min.js');
  const { Bridge, Kusto } = globalThis as unknown as {
    Bridge: { getTypeName(node: unknown): string };
    // biome-ignore lint/suspicious/noExplicitAny: the library's own declarations are 34,000 lines of compiled names.
    Kusto: any;
  };
  const { Symbols, GlobalState, KustoCode } = Kusto.Language;
  loaded = {
    typeName: (node) => Bridge.getTypeName(node),
    analyse: (text, schema) => KustoCode.ParseAndAnalyze(text, schema),
    schema: (tables) => {
      const symbols = tables.map(({ name, columns }) =>
        Symbols.TableSymbol.From(`(${columns.map((one) => `['${one.name}']: ${one.type}`).join(', ')})`).WithName(name),
      );
      return GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('workspace', symbols));
    },
  };
  return loaded;
}

/** Schemas by what they hold: building one costs more than most queries. */
const schemas = new Map<string, Schema>();
function schemaOf(tables: readonly TableSchema[]): Schema {
  const key = JSON.stringify(tables.map(({ name, columns }) => [name, columns.map((one) => [one.name, one.type])]));
  const known = schemas.get(key);
  if (known) return known;
  if (schemas.size >= 16) schemas.clear();
  const made = parser().schema(tables);
  schemas.set(key, made);
  return made;
}

export interface Parsed {
  text: string;
  root: Node;
  diagnostics: Diagnostic[];
  /** How often each name is read; inside a function, which may be called again, twice as often. */
  references: ReadonlyMap<string, number>;
}

/** Newest last, by schema and by text with its instants masked. */
const parsed = new Map<string, Omit<Parsed, 'text'>>();
const MOST_PARSED = 64;

/**
 * Parses and type-checks a query against tables. Faults are in `diagnostics`; nothing is thrown for them. Queries that differ
 * in nothing but instants, as those of one sweep and the next, are parsed once: an instant of the tree is to be read from the
 * text, where it stands at the same place (literal.ts).
 */
export function parseQuery(text: string, tables: readonly TableSchema[]): Parsed {
  const masked = text.replace(INSTANT, maskOf);
  const schema = schemaOf(tables);
  const key = `${schemaNumber(schema)} ${masked}`;
  const known = parsed.get(key) ?? parse(masked, schema);
  parsed.delete(key);
  parsed.set(key, known);
  const oldest = parsed.keys().next();
  if (parsed.size > MOST_PARSED && !oldest.done) parsed.delete(oldest.value);
  return { text, ...known };
}

const INSTANT = /(?<=datetime\()\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z(?=\))/g;
/** Another instant, of the same length. */
const maskOf = (instant: string): string => instant.replace(/\d/g, (_digit, at: number) => MASK[at] ?? '0');
const MASK = '2000-01-01T00:00:00';

const schemaNumbers = new WeakMap<Schema, number>();
let schemasNumbered = 0;
function schemaNumber(schema: Schema): number {
  const number = schemaNumbers.get(schema) ?? schemasNumbered++;
  schemaNumbers.set(schema, number);
  return number;
}

function parse(text: string, schema: Schema): Omit<Parsed, 'text'> {
  const code = parser().analyse(text, schema);
  const diagnostics = listed(code.GetDiagnostics()).map((one): Diagnostic => {
    const { Code, Severity, Message, Start, Length } = one as Record<string, string | number>;
    return {
      ...placeAt(text, Number(Start), Number(Length)),
      code: String(Code),
      severity: Severity === 'Error' ? 'error' : 'warning',
      message: String(Message),
    };
  });
  return { root: code.Syntax, diagnostics, references: referencesIn(code.Syntax) };
}

function referencesIn(root: Node): Map<string, number> {
  const found = new Map<string, number>();
  const walk = (node: Node, weight: number): void => {
    const of = kind(node);
    if (of === 'NameReference') found.set(nameOf(node), (found.get(nameOf(node)) ?? 0) + weight);
    const { ChildCount, GetChild } = node as { ChildCount: number; GetChild(index: number): Node | null };
    for (let index = 0; index < ChildCount; index++) {
      const inside = GetChild.call(node, index);
      if (inside) walk(inside, of === 'FunctionDeclaration' ? 2 : weight);
    }
  };
  walk(root, 1);
  return found;
}

function placeAt(text: string, start: number, length: number): Place & { token: string } {
  const before = text.slice(0, start).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  return { start, length, line: before.length, column, token: text.slice(start, start + length) };
}

/** Refuses a part of a query that the estate does not execute, by its name and place. */
export function refuse(text: string, node: Node, what: string): never {
  const place = placeAt(text, Number(node.TextStart), Number(node.Width));
  const message = `The estate does not execute ${what} (line ${place.line}, position ${place.column}).`;
  throw new QueryRefusal([{ ...place, code: 'NotExecuted', severity: 'error', message }]);
}

/** Kinds by what constructs such nodes: the library works a name out anew each time. */
const kinds = new Map<unknown, string>();

/** `FilterOperator`, `NameReference`, … */
export function kind(node: unknown): string {
  const made = (node as { constructor: unknown }).constructor;
  const known = kinds.get(made);
  if (known !== undefined) return known;
  const name = parser().typeName(node);
  const plain = name.slice(name.lastIndexOf('.') + 1);
  kinds.set(made, plain);
  return plain;
}

export const child = (node: Node, member: string): Node => node[member] as Node;
export const optional = (node: Node, member: string): Node | undefined => (node[member] as Node | null) ?? undefined;

/** The members of one of the parser's lists, out of their separators. */
export function items(list: unknown): Node[] {
  return listed(list).map((one) => {
    const element = (one as Node).Element$1 ?? (one as Node).Element;
    return (element ?? one) as Node;
  });
}

function listed(list: unknown): unknown[] {
  if (list === null || list === undefined) return [];
  if (Array.isArray(list)) return list;
  const { Count, getItem } = list as List;
  return Array.from({ length: Count }, (_, index) => getItem.call(list, index));
}

/** What a token or node says. */
export const textOf = (node: unknown): string => {
  const { Text, ValueText } = node as { Text?: string; ValueText?: string };
  return String(Text ?? ValueText ?? (node as { toString(mode?: number): string }).toString()).trim();
};
export const nameOf = (node: Node): string => String(node.SimpleName ?? node.Name ?? '');

const resultName = (symbol: unknown): string | undefined => (symbol as { Name?: string } | null)?.Name;

/** The type that the parser gave an expression; undefined where it has none of a cell. */
export const typeOf = (node: Node): Type | undefined => typeNamed(resultName(node.ResultType) ?? '');

export const isTabular = (node: Node): boolean => node.ResultType != null && kind(node.ResultType) === 'TableSymbol';

/** Names and types of the columns that the parser gave a tabular expression. */
export function columnsOf(node: Node): { name: string; type: Type }[] {
  const columns = (node.ResultType as { Columns?: unknown } | null)?.Columns;
  return listed(columns).map((one) => {
    const { Name, Type: type } = one as { Name: string; Type: { Name: string } };
    return { name: Name, type: typeNamed(type.Name) ?? 'dynamic' };
  });
}

/** What a name refers to: `ColumnSymbol`, `VariableSymbol`, `ParameterSymbol`, `TableSymbol`, `FunctionSymbol`. */
export const referent = (node: Node): string => (node.ReferencedSymbol == null ? '' : kind(node.ReferencedSymbol));

/** `kind=inner` and the like. */
export function parameters(node: Node): Map<string, Node> {
  return new Map(items(node.Parameters).map((one) => [nameOf(child(one, 'Name')), child(one, 'Expression')]));
}
