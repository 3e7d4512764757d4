import { describe, expect, test } from 'vitest';
import { asProblem, ProblemError, problemResponse, refusedBecause } from '../../../functions/operator/problem.ts';
import { AppError, type ErrorCode } from '../../../shared/errors.ts';

const fault = (code: ErrorCode) => new AppError(code, 'what happened', { nextStep: 'what to do' });

describe('a problem', () => {
  test.each([
    ['ERR_NOT_FOUND', 404, 'KeyNotFound'],
    ['ERR_DENIED', 502, 'HsmDenied'],
    ['ERR_THROTTLED', 503, 'HsmUnavailable'],
    ['ERR_TRANSIENT', 503, 'HsmUnavailable'],
    ['ERR_HSM_BUSY', 503, 'HsmUnavailable'],
  ] as const)('of %s is answered with %i %s and the next step', (code, status, problem) => {
    expect(asProblem(fault(code))).toMatchObject({
      status,
      code: problem,
      detail: 'what happened',
      nextStep: 'what to do',
    });
  });

  test('that is a bug is answered without its words, which may hold anything', () => {
    const answered = problemResponse(asProblem(new Error('https://account/blob?sig=secret')), 'invocation-1');
    expect(answered).toMatchObject({ status: 500, headers: { 'content-type': 'application/problem+json' } });
    expect(String(answered.body)).not.toContain('secret');
    expect(JSON.parse(String(answered.body))).toMatchObject({ code: 'Faulted', instance: 'invocation-1' });
  });

  test('that is a refusal has its reason beside, and in its words as ever', () => {
    const refusal = { kind: 'refused', reason: 'VersionInUse', explanation: 'It was used.', nextStep: 'Wait.' };
    const about = { status: 409, code: 'RetirementRefused', title: 'Not now' } as const;
    expect(JSON.parse(String(problemResponse(asProblem(refusedBecause(refusal, about)), 'i').body))).toEqual({
      type: 'urn:managed-hsm-lifecycle:problem:RetirementRefused',
      ...{ ...about, instance: 'i', reason: 'VersionInUse', detail: 'It was used. (VersionInUse)', nextStep: 'Wait.' },
    });
  });

  test('has the shape of RFC 9457 with a stable code', () => {
    const error = new ProblemError({
      status: 401,
      code: 'Unauthenticated',
      title: 'Sign in first',
      detail: 'no token',
    });
    const { headers, body } = problemResponse(asProblem(error), 'invocation-1');
    expect(headers).toMatchObject({ 'www-authenticate': 'Bearer' });
    expect(JSON.parse(String(body))).toEqual({
      type: 'urn:managed-hsm-lifecycle:problem:Unauthenticated',
      status: 401,
      code: 'Unauthenticated',
      title: 'Sign in first',
      detail: 'no token',
      instance: 'invocation-1',
    });
  });
});
