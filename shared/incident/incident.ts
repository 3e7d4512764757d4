import type { Caller } from '../detection/audit-call.ts';
import type { CompromiseClass, Finding, Severity } from '../detection/finding.ts';

/**
 * What happened, to whom, and what was done about it: one document an incident, `state/incidents/{id}.json`. Findings of one
 * caller on one HSM, or of one key where the caller is not known, join within a day of the last, at most for a week.
 */
export interface Incident {
  version: 1;
  /** `incident-{hsm}-{16 hex digits}`: also the instance id of its response. */
  id: string;
  hsm: string;
  subject: { kind: 'caller'; caller: Caller } | { kind: 'key'; key: string } | { kind: 'hsm' };
  /** By whom or what it was opened: `detection`, `alert {rule}`, `operator {upn}`. */
  openedBy: string;
  openedAt: string;
  lastFindingAt: string;
  status: 'open' | 'contained' | 'closed';
  /** Combined over its findings. */
  score: number;
  severity: Severity;
  class: CompromiseClass;
  keys: string[];
  findings: Pick<Finding, 'id' | 'detector' | 'title' | 'score' | 'severity' | 'from' | 'until' | 'foundAt'>[];
}
