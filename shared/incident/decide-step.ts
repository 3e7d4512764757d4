import type { ResponseRule } from '../policy/response-rule.ts';
import { addDuration } from '../time.ts';
import type { Incident } from './incident.ts';
import { withLine } from './join.ts';
import { approvalsNeeded, type PlannedStep, type StepDecision } from './step.ts';

/** The incident with one step changed; as it is where there is no such step. */
export const withStep = (incident: Incident, id: string, change: (step: PlannedStep) => PlannedStep): Incident => ({
  ...incident,
  plan: (incident.plan ?? []).map((step) => (step.id === id ? change(step) : step)),
});

/** What was planned begins: the policy's own steps at once, the others when people have decided. */
export function beginSteps(plan: readonly PlannedStep[], rule: ResponseRule, now: Date): PlannedStep[] {
  const at = now.toISOString();
  return plan.map((step) => {
    if (step.state !== 'planned') return step;
    if (step.doneBy === 'app' && step.mode === 'auto') return { ...step, state: 'approved' };
    // What is only offered, and what people do, waits for as long as the incident is open.
    const waits = step.offered === true || step.doneBy === 'people';
    const until = waits ? {} : { until: addDuration(now, rule.approvalLasts).toISOString() };
    return { ...step, state: 'waiting', waitingSince: at, ...until };
  });
}

/** A person's word about a step. One that expired or failed begins to wait anew with the approval. */
export function decideStep(incident: Incident, id: string, decision: StepDecision): Incident {
  const next = withStep(incident, id, (step) => {
    const { nextStep: _____, ...told } = step;
    if (decision.decision === 'deny') {
      return {
        ...told,
        state: 'denied',
        decisions: [...step.decisions, decision],
        endedAt: decision.at,
        reason: 'ApprovalDenied',
        detail: `${decision.name} said no: ${decision.note}`,
      };
    }
    if (decision.decision === 'done') {
      const detail = decision.note;
      return { ...step, state: 'done', decisions: [...step.decisions, decision], endedAt: decision.at, detail };
    }
    const before = step.state === 'waiting' ? step.decisions : [];
    const decisions = [...before, decision];
    const agreed = new Set(decisions.filter((each) => each.decision === 'approve').map(({ by }) => by.toLowerCase()))
      .size;
    const { reason: _, detail: __, endedAt: ___, retryAt: ____, until: ______, attempts: _______, ...rest } = told;
    const enough = agreed >= approvalsNeeded(step.mode);
    return { ...rest, decisions, state: enough ? 'approved' : 'waiting', ...(enough ? {} : until(step, decision.at)) };
  });
  const text = `${decision.name} said ${decision.decision} to ${id}${decision.note === '' ? '' : `: ${decision.note}`}`;
  return { ...next, timeline: withLine(next, { at: decision.at, kind: 'decision', by: decision.by, text }) };
}

/** A time that has passed is over: who decides late is waited for without one. */
const until = (step: PlannedStep, at: string) =>
  step.until === undefined || Date.parse(step.until) <= Date.parse(at) ? {} : { until: step.until };

/** There is nothing to decide any more. */
export function skipStep(incident: Incident, id: string, detail: string, now: Date): Incident {
  const at = now.toISOString();
  const title = incident.plan?.find((step) => step.id === id)?.title ?? id;
  const next = withStep(incident, id, ({ until: _, ...step }) => ({ ...step, state: 'skipped', endedAt: at, detail }));
  const text = `${title}: skipped. ${detail}`;
  return { ...next, timeline: withLine(next, { at, kind: 'step', by: 'automation', text }) };
}

/** Nobody decided in time: nothing is done, and that is said. Silence is never a yes. */
export function expireStep(incident: Incident, id: string, now: Date): Incident {
  const at = now.toISOString();
  const next = withStep(incident, id, (step) => ({
    ...step,
    state: 'expired',
    endedAt: at,
    reason: 'ApprovalExpired',
    detail: `Nobody decided until ${step.until ?? at}, so nothing was done.`,
    nextStep: 'Approve it now if it is still wanted.',
  }));
  const text = `Nobody decided about ${id} in time; it was not done.`;
  return { ...next, timeline: withLine(next, { at, kind: 'decision', by: 'automation', text }) };
}
