import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const shared = new URL('../../shared/', import.meta.url);
const readme = readFileSync(new URL('README.md', shared), 'utf8');

/** Members of a union of literals, as the compiler reads them. */
function unionOf(file: string, name: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(new URL(file, shared), 'utf8'), ts.ScriptTarget.Latest);
  const found = source.statements.find((node) => ts.isTypeAliasDeclaration(node) && node.name.text === name);
  if (found === undefined || !ts.isTypeAliasDeclaration(found) || !ts.isUnionTypeNode(found.type)) {
    throw new Error(`${file} declares no union ${name}.`);
  }
  return found.type.types.map((member) =>
    ts.isLiteralTypeNode(member) && ts.isStringLiteral(member.literal) ? member.literal.text : '?',
  );
}

/** First cells of the table below the heading; a row that leaves a cell empty shows as such. */
function tableOf(name: string): string[] {
  const section = readme.split('### ').find((part) => part.startsWith(`${name}:`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) => /^\| `(\w+)` \| \S.* \| \S.* \|$/.exec(row)?.[1] ?? `unfilled: ${row}`);
}

describe('the tables of reasons', () => {
  it.each([
    ['restore/guard.ts', 'RestoreRefusalReason'],
    ['restore/key-restore.ts', 'KeyRestoreReason'],
    ['adoption/judge-retirement.ts', 'RetirementRefusalReason'],
    ['rotation/decision.ts', 'RotateReason'],
    ['rotation/decision.ts', 'KeepReason'],
    ['rotation/decision.ts', 'RefusalReason'],
    ['events/judge-key-event.ts', 'IgnoreReason'],
    ['rotation/proof.ts', 'UnprovableReason'],
    ['journal/verify.ts', 'ChainBreak'],
    ['incident/guards.ts', 'ContainmentReason'],
    ['incident/closing.ts', 'ClosingReason'],
    ['incident/judge-alert.ts', 'AlertReason'],
  ])('explain every member that %s gives %s, and no other', (file, name) => {
    expect(tableOf(name)).toEqual(unionOf(file, name));
  });
});
