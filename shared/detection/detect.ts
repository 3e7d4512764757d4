import { attentionTo, lookCloser } from './attention.ts';
import type { DetectionFacts } from './detection-facts.ts';
import type { Detector, Draft } from './detector.ts';
import { DETECTORS } from './detectors/index.ts';
import type { Finding } from './finding.ts';
import { raiseByChains } from './kill-chain.ts';
import type { DetectionMemory } from './memory.ts';
import { type Report, remember } from './remember.ts';
import type { DetectionRule } from './rule.ts';
import { lookUp, sceneOf } from './scene.ts';
import { suppress } from './suppress.ts';
import { type Sha256, toFinding } from './to-finding.ts';

export type { Sha256 } from './to-finding.ts';

export type Detect = (
  facts: DetectionFacts,
  memory: DetectionMemory,
  rule: DetectionRule,
) => { findings: Finding[]; memory: DetectionMemory };

/** So many findings of one detector in one window; what a flood brings beyond is one more, with their number. */
const MOST_FINDINGS = 20;

/**
 * Judges one window of one HSM's log. Pure: the same facts, memory and rule give the same findings with the same ids,
 * whatever the order of the groups; the memory given is left as it is, and the one returned is for the next window. Store
 * findings first, then the memory: a window judged again before its memory was stored says the same again.
 */
export const createDetect =
  (sha256: Sha256): Detect =>
  (facts, memory, rule) => {
    const { scene, learnt } = sceneOf(facts, memory, rule);
    const reports = DETECTORS.filter(({ id }) => rule.detectors[id].on)
      .flatMap((detector) => bounded(detector, detector.evaluate(scene)).map((draft) => ({ detector, draft })))
      .map(({ detector, draft }): Report => ({ draft, finding: toFinding(scene, detector, draft, sha256) }));
    const raised = raiseByChains(scene, unique(reports));
    const told = new Map<string, DetectionMemory['told'][string]>();
    const findings = raised.map(({ draft, finding: found }) => {
      const attention = attentionTo(facts, found);
      const finding = lookCloser(found, attention, draft.explained);
      const before = (key: string) => told.get(key) ?? lookUp(memory.told, key);
      const answer = suppress(finding, draft, before, rule, scene.nowMs, attention);
      told.set(answer.key, answer.told);
      return { draft, finding: answer.finding };
    });
    return {
      findings: findings.map(({ finding }) => finding),
      memory: remember(scene, findings, { ...learnt, told: Object.fromEntries(told) }),
    };
  };

/** Two drafts with one id are one finding: the stronger. */
function unique(reports: readonly Report[]): Report[] {
  const byId = new Map<string, Report>();
  for (const report of reports) {
    const other = byId.get(report.finding.id);
    if (other === undefined || other.finding.score < report.finding.score) byId.set(report.finding.id, report);
  }
  return [...byId.values()];
}

function bounded(detector: Detector, drafts: Draft[]): Draft[] {
  if (drafts.length <= MOST_FINDINGS) return drafts;
  const sorted = drafts.toSorted((a, b) => Number(a.explained) - Number(b.explained) || b.base - a.base);
  const kept = sorted.slice(0, MOST_FINDINGS - 1);
  const rest = sorted.slice(MOST_FINDINGS - 1);
  const callers = new Set(rest.map(({ who, calls }) => who ?? calls[0]?.who)).size;
  const strongest = rest[0] as Draft;
  const all = rest.flatMap(({ calls }) => calls);
  return [
    ...kept,
    {
      ...strongest,
      who: '*',
      subject: 'flood',
      caller: { oid: '' },
      calls: all,
      title: `${rest.length} more findings of ${detector.id} in one window, of ${callers} callers`,
      explanation: `So many callers at once are told together. The strongest: ${strongest.title}`,
      facts: { folded: rest.length, callers },
    },
  ];
}
