import type { HttpResponseInit } from '@azure/functions';
import { AppError } from '../../shared/errors.ts';

/** Stable codes of refused requests; scripts match on them. */
export type ProblemCode =
  | 'Unauthenticated'
  | 'Forbidden'
  | 'InvalidRequest'
  | 'PrivateMaterial'
  | 'UnknownHsm'
  | 'KeyNotFound'
  | 'OperationNotFound'
  | 'BackupNotFound'
  | 'RestoreNotFound'
  | 'RestoreRefused'
  | 'RestoreDecided'
  | 'DrillNotFound'
  | 'FindingNotFound'
  | 'DrillRefused'
  | 'RetirementRefused'
  | 'RetirementDecided'
  | 'RetirementNotFound'
  | 'NotificationNotFound'
  | 'NotificationUnderWay'
  | 'IncidentNotFound'
  | 'IncidentRefused'
  | 'AlertRefused'
  | 'HsmDenied'
  | 'HsmUnavailable'
  | 'SignInUnavailable'
  | 'Faulted';

export interface FieldFault {
  /** Path in the body, or the name of the query parameter or header. */
  field: string;
  rule: string;
  example?: string;
}

export interface Problem {
  status: number;
  code: ProblemCode;
  title: string;
  detail: string;
  /** Of a refusal: a PascalCase fact, public and stable. */
  reason?: string;
  nextStep?: string;
  errors?: FieldFault[];
}

/** Thrown by operator handlers; answered as application/problem+json (RFC 9457). */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'ProblemError';
    this.problem = problem;
  }
}

/** What a decision refuses with. */
interface Refusal {
  reason: string;
  explanation: string;
  nextStep: string;
}

/** A refusal as a problem. Its reason ends `detail` as well, where scripts of earlier versions look for it. */
export const refusedBecause = (
  { reason, explanation, nextStep }: Refusal,
  about: Pick<Problem, 'status' | 'code' | 'title' | 'errors'>,
) => new ProblemError({ ...about, detail: `${explanation} (${reason})`, reason, nextStep });

const NOT_LISTED = {
  backup: 'BackupNotFound',
  drill: 'DrillNotFound',
  finding: 'FindingNotFound',
  incident: 'IncidentNotFound',
  restore: 'RestoreNotFound',
  retirement: 'RetirementNotFound',
} as const;

/** Nothing of that kind has the id. */
export const notListed = (what: keyof typeof NOT_LISTED, id: string) =>
  new ProblemError({
    status: 404,
    code: NOT_LISTED[what],
    title: `No such ${what}`,
    detail: `No ${what} has the id ${id}.`,
    nextStep: `Use an id that GET /api/${what}s lists.`,
  });

export function problemResponse(problem: Problem, instance: string): HttpResponseInit {
  const { status, ...rest } = problem;
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    },
    body: JSON.stringify({ type: `urn:managed-hsm-lifecycle:problem:${problem.code}`, status, instance, ...rest }),
  };
}

/** A bug is answered without its words, which are for the log alone. */
const FAULTED: Problem = {
  status: 500,
  code: 'Faulted',
  title: 'The app made a mistake',
  detail: 'The request could not be answered, for no fault of its own.',
  nextStep:
    'Look for the instance of this answer in the log of the app; repeat the request with the same Idempotency-Key.',
};

/** The problem behind an error. */
export function asProblem(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (!(error instanceof AppError)) return FAULTED;
  const { message: detail, nextStep } = error;
  switch (error.code) {
    case 'ERR_NOT_FOUND':
      return { status: 404, code: 'KeyNotFound', title: 'No such key', detail, nextStep };
    case 'ERR_DENIED':
      return { status: 502, code: 'HsmDenied', title: 'The app lacks a permission', detail, nextStep };
    default:
      return { status: 503, code: 'HsmUnavailable', title: 'Not reachable now', detail, nextStep };
  }
}
