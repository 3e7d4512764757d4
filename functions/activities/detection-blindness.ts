import type { Finding } from '../../shared/detection/finding.ts';
import { severityOf } from '../../shared/detection/score.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { storeFinding } from './detection-findings.ts';
import { blindnessPath } from './detection-state.ts';
import { sha256Of } from './text.ts';

interface Blindness {
  schema: 1;
  failures: number;
  /** When the first of them failed. */
  since: string;
  /** The last step that was counted: a repeat of it is not another failure. */
  last: string;
}

/** One failure is the network's daily life, three in a row are a quarter of an hour in which nobody watches. */
const TOLD_FROM = 3;
/** As a silence of the log of half an hour weighs. */
const SCORE = 45;

export const detectionBlindnessActivities = (world: World) =>
  ({
    async noteBlindness({ hsm, at, code, message }) {
      const before = (await world.documents.read<Blindness>('state', blindnessPath(hsm)))?.value;
      const counted = before?.last === at;
      const next: Blindness = before
        ? { ...before, failures: before.failures + Number(!counted), last: at }
        : { schema: 1, failures: 1, since: at, last: at };
      if (!counted) await world.documents.put('state', blindnessPath(hsm), next);
      if (next.failures < TOLD_FROM) return { kind: 'noted', failures: next.failures, findings: [] };
      const ref = await storeFinding(world, findingOf(world, hsm, next, { at, code, message }), at, {
        [idOf(world, hsm, next)]: next.since.slice(0, 10),
      });
      return { kind: 'noted', failures: next.failures, findings: [ref] };
    },
  }) satisfies Partial<ActivityHandlers>;

const idOf = (world: World, hsm: string, { since }: Blindness): string =>
  sha256Of(world)(`detector-blind ${hsm} ${since}`).slice(0, 32);

function findingOf(
  world: World,
  hsm: string,
  blindness: Blindness,
  { at, code, message }: { at: string; code: string; message: string },
): Finding {
  return {
    version: 1,
    id: idOf(world, hsm, blindness),
    detector: 'detector-blind',
    detectorVersion: 1,
    hsm,
    keys: [],
    keysInAll: 0,
    classes: [],
    from: blindness.since,
    until: at,
    foundAt: at,
    title: `The audit log of ${hsm} cannot be judged`,
    explanation: `Detection failed ${blindness.failures} times in a row since ${blindness.since}. ${message}`.slice(
      0,
      500,
    ),
    nextStep: 'Mend what the message says. What was logged meanwhile is judged once a cycle succeeds.',
    score: SCORE,
    severity: severityOf(SCORE),
    class: 'controls',
    response: 'notify',
    techniques: ['T1562.008'],
    assignments: [],
    facts: { failures: blindness.failures, code },
    correlationIds: [],
    intents: [],
  };
}
