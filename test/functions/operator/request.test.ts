import { HttpRequest, type HttpRequestBodyInit } from '@azure/functions';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Problem, ProblemError } from '../../../functions/operator/problem.ts';
import { parseRequest } from '../../../functions/operator/request.ts';
import { type OperatorRoute, operatorRoutes } from '../../../functions/operator/routes.ts';

const rotation = operatorRoutes.find(({ operation }) => operation === 'requestRotation') as OperatorRoute;
const key = { hsm: 'contoso', name: 'orders' };

interface Sent {
  params?: Record<string, string>;
  query?: string;
  body?: string;
  headers?: Record<string, string>;
}

function aRequest({ params = key, query = '', body = '{"reason":"test"}', headers = {} }: Sent): HttpRequest {
  const url = new URL(`http://localhost/api/keys/x/y/rotation${query}`);
  const made = new HttpRequest({
    method: 'POST',
    url: url.href,
    params,
    headers,
    body: { string: body } as HttpRequestBodyInit,
  });
  // The constructor takes a record and would drop repeats; the host hands over the query as it was sent.
  Object.defineProperty(made, 'query', { value: url.searchParams });
  return made;
}

const parse = (sent: Sent) => parseRequest(rotation, aRequest(sent));
const refusal = async (sent: Sent): Promise<Problem> => {
  const error = await parse(sent).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ProblemError)) throw new Error(`expected a problem, got ${String(error)}`);
  return error.problem;
};

describe('a request', () => {
  test('is parsed with its defaults', async () => {
    expect(await parse({ query: '?dryRun=true', headers: { 'Idempotency-Key': 'ticket-0815' } })).toEqual({
      params: key,
      query: { dryRun: 'true' },
      body: { reason: 'test', overrides: [] },
      idempotencyKey: 'ticket-0815',
    });
  });

  test('is told all its faults at once, each with field, rule and example', async () => {
    const { status, code, errors } = await refusal({
      params: { hsm: '9', name: 'not_a_name' },
      query: '?dryrun=true',
      body: '{"reason":"x","overrides":["window","all"],"expectedVersion":"newest","force":true}',
      headers: { 'idempotency-key': 'short' },
    });
    expect({ status, code }).toEqual({ status: 400, code: 'InvalidRequest' });
    expect(errors?.map(({ field }) => field).sort()).toEqual([
      'body expectedVersion',
      'body force',
      'body overrides.1',
      'body reason',
      'header Idempotency-Key',
      'path hsm',
      'path name',
      'query dryrun',
    ]);
    const known = errors?.filter(({ rule }) => rule !== 'is not known here');
    for (const fault of known ?? []) expect(fault).toMatchObject({ rule: expect.stringMatching(/^must /) });
    expect(known?.filter(({ example }) => example === undefined).map(({ field }) => field)).toEqual([
      'body overrides.1',
    ]);
  });

  test.each([
    ['dryrun=true', 'query dryrun'],
    ['DryRun=true', 'query DryRun'],
    ['dryRun=yes', 'query dryRun'],
    ['dryRun=', 'query dryRun'],
    ['dryRun=true&dryRun=false', 'query dryRun'],
    ['constructor=1', 'query constructor'],
  ])('with ?%s is refused, because a misspelt dryRun must not act', async (query, field) => {
    expect((await refusal({ query: `?${query}` })).errors).toMatchObject([{ field }]);
  });

  test.each([
    ['', 'must be JSON'],
    ['{"reason":', 'must be JSON'],
    [JSON.stringify({ reason: 'x'.repeat(70_000) }), 'must be at most 65536 characters'],
  ])('with an unusable body is told just that', async (body, rule) => {
    expect((await refusal({ body })).errors).toMatchObject([{ field: 'body (whole)', rule }]);
  });

  test('with thousands of faults gets an answer that stays short', async () => {
    const { errors } = await refusal({ body: JSON.stringify({ reason: 'test', overrides: Array(5000).fill('x') }) });
    expect(errors).toHaveLength(20);
  });

  test.each([
    ['1234567', false],
    ['12345678', true],
    ['x'.repeat(128), true],
    ['x'.repeat(129), false],
    ['with a blank', false],
  ])('with the Idempotency-Key %s is accepted: %s', async (value, accepted) => {
    const outcome = parse({ headers: { 'Idempotency-Key': value } });
    await (accepted
      ? expect(outcome).resolves.toMatchObject({ idempotencyKey: value })
      : expect(outcome).rejects.toBeInstanceOf(ProblemError));
  });

  test('whatever it holds is parsed or answered as a problem', async () => {
    const name = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'reason', 'dryRun'));
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc.record({ reason: fc.anything(), overrides: fc.anything(), expectedVersion: fc.anything() }).map((value) => {
        try {
          return JSON.stringify(value) ?? '';
        } catch (cyclicOrBig) {
          return String(cyclicOrBig);
        }
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        body,
        fc.array(fc.tuple(name, fc.string()), { maxLength: 4 }),
        fc.dictionary(name, fc.string(), { maxKeys: 3 }),
        async (sent, query, params) => {
          const search = new URLSearchParams(query).toString();
          const problem = await parse({ body: sent, query: search && `?${search}`, params }).then(
            () => undefined,
            (error: unknown) => error,
          );
          if (problem === undefined) return;
          expect(problem).toBeInstanceOf(ProblemError);
          for (const { field, rule, example = '' } of (problem as ProblemError).problem.errors ?? []) {
            expect([typeof field, typeof rule, typeof example]).toEqual(['string', 'string', 'string']);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
