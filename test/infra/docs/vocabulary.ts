import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';
import type { AppRole } from '../../../functions/operator/authorise.ts';
import { operatorRoutes } from '../../../functions/operator/routes.ts';
import { read, root } from './documents.ts';

/** Source files below a folder, by their paths from the root. */
const sources = (folder: string): string[] =>
  readdirSync(resolve(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`);

/** Every word that the app's code spells out in quotes (reasons, kinds, events, states, codes), or declares. */
export const spelledOut = (): Set<string> =>
  new Set(
    [...sources('shared'), ...sources('functions')].flatMap((file) =>
      [...read(file).matchAll(/'(\w+)'|\b(?:class|interface|type|const|function) (\w+)/g)].map(
        ([, quotedWord, declared]) => quotedWord ?? declared ?? '',
      ),
    ),
  );

/** The members of a union of texts that are written as `kind: '…'` anywhere in one type. */
export function kindsOf(file: string, type: string): string[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest);
  const declared = source.statements.find((node) => ts.isTypeAliasDeclaration(node) && node.name.text === type);
  if (declared === undefined) throw new Error(`${file} declares no type ${type}`);
  const kinds: string[] = [];
  const walk = (node: ts.Node) => {
    if (
      ts.isPropertySignature(node) &&
      node.name.getText(source) === 'kind' &&
      node.type !== undefined &&
      ts.isLiteralTypeNode(node.type) &&
      ts.isStringLiteral(node.type.literal)
    ) {
      kinds.push(node.type.literal.text);
    }
    ts.forEachChild(node, walk);
  };
  walk(declared);
  return kinds;
}

/**
 * Every public reason: members of a type that is called a reason, and what stands in a field `reason`, or first in a call of
 * `refuse`. Codes of problems count, too.
 */
export function reasonsIn(): string[] {
  const written = [
    /\breason: ('[A-Z]\w+'(?:\s*\| '[A-Z]\w+')*)/g,
    /\brefus(?:e|ed|al)\(\s*('[A-Z]\w+')/g,
    /export type \w*(?:Reason|ProblemCode) =([^;]+);/g,
  ];
  const found = [...sources('shared'), ...sources('functions')].flatMap((file) => {
    const text = read(file);
    return written.flatMap((pattern) =>
      [...text.matchAll(pattern)].flatMap(([, all = '']) => [...all.matchAll(/'(\w+)'/g)].map(([, one = '']) => one)),
    );
  });
  return [...new Set(found)].toSorted();
}

export interface Call {
  method: 'GET' | 'POST' | undefined;
  /** Below /api/. */
  path: string;
  /** The part of the estate's people that the call is made as. */
  as?: string;
}

/** Calls of the operator API that a text mentions: `POST /api/backups`, `/api/health`, or `ask operator backups '{…}'`. */
export function callsIn(text: string): Call[] {
  const plain = [...text.matchAll(/(?:\b(GET|POST) )?\/api\/([^\s`'"?)|,;]*[^\s`'"?)|,;.:])/g)].map(
    ([, method, path = '']): Call => ({ method: method as Call['method'], path }),
  );
  const asked = [
    ...text.matchAll(/\bask (viewer|operator|approver|auditor) ["']?([a-z][^\s"'?)]*)[^\s]*( ?["'@])?/g),
  ].map(([, as = '', path = '', body]): Call => ({ method: body === undefined ? 'GET' : 'POST', path, as }));
  return [...plain.filter(({ path }) => !path.startsWith('$')), ...asked];
}

/** What is wrong with a call, if anything. */
export function faultOf({ method, path, as }: Call): string | undefined {
  const routes = operatorRoutes.filter((route) => fits(route.path, path));
  if (routes.length === 0) return `no route ${path}`;
  const same = routes.filter((route) => method === undefined || route.method === method);
  if (same.length === 0) return `no ${method} ${path}`;
  if (as === undefined) return undefined;
  const role = `${as.charAt(0).toUpperCase()}${as.slice(1)}` as AppRole;
  return same.some(({ anyOf }) => anyOf.includes(role)) ? undefined : `${path} is not open to ${role}`;
}

/** A parameter stands for whatever is written in its place: `{id}`, `contoso`, `$ID`. */
function fits(template: string, path: string): boolean {
  const wanted = template.split('/');
  const given = path.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((step, index) => step === given[index] || (step.startsWith('{') && given[index] !== ''))
  );
}
