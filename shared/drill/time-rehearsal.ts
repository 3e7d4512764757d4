import type { Runbook } from '../recovery/runbook.ts';
import type { DrillStep } from './report.ts';

export interface RehearsalTimes {
  /** As they ran, in the manner of the other steps of a drill. */
  steps: DrillStep[];
  /** In which nothing could go on without a person. */
  peopleSeconds: number;
}

/**
 * The steps of a rehearsal as they ran, and whose time it was. A moment is the machine's while a step of the automation could
 * go on, and the people's while every open step waited for them.
 */
export function timeRehearsal(runbook: Runbook, startedOn: string, endedOn: string): RehearsalTimes {
  const over = runbook.steps.flatMap((step) => {
    const { report, state } = step;
    return report && (state === 'done' || state === 'skipped') ? [{ ...step, report }] : [];
  });
  const endOf = new Map(over.map(({ name, report }) => [name, Date.parse(report.at)]));
  const [start, end] = [Date.parse(startedOn), Date.parse(endedOn)];
  /** When a step could begin; undefined while something before it was never over. */
  const opened = (after: readonly string[]): number | undefined => {
    const ends = after.map((name) => endOf.get(name as never));
    return ends.includes(undefined) ? undefined : Math.max(start, ...(ends as number[]));
  };
  const spans = runbook.steps.flatMap(({ name, title, after, actor, state, report }) => {
    const from = opened(after);
    return from === undefined ? [] : [{ name, title, actor, state, report, from, to: endOf.get(name) ?? end }];
  });
  const steps = spans.map(({ name, title, actor, state, report, from, to }): DrillStep => {
    const seconds = Math.max(0, Math.round((to - from) / 1000));
    const result = state === 'done' || state === 'skipped' || state === 'failed' ? state : 'skipped';
    return {
      name: `rehearsal.${name}`,
      title,
      startedOn: iso(from),
      endedOn: iso(Math.max(from, to)),
      // A step that was tried and not done is told by the step of the drill that waited for it.
      result: result === 'failed' ? 'skipped' : result,
      ...(actor === 'automation' ? {} : { waitedSeconds: seconds, by: 'people' as const }),
      ...(report?.evidence === undefined ? {} : { detail: report.evidence }),
    };
  });
  const edges = [...new Set([start, end, ...spans.flatMap(({ from, to }) => [from, to])])]
    .filter((edge) => edge >= start && edge <= end)
    .sort((a, b) => a - b);
  let peopleMs = 0;
  for (const [index, from] of edges.entries()) {
    const to = edges[index + 1];
    if (to === undefined) break;
    const open = spans.filter((span) => span.from <= from && span.to >= to);
    if (open.length > 0 && open.every(({ actor }) => actor !== 'automation')) peopleMs += to - from;
  }
  return { steps, peopleSeconds: Math.round(peopleMs / 1000) };
}

const iso = (ms: number): string => new Date(ms).toISOString();
