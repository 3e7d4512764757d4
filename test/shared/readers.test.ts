import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import {
  boolean,
  json,
  listOf,
  matching,
  maybe,
  members,
  oneOf,
  type Read,
  recordOf,
  text,
} from '../../shared/readers.ts';

const name = /^[a-z]{1,3}$/;
const person = members({ name: matching(name), admin: maybe(boolean) });
const people = listOf(person, (all) => all.length > 0);

test.each<[string, Read<unknown>, unknown, unknown]>([
  ['a text that matches', matching(name), 'abc', { value: 'abc' }],
  ['a text that does not', matching(name), 'ABC', { wrongAt: [''] }],
  ['a number where a text belongs', matching(/^1$/), 1, { wrongAt: [''] }],
  ['a text as something else', text((given) => given !== '', Number), '17', { value: 17 }],
  ['one of some names', oneOf('on', 'off'), 'off', { value: 'off' }],
  ['none of them', oneOf('on', 'off'), 'toString', { wrongAt: [''] }],
  ['a list', people, [{ name: 'a' }], { value: [{ name: 'a' }] }],
  ['a list that is wrong as a whole', people, [], { wrongAt: [''] }],
  ['every place that is wrong', people, [{ name: 'a' }, { name: 1 }, 'b'], { wrongAt: ['1.name', '2'] }],
  ['a member that is missing', person, { admin: true }, { wrongAt: ['name'] }],
  ['a member that nobody asked for', person, { name: 'a', age: 3 }, { wrongAt: [''] }],
  ['no member of the prototype', members({ toString: maybe(boolean) }), {}, { value: { toString: undefined } }],
  ['a list where an object belongs', person, [], { wrongAt: [''] }],
  ['a record', recordOf(name, boolean), { a: true }, { value: { a: true } }],
  ['a record with a wrong name and a wrong value', recordOf(name, boolean), { A: true, b: 1 }, { wrongAt: ['A', 'b'] }],
  [
    'a record with a name that is none',
    recordOf(name, boolean),
    JSON.parse('{"__proto__":true}'),
    { wrongAt: ['__proto__'] },
  ],
  ['JSON', json(people), '[{"name":"a","admin":true}]', { value: [{ name: 'a', admin: true }] }],
  ['a place inside of JSON', json(people), '[{"name":"a","admin":1}]', { wrongAt: ['0.admin'] }],
  ['what is no JSON', json(people), '[', { wrongAt: [''] }],
])('reads %s', (_, read, given, found) => {
  expect(read(given)).toEqual(found);
});

describe('a reader and the same as a schema', () => {
  const cases: [string, Read<unknown>, z.ZodType][] = [
    [
      'members',
      people,
      z.array(z.strictObject({ name: z.string().regex(name), admin: z.boolean().optional() })).min(1),
    ],
    ['records', recordOf(name, listOf(boolean)), z.record(z.string().regex(name), z.array(z.boolean()))],
    ['names', oneOf('on', 'off'), z.enum(['on', 'off'])],
  ];
  // Not __proto__, over which zod passes in silence.
  const key = fc.constantFrom('name', 'admin', 'a', 'B', 'constructor');
  const likely = fc.oneof(
    fc.array(fc.record({ name: fc.constantFrom('a', 'abc'), admin: fc.boolean() }, { requiredKeys: ['name'] })),
    fc.dictionary(fc.constantFrom('a', 'abc'), fc.array(fc.boolean())),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<unknown>('a', 'abc', 'ABC', '', 'on', true, false, 0, null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    ),
  }));

  test.each(cases)('agree about %s: what is accepted, and what is made of it', (_, read, schema) => {
    fc.assert(
      fc.property(fc.oneof(value, likely), (made) => {
        const given: unknown = JSON.parse(JSON.stringify(made));
        const parsed = schema.safeParse(given);
        const found = read(given);
        expect('value' in found).toBe(parsed.success);
        if ('value' in found) expect(JSON.stringify(found.value)).toBe(JSON.stringify(parsed.data));
      }),
      { numRuns: 500 },
    );
  });
});
