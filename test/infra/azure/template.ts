import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type Fields = { [key: string]: Json };

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** As it is committed, and so as it is deployed: in-step.test.ts holds it to the Bicep files. */
export const template = JSON.parse(readFileSync(`${ROOT}infra/azure/main.json`, 'utf8')) as { [key: string]: Fields };

export interface Deployed {
  /** Symbolic names of the modules around it and its own, as `stateAccount/account`. */
  at: string;
  type: string;
  body: Fields;
  properties: Fields;
  /** Resource that is there already and only spoken of. */
  existing: boolean;
}

/** Every resource of a template and of its modules. */
export function everything(from: Fields = template, path = ''): Deployed[] {
  return Object.entries(from.resources as Fields).flatMap(([name, value]) => {
    const body = value as Fields;
    const at = `${path}${name}`;
    const properties = (body.properties ?? {}) as Fields;
    if (body.type === 'Microsoft.Resources/deployments') return everything(properties.template as Fields, `${at}/`);
    return [{ at, type: String(body.type), body, properties, existing: body.existing === true }];
  });
}

export const made = (type: string): Deployed[] =>
  everything().filter((resource) => resource.type === type && !resource.existing);

export interface ModuleCall {
  at: string;
  params: Fields;
}

/** Every use of a module, with what it is given. */
export function modules(from: Fields = template, path = ''): ModuleCall[] {
  return Object.entries(from.resources as Fields).flatMap(([name, value]) => {
    const body = value as { type?: Json; properties?: { parameters?: Fields; template?: Fields } };
    if (body.type !== 'Microsoft.Resources/deployments' || !body.properties?.template) return [];
    const given = Object.entries(body.properties.parameters ?? {});
    const params = Object.fromEntries(given.map(([key, one]) => [key, (one as { value: Json }).value]));
    return [{ at: `${path}${name}`, params }, ...modules(body.properties.template, `${path}${name}/`)];
  });
}

export const params = (module: string): Fields => {
  const found = modules().find(({ at }) => at === module);
  if (!found) throw new Error(`no module is called ${module}`);
  return found.params;
};

/** The duty whose identity an expression speaks of. */
export const dutyIn = (expression: Json): string | undefined =>
  /reference\('identities'\)\.outputs\.(\w+)\.value/.exec(String(expression))?.[1];

/** The module whose output an expression takes: `stateAccount`. */
export const sourceOf = (expression: Json): string =>
  /reference\('(\w+)'\)\.outputs/.exec(String(expression))?.[1] ?? String(expression);
