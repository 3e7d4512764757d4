import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { operatorRoutes } from '../../../functions/operator/routes.ts';
import { DETECTORS } from '../../../shared/detection/detectors/index.ts';
import { ROOT, template } from '../azure/template.ts';
import { quoted, tableBelow } from './documents.ts';

const PATH = 'infra/docs/threat-model.md';
const COLUMNS = ['holder of', 'could', 'what limits it', 'what tells', 'what remains'];

describe('the threat model', () => {
  const identities = tableBelow(PATH, 'Identities of the app');
  const others = tableBelow(PATH, 'People and systems');

  test('speaks of each duty and of the host', () => {
    const local = JSON.parse(readFileSync(`${ROOT}infra/azure/hsm-roles.json`, 'utf8')) as { duty: string }[];
    const named = identities.flatMap((row) => quoted(row['holder of'] ?? ''));
    expect(['host', ...local.map(({ duty }) => duty)].filter((duty) => !named.includes(duty))).toEqual([]);
  });

  test('speaks of each app role', () => {
    const roles = new Set(operatorRoutes.flatMap(({ anyOf }) => anyOf));
    const named = others.map((row) => row['holder of']);
    expect([...roles].filter((role) => !named.includes(role))).toEqual([]);
  });

  test.each([...identities, ...others])(
    'says of $["holder of"] what it could do, what limits and tells it, and what remains',
    (row) => {
      expect(COLUMNS.filter((column) => (row[column] ?? '').length < 3)).toEqual([]);
    },
  );

  test('names only detectors and alert rules that exist', () => {
    const rules = (template.variables as { alertRules: string[] }).alertRules;
    const known = [...DETECTORS.map(({ id }) => id), ...rules];
    const told = [...identities, ...others].flatMap((row) => quoted(row['what tells'] ?? ''));
    const hyphened = told.filter((name) => /^[a-z]+(-[a-z]+)+$/.test(name));
    expect(hyphened.length).toBeGreaterThan(10);
    expect(hyphened.filter((name) => !known.includes(name))).toEqual([]);
    const alerts = [...identities, ...others].flatMap((row) =>
      [...(row['what tells'] ?? '').matchAll(/alert `([a-z-]+)`/g)].map(([, name = '']) => name),
    );
    expect(alerts.filter((name) => !rules.includes(name))).toEqual([]);
  });
});
