import type { Incident, IncidentVerdict } from './incident.ts';
import { isSettled } from './step.ts';

/** Public: why an incident cannot be closed, or a verdict not be given. */
export type ClosingReason =
  | 'StepsOpen'
  | 'VerdictMissing'
  | 'WatchLasts'
  | 'IntruderStillIn'
  | 'EvidenceDoesNotSpan'
  | 'IncidentClosed';

export interface Obstacle {
  reason: ClosingReason;
  explanation: string;
  nextStep: string;
}

/** What is missing before the incident can be closed; empty: nothing. */
export function obstaclesToClosing(incident: Incident, now: Date): Obstacle[] {
  const { plan = [], verdict, watchUntil, verification, status, id } = incident;
  if (status === 'closed') {
    return [{ reason: 'IncidentClosed', explanation: `${id} is closed.`, nextStep: 'Read its report.' }];
  }
  const obstacles: Obstacle[] = [];
  const open = plan.filter((step) => !isSettled(step) && step.offered !== true);
  if (open.length > 0) {
    obstacles.push({
      reason: 'StepsOpen',
      explanation: `${open.length} step${open.length === 1 ? ' is' : 's are'} open: ${open.map((step) => step.id).join(', ')}.`,
      nextStep: 'Approve, deny or report each of them.',
    });
  }
  if (!verdict) {
    obstacles.push({
      reason: 'VerdictMissing',
      explanation: 'Nobody has said what it was.',
      nextStep: 'Set a verdict: confirmed, likely, benign or insufficientEvidence.',
    });
  }
  // What turned out to be somebody's work needs no watch.
  if (verdict?.verdict === 'benign') return obstacles;
  if (watchUntil !== undefined && now.getTime() < Date.parse(watchUntil)) {
    obstacles.push({
      reason: 'WatchLasts',
      explanation: `The intruder is looked for until ${watchUntil}.`,
      nextStep: 'Wait until then; it closes by itself once everything else is settled.',
    });
  }
  if (verification?.result === 'stillAllowed') {
    obstacles.push({
      reason: 'IntruderStillIn',
      explanation: verification.explanation,
      nextStep:
        'Find how the intruder still comes in, and close that. What has to stay is decided so: say no to its step.',
    });
  }
  return obstacles;
}

/** Nothing can be called harmless by a log that does not reach back to it. */
export function guardVerdict(incident: Incident, verdict: IncidentVerdict): Obstacle | undefined {
  if (incident.status === 'closed') return obstaclesToClosing(incident, new Date(0))[0];
  if (verdict !== 'benign' || incident.evidence?.spans !== false) return undefined;
  return {
    reason: 'EvidenceDoesNotSpan',
    explanation:
      'The log that was read does not span the time of the suspicion, so nobody can say that it was harmless.',
    nextStep: 'Set insufficientEvidence, or confirmed or likely where other evidence shows it.',
  };
}
