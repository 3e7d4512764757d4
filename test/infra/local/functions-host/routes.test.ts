import { describe, expect, test } from 'vitest';
import { comparePrecedence, matchRoute, parseRoute } from '../../../../infra/local/functions-host/routes.ts';

describe('a route template', () => {
  test.each([
    ['a/{id}', '/a/1', { id: '1' }],
    ['a/{id}', '/A/1/', { id: '1' }],
    ['a/{id}', '/a', undefined],
    ['a/{id}', '/a/1/2', undefined],
    ['a/{id?}', '/a', {}],
    ['a/{*rest}', '/a', { rest: '' }],
    ['a/{*rest}', '/a/b%2Fc/d', { rest: 'b/c/d' }],
    ['a/{id:int}', '/a/-12', { id: '-12' }],
    ['a/{id:int}', '/a/x', undefined],
    ['a/{id:alpha}', '/a/x1', undefined],
    ['a/{id:guid}', '/a/0f8fad5b-d9cb-469f-a165-70867728950e', { id: '0f8fad5b-d9cb-469f-a165-70867728950e' }],
    ['a/{id:guid}', '/a/0f8fad5b', undefined],
    ['a/{id:length(2,3)?}', '/a/abc', { id: 'abc' }],
    ['a/{id:length(2,3)?}', '/a/abcd', undefined],
    ['a/{id:minlength(2):alpha}', '/a/b', undefined],
    ['a/{id:regex(^k-\\d{{2}}$)}', '/a/k-12', { id: 'k-12' }],
    ['a/{id:regex(^(x|y)/z$)}', '/a/q', undefined],
  ])('%s against %s', (template, path, parameters) => {
    expect(matchRoute(parseRoute(template), path)).toEqual(parameters);
  });

  test('with an unknown constraint is refused by name', () => {
    expect(() => parseRoute('a/{id:postcode}')).toThrow("does not know the constraint 'postcode'");
  });

  test('gives way to a more exact one', () => {
    const sorted = ['a/{*rest}', 'a/{id}', 'a/{id:int}', 'a/b', 'a'].map(parseRoute).toSorted(comparePrecedence);
    expect(sorted.map((route) => route.template)).toEqual(['a', 'a/b', 'a/{id:int}', 'a/{id}', 'a/{*rest}']);
  });
});
