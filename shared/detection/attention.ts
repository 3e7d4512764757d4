import type { DetectionFacts } from './detection-facts.ts';
import type { Finding, Severity } from './finding.ts';
import { severityOf } from './score.ts';

/** Whose findings are looked at more closely than others, and why. */
export type Attention =
  | { kind: 'usual' }
  /** An emergency account of the policy: somebody should know of every use. */
  | { kind: 'emergencyAccount' }
  /** The caller or a key of an incident, until its watch ends. */
  | { kind: 'watched'; incident: string; until: string; what: 'caller' | 'key' };

/** The least score of the band above. */
const NEXT_BAND: Partial<Record<Severity, number>> = { Low: 22, Medium: 48, High: 74 };

/** A finding that began before the watch is one that led to it, perhaps: it would raise itself each time it is judged again. */
export function attentionTo(
  { breakGlass = [], watches = [], now }: Pick<DetectionFacts, 'breakGlass' | 'watches' | 'now'>,
  { caller, keys, from }: Pick<Finding, 'caller' | 'keys' | 'from'>,
): Attention {
  const oid = caller?.oid.toLowerCase() ?? '';
  const touched = new Set(keys.map((key) => key.toLowerCase()));
  const running = watches.filter(
    ({ since, until }) =>
      Date.parse(until) > Date.parse(now) && !(since !== undefined && Date.parse(from) < Date.parse(since)),
  );
  const ofCaller = oid === '' ? undefined : running.find((watch) => watch.caller?.toLowerCase() === oid);
  const ofKey = running.find((watch) => watch.keys.some((key) => touched.has(key.toLowerCase())));
  const watch = ofCaller ?? ofKey;
  if (watch) {
    const { incident, until } = watch;
    return { kind: 'watched', incident, until, what: ofCaller ? 'caller' : 'key' };
  }
  return breakGlass.some((each) => each.toLowerCase() === oid) ? { kind: 'emergencyAccount' } : { kind: 'usual' };
}

/**
 * The finding as somebody tells it who looks closely: what was kept back while its method learns is told, and what is watched
 * weighs a band more. It never asks for a stronger answer than its detector proposes, and what our journal explains stays as
 * it is: the new version that answered the incident is no second one.
 */
export function lookCloser(finding: Finding, attention: Attention, explained: boolean): Finding {
  if (attention.kind === 'usual' || explained) return finding;
  const learning = finding.learning === true;
  const told: Finding = learning ? { ...finding, severity: severityOf(finding.score), response: 'notify' } : finding;
  if (attention.kind === 'emergencyAccount') return told;
  const { incident, until, what } = attention;
  const score = learning ? told.score : Math.max(told.score, NEXT_BAND[told.severity] ?? 0);
  return {
    ...told,
    score,
    severity: severityOf(score),
    watchedFor: incident,
    explanation: `${told.explanation} It weighs more because ${incident} has this ${what} watched until ${until}.`,
  };
}
