import { describe, expect, test } from 'vitest';
import { describeApi } from '../../../functions/operator/openapi.ts';
import { operatorRoutes } from '../../../functions/operator/routes.ts';
import { ROUTES } from '../../../functions/triggers/operator.http.ts';

const { paths, ...document } = describeApi('test') as {
  openapi: string;
  paths: Record<string, Record<string, { operationId: string; parameters: { name: string; in: string }[] }>>;
};

describe('the operator API', () => {
  test('registers just the routes that are validated and described', () => {
    const registered = ROUTES.map(({ operation, method, path }) => ({ operation, method, path }));
    expect(registered).toEqual(operatorRoutes.map(({ operation, method, path }) => ({ operation, method, path })));
  });

  test('has one operation for each method and path', () => {
    const routes = operatorRoutes.map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`);
    expect(new Set(routes).size).toBe(routes.length);
  });

  test.each(operatorRoutes.map((route) => [route.operation, route] as const))('describes %s', (operation, route) => {
    const described = paths[`/api/${route.path}`]?.[route.method.toLowerCase()];
    expect(described).toMatchObject({ operationId: operation });
    const named = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(described?.parameters.filter((each) => each.in === 'path').map(({ name }) => name)).toEqual(named);
    expect(JSON.stringify(described)).toContain('application/problem+json');
  });

  test('is OpenAPI 3.1 and survives JSON', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(JSON.parse(JSON.stringify(paths))).toEqual(paths);
  });

  test('tells of an Idempotency-Key wherever something acts, and nowhere else', () => {
    for (const { method, path } of operatorRoutes) {
      const { parameters = [] } = paths[`/api/${path}`]?.[method.toLowerCase()] ?? {};
      expect(parameters.some(({ name }) => name === 'Idempotency-Key')).toBe(method === 'POST');
    }
  });
});
