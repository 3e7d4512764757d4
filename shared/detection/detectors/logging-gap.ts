import type { Arrivals } from '../audit-call.ts';
import { type Detector, type Draft, parameter } from '../detector.ts';
import { tellsAudit } from '../diagnostic-setting.ts';
import type { Finding } from '../finding.ts';
import type { Scene } from '../scene.ts';
import { median } from '../statistics.ts';
import { callerOfAct } from './guard-rail-change.ts';

const ID = 'logging-gap';
const MINUTE_MS = 60_000;
/** Rows of one quarter arrive minutes apart; while they do, the quarter says nothing of what is kept back. */
const STILL_COMING_MS = 10 * MINUTE_MS;

/** Silence is a signal: who cannot hide a call hides the log. */
/** That rows stay away altogether, of all that this detector finds. */
export const isSilence = ({ detector, facts }: Pick<Finding, 'detector' | 'facts'>): boolean =>
  detector === ID && facts.minutes !== undefined;

export const loggingGap: Detector = {
  id: ID,
  version: 3,
  sees: 'Rows that stay away though our own call succeeded, fewer rows than the metric counts, and changed diagnostic settings.',
  method:
    'Absence, by the usual delay of the log; the share of rows per counted call against its own median; rule for settings, and their difference from the last look.',
  severity: { least: 'Low', most: 'Critical' },
  falsePositives: [
    'An outage of Azure Monitor: many HSMs at once; the rows come later.',
    'An outage of the HSM: neither rows nor counted calls; that belongs to health.',
    'Our own change of a diagnostic setting: announce it.',
  ],
  runbook: [
    'Keep the diagnostic setting as it is as evidence, then put the approved one back.',
    'Until rows arrive again, no verdict may be `benign`.',
    'When they do, judge the gap again: rows that are lost stay unknown.',
  ],
  response: 'containByPolicy',
  compromise: 'controls',
  techniques: ['T1562.008'],
  evaluate: (scene) => [...silence(scene), ...missingRows(scene), ...settings(scene), ...unseenChange(scene)],
};

function silence(scene: Scene): Draft[] {
  const { memory, rule, nowMs, facts } = scene;
  const canary = rule.canary;
  const newest = lastHeard(scene);
  // Without a call of our own, how long this HSM is usually left alone must be known first.
  if (newest === undefined || (canary === undefined && memory.log.pauses.length < 3)) return [];
  const lagMinutes = (3 * memory.log.lag) / 60;
  // Without a canary, an HSM that nobody calls is as silent as a log that is cut off.
  const usual = canary === undefined ? 3 * Math.max(20, ...memory.log.pauses.map(({ minutes }) => minutes)) : 0;
  const limit = Math.max(parameter(scene, ID, 'gapMinutes'), lagMinutes, usual);
  const gap = (nowMs - Date.parse(newest)) / MINUTE_MS;
  if (gap < limit) return [];
  const successes = facts.canarySuccesses;
  // The HSM does not answer our own call either: that is an outage, not a gap.
  if (canary !== undefined && successes !== undefined && !successes.some((at) => at > newest)) return [];
  const long = gap >= Math.max(parameter(scene, ID, 'longGapMinutes'), limit);
  return [
    {
      calls: [],
      who: '*',
      from: newest,
      until: facts.now,
      explained: false,
      subject: 'silence',
      // One silence is one finding, however long it lasts: it begins at its last row.
      windowMinutes: 1,
      base: long ? 70 : 45,
      plain: true,
      title: `No audit row of ${scene.hsm} for ${Math.round(gap)} minutes`,
      explanation: `${canary === undefined ? 'The newest row' : 'The newest row of our own call'} is of ${newest}; ${Math.round(
        limit,
      )} minutes of silence are usual at most.`,
      nextStep: 'Look at the diagnostic setting and at the health of Azure Monitor; put the approved setting back.',
      facts: { minutes: Math.round(gap), limit: Math.round(limit) },
      marks: ['gap'],
    },
  ];
}

function lastHeard({ memory, facts, rule, calls }: Scene): string | undefined {
  const heard = (at: Arrivals) => (rule.canary === undefined ? at.rows > 0 : at.canary > 0);
  const before = rule.canary === undefined ? memory.log.lastRow : memory.log.lastCanary;
  const rows = rule.canary === undefined ? calls.map(({ last }) => last) : [];
  return [...facts.arrivals.filter(heard).map(({ lastEvent }) => lastEvent), ...rows].reduce(
    (newest: string | undefined, at) => (newest === undefined || at > newest ? at : newest),
    before,
  );
}

