import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { operatorRoutes } from '../../../functions/operator/routes.ts';
import { type Fields, made, ROOT, template } from './template.ts';

const azd = readFileSync(`${ROOT}azure.yaml`, 'utf8');
const parameters = JSON.parse(readFileSync(`${ROOT}infra/azure/main.parameters.json`, 'utf8')).parameters as Fields;

test('azd finds the template, its parameters and the app', () => {
  const value = (key: string) => new RegExp(`^\\s*${key}: (.+)$`, 'm').exec(azd)?.[1];
  expect(existsSync(`${ROOT}${value('path')}/${value('module')}.bicep`)).toBe(true);
  expect(azd).toMatch(/^services:\n {2}api:/m);
  expect(String(made('Microsoft.Web/sites')[0]?.body.tags)).toContain("'azd-service-name', 'api'");
});

test('the registration has the roles that the operator API asks for, and only people approve', () => {
  const roles = JSON.parse(readFileSync(`${ROOT}infra/azure/app-roles.json`, 'utf8')) as Fields[];
  const asked = new Set(operatorRoutes.flatMap(({ anyOf }) => anyOf));
  expect(roles.map(({ value }) => value).toSorted()).toEqual([...asked].toSorted());
  expect(new Set(roles.map(({ id }) => id)).size).toBe(roles.length);
  const members = Object.fromEntries(roles.map(({ value, allowedMemberTypes }) => [value, allowedMemberTypes]));
  expect(members).toMatchObject({ Approver: ['User'], ActionGroupsSecureWebhook: ['Application'] });
});

test('azd runs commands that exist', () => {
  const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: Record<string, string> };
  const run = [...azd.matchAll(/run: npm run (\S+)/g)].map(([, name]) => name ?? '');
  expect(run).toEqual(['setup', 'package']);
  for (const name of run) expect(scripts[name]).toBeDefined();
});

test('the parameters file gives what the template asks for, and nothing that it does not know', () => {
  const known = template.parameters as Record<string, Fields>;
  const required = Object.keys(known).filter(
    (name) => known[name]?.defaultValue === undefined && !known[name]?.nullable,
  );
  expect(Object.keys(parameters)).toEqual(expect.arrayContaining(required));
  expect(Object.keys(parameters).filter((name) => !known[name])).toEqual([]);
});

test('the parameters file holds no value of anybody: all of them come from the environment of azd', () => {
  const texts = (value: unknown): unknown[] =>
    typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [value];
  expect(texts(parameters).filter((text) => !/^\$\{\w+=?\}$/.test(String(text)))).toEqual([587, 'starttls']);
});
