import type { Attention } from './attention.ts';
import type { Draft } from './detector.ts';
import type { Finding } from './finding.ts';
import type { Told } from './memory.ts';
import type { DetectionRule, DetectorId } from './rule.ts';
import { compareSeverity } from './score.ts';

/**
 * Marks a repeat of what was told: same detector, caller and subject, within the detector's time, and no band higher; of
 * volumes also no z that grew. A repeat is stored and counted like any finding. What closes an incident does not end it.
 * Nothing is a repeat of whom somebody asked to be looked at closely.
 */
export function suppress(
  finding: Finding,
  draft: Pick<Draft, 'subject' | 'who' | 'z' | 'calls'>,
  toldBefore: (key: string) => Told | undefined,
  rule: DetectionRule,
  nowMs: number,
  attention: Attention = { kind: 'usual' },
): { finding: Finding; key: string; told: Told } {
  const who = draft.who ?? draft.calls[0]?.who ?? '*';
  const key = `${finding.detector} ${who} ${draft.subject ?? '*'}`.slice(0, 300);
  const minutes = rule.detectors[finding.detector as DetectorId].suppressMinutes;
  const before = toldBefore(key);
  const until = new Date(nowMs + minutes * 60_000).toISOString();
  const fresh: Told = {
    id: finding.id,
    until,
    severity: finding.severity,
    ...(draft.z === undefined ? {} : { z: draft.z }),
    repeats: 0,
  };
  // The same finding again is an update, which tells nobody either: who stores it compares ids and severity.
  if (before === undefined || before.id === finding.id || Date.parse(before.until) <= nowMs) {
    return { finding, key, told: before?.id === finding.id ? { ...before, severity: worse(before, finding) } : fresh };
  }
  const regrowth = rule.detectors['volume-out-of-season'].parameters.regrowth;
  const grew = draft.z !== undefined && before.z !== undefined && draft.z >= before.z + regrowth;
  if (attention.kind !== 'usual' || grew || compareSeverity(finding.severity, before.severity) > 0)
    return { finding, key, told: fresh };
  return {
    finding: { ...finding, suppressed: { by: before.id, until: before.until } },
    key,
    told: { ...before, repeats: before.repeats + 1 },
  };
}

const worse = (before: Told, { severity }: Finding): Told['severity'] =>
  compareSeverity(severity, before.severity) > 0 ? severity : before.severity;