/** Two quarters in a row, both old enough for their rows to have come, with far fewer rows than the metric counted calls. */
function missingRows(scene: Scene): Draft[] {
  const { facts, memory, nowMs } = scene;
  const hits = facts.serviceHits ?? [];
  const usual = memory.log.ratios.length < 8 ? 1 : median(memory.log.ratios);
  const settled = nowMs - Math.max(20 * MINUTE_MS, 2 * memory.log.lag * 1000);
  const rows = new Map(facts.arrivals.map((quarter) => [Date.parse(quarter.quarter), quarter]));
  const poor = hits
    .map(({ quarter, hits }) => ({
      at: Date.parse(quarter),
      hits,
      rows: rows.get(Date.parse(quarter))?.rows ?? 0,
      canary: (rows.get(Date.parse(quarter))?.canary ?? 0) > 0,
      still: nowMs - Date.parse(rows.get(Date.parse(quarter))?.lastArrival ?? '') < STILL_COMING_MS,
    }))
    .filter(({ at, hits, rows }) => {
      const over = at + 15 * MINUTE_MS <= settled;
      return over && hits >= parameter(scene, ID, 'leastHits') && rows < parameter(scene, ID, 'ratio') * usual * hits;
    })
    .sort((a, b) => a.at - b.at);
  const second = poor.find(({ at }, index) => poor[index - 1]?.at === at - 15 * MINUTE_MS);
  if (second === undefined) return [];
  const first = poor.find(({ at }) => at === second.at - 15 * MINUTE_MS);
  // A delay holds back all rows alike, and gives them back in any order. Where our own arrived and nothing more comes,
  // somebody chose.
  const chosen = [first, second].every((each) => each?.canary && !each.still);
  // Rows that are late come within the hour or two; the longer the two ways part, the less it is a delay.
  const long = nowMs - (second.at - 15 * MINUTE_MS) >= parameter(scene, ID, 'longGapMinutes') * MINUTE_MS;
  return [
    {
      calls: [],
      who: '*',
      from: new Date(second.at - 15 * MINUTE_MS).toISOString(),
      until: new Date(second.at + 15 * MINUTE_MS).toISOString(),
      explained: false,
      subject: 'missing rows',
      windowMinutes: 60,
      base: chosen ? 80 : long ? 60 : 45,
      plain: true,
      title: `The metric counts ${second.hits} calls to ${scene.hsm}, the log shows ${second.rows}`,
      explanation: chosen
        ? 'Our own rows arrive and others do not: rows are kept back by choice.'
        : 'Metric and log come by different ways; where they part, rows are late or kept back.',
      nextStep: 'Look at the diagnostic setting, put the approved one back, and treat the time as unknown.',
      facts: { hits: second.hits, rows: second.rows, usualShare: Math.round(usual * 100) / 100 },
      marks: ['gap'],
    },
  ];
}

function settings({ facts }: Scene): Draft[] {
  return facts.controlPlane
    .filter(({ operation, succeeded }) => succeeded && /diagnosticsettings\/(write|delete)/i.test(operation))
    .map((act) => {
      const removed = /delete$/i.test(act.operation);
      const explained = facts.intents.some(
        ({ approvedBy, clientId, from, to, target }) =>
          approvedBy !== undefined &&
          clientId.toLowerCase() === act.caller.toLowerCase() &&
          /diagnostic|logging/i.test(target) &&
          act.at >= from &&
          act.at <= to,
      );
      return {
        calls: [],
        who: act.caller.toLowerCase().slice(0, 200),
        caller: callerOfAct(act),
        from: act.at,
        explained,
        subject: 'settings',
        windowMinutes: 15,
        base: removed ? 80 : 60,
        title: `${act.caller.slice(0, 80)} ${removed ? 'removed' : 'changed'} where the HSM's log goes`,
        explanation: `The act was ${act.operation.slice(0, 120)} on ${act.resource.slice(-120)}.`,
        nextStep: 'Keep the setting as it is as evidence, then put the approved one back.',
        facts: { operation: act.operation },
        marks: ['gap'],
      };
    });
}

/** The activity log may be late, or go elsewhere: the difference from the last look stands by itself. */
function unseenChange({ facts }: Scene): Draft[] {
  const { diagnostics: now, diagnosticsBefore: before } = facts.lookedUp;
  const seen = facts.controlPlane.some(({ operation }) => /diagnosticsettings\/(write|delete)/i.test(operation));
  if (now === undefined || before === undefined || seen) return [];
  const lost = before.filter(
    (setting) => tellsAudit(setting) && !now.some((each) => each.name === setting.name && tellsAudit(each)),
  );
  if (lost.length === 0) return [];
  const blind = !now.some(tellsAudit);
  return [
    {
      calls: [],
      who: '*',
      from: facts.now,
      explained: false,
      subject: 'settings unseen',
      windowMinutes: 60,
      base: blind ? 80 : 60,
      plain: true,
      title: `${lost.map(({ name }) => name.slice(0, 60)).join(', ')} no longer carries the audit log of ${facts.hsm}`,
      explanation: `${blind ? 'Audit rows go nowhere now. ' : ''}The diagnostic setting differs from the last look, and no act shows by whom.`,
      nextStep: 'Re-create the setting as it was last seen; the incident shows the command.',
      facts: { lost: lost.length, blind },
      marks: ['gap'],
    },
  ];
}
