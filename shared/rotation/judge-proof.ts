import type { RotationRule } from '../policy/rule.ts';
import type { ProofPlan, ProofSubject } from './proof.ts';

/** What came of one check. A call that was refused for good counts as failed; one that may succeed later is thrown instead. */
export interface ProofResult {
  id: string;
  ok: boolean;
  detail?: string;
}

/** One check as it is told, recorded and kept in histories. */
export interface JudgedCheck {
  operation: string;
  version: ProofSubject;
  algorithm: string;
  result: 'ok' | 'failed' | 'unprovable';
  detail?: string;
}

export type ProofVerdict =
  | { kind: 'proven'; checks: JudgedCheck[]; explanation: string }
  /** Nothing failed, something could not be tried, and the rule allows that. */
  | { kind: 'unproven'; checks: JudgedCheck[]; why: string }
  | { kind: 'failed'; checks: JudgedCheck[]; why: string };

/** A check without a result counts as failed: nothing is proven by silence. */
export function judgeProof(plan: ProofPlan, results: ProofResult[], proof: RotationRule['proof']): ProofVerdict {
  const byId = new Map(results.map((result) => [result.id, result]));
  const tried = plan.checks.map(({ id, operation, subject, algorithm }): JudgedCheck => {
    const { ok, detail } = byId.get(id) ?? { ok: false, detail: 'not carried out' };
    return {
      operation,
      version: subject,
      algorithm,
      result: ok ? 'ok' : 'failed',
      ...(detail === undefined ? {} : { detail }),
    };
  });
  const untried = plan.unprovable.map(({ subject, explanation }): JudgedCheck => {
    const operation = subject === 'new' ? 'use' : 'open';
    return { operation, version: subject, algorithm: 'none', result: 'unprovable', detail: explanation };
  });
  const checks = [...tried, ...untried];
  const failed = tried.filter(({ result }) => result === 'failed');
  if (failed.length > 0) return { kind: 'failed', checks, why: failed.map(describeFailure).join(' ') };
  if (untried.length > 0 || tried.length === 0) {
    const why = plan.unprovable.map(({ explanation }) => explanation).join(' ') || 'There was nothing to try.';
    return { kind: proof === 'required' ? 'failed' : 'unproven', checks, why };
  }
  return { kind: 'proven', checks, explanation: describeProof(plan) };
}

const describeFailure = ({ operation, version, algorithm, detail }: JudgedCheck): string =>
  `${operation} (${algorithm}) with the ${version} version failed${detail === undefined ? '' : `: ${detail}`}.`;

function describeProof(plan: ProofPlan): string {
  const verbs = (subject: ProofSubject) =>
    plan.checks
      .filter((check) => check.subject === subject)
      .map(({ operation, algorithm }) => `${operation} ${algorithm}`);
  const old = verbs('old');
  const first = `The new version passed ${verbs('new').join(', ')}.`;
  return old.length === 0 ? first : `${first} The old version passed ${old.join(', ')}.`;
}
