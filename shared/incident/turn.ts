import { isAtLeast } from '../detection/score.ts';
import { answerFor, type ResponseRule } from '../policy/response-rule.ts';
import { addDuration } from '../time.ts';
import { obstaclesToClosing } from './closing.ts';
import { containmentFailed, containmentMoves, containmentOf, containmentWaits } from './containment.ts';
import { type Incident, keysWithoutEvidence, roundOf } from './incident.ts';
import { JOIN_WITHIN_MS } from './join.ts';
import { isOpen } from './plan.ts';
import type { PlannedStep } from './step.ts';

export type IncidentAct =
  | 'begin'
  | 'evidence'
  | 'plan'
  | 'watch'
  | 'expire'
  | 'revoke'
  | 'rotate'
  | 'follow'
  | 'contain'
  | 'verify'
  | 'publish'
  | 'close';

export type Circle = 'owner' | 'deputy' | 'lead';

export type Telling = 'opened' | 'raised' | 'approval' | 'contained' | 'escalated' | 'closed';

/** What comes next for an incident. */
export type Turn =
  | { kind: 'act'; act: IncidentAct; step?: string }
  /** `stage` is told once. */
  | { kind: 'tell'; telling: Telling; stage: string; circle?: Circle }
  | { kind: 'wait'; until: string; for: string[] }
  | { kind: 'closed' };

/** However long nothing is due, it is looked again: a wake-up may be lost. */
const LOOK_AGAIN_MS = 6 * 3_600_000;
/** Log rows arrive late, so it is verified often at first. */
const VERIFY_SOON_MS = 15 * 60_000;
const VERIFY_LATER_MS = 6 * 3_600_000;
const SOON_MS = 2 * 3_600_000;

const CIRCLES: readonly Circle[] = ['owner', 'deputy', 'lead'];

/**
 * What comes next. Everything is read from what is stored, so that a response goes on after days as after seconds. Evidence
 * first, because containment changes what can be seen; then people are told; then what lets the intruder in goes.
 */
export function decideTurn(incident: Incident, rule: ResponseRule, now: Date): Turn {
  for (const look of [ended, beginning, planning, telling, acting, settling, escalating, publishing, closing]) {
    const turn = look(incident, rule, now);
    if (turn) return turn;
  }
  return waiting(incident, rule, now);
}

const act = (name: IncidentAct, step?: string): Turn => ({
  kind: 'act',
  act: name,
  ...(step === undefined ? {} : { step }),
});

const wasTold = ({ told = {} }: Incident, stage: string): boolean => told[stage] !== undefined;
const isQuiet = (incident: Incident, rule: ResponseRule): boolean => answerFor(rule, incident) === 'observe';

function ended(incident: Incident, rule: ResponseRule, now: Date): Turn | undefined {
  if (incident.status !== 'closed') return undefined;
  const stage = `closed-${roundOf(incident)}`;
  if (!wasTold(incident, stage) && !isQuiet(incident, rule)) return { kind: 'tell', telling: 'closed', stage };
  if ((incident.unpublished ?? []).length === 0) return { kind: 'closed' };
  return publishing(incident, rule, now) ?? { kind: 'wait', until: incident.publishAfter ?? '', for: ['the topic'] };
}

function publishing({ unpublished = [], publishAfter }: Incident, _: ResponseRule, now: Date): Turn | undefined {
  if (unpublished.length === 0) return undefined;
  return publishAfter === undefined || isPast(publishAfter, now) ? act('publish') : undefined;
}

function beginning(incident: Incident, rule: ResponseRule): Turn | undefined {
  const round = roundOf(incident);
  if ((incident.begun ?? 0) < round) return act('begin');
  if (incident.evidence?.round !== round) return act('evidence');
  const stage = `opened-${round}`;
  if (!wasTold(incident, stage) && !isQuiet(incident, rule)) return { kind: 'tell', telling: 'opened', stage };
  return undefined;
}

function planning(incident: Incident): Turn | undefined {
  const { planned } = incident;
  const stale = planned?.round !== roundOf(incident) || planned.findings !== (incident.findingsInAll ?? 0);
  // Evidence first, of what joined as of what it was opened with.
  if (stale) return act(keysWithoutEvidence(incident).length > 0 ? 'evidence' : 'plan');
  return incident.watchUntil === undefined ? act('watch') : undefined;
}

function telling(incident: Incident, rule: ResponseRule): Turn | undefined {
  if (isQuiet(incident, rule)) return undefined;
  // What it was opened with counts as told.
  const raised = raisedStage(incident);
  if (isAtLeast(incident.severity, 'High') && !wasTold(incident, raised)) {
    return { kind: 'tell', telling: 'raised', stage: raised };
  }
  const asked = waitingFor(incident);
  // Told anew only when more waits than was told: a step that was decided calls nobody.
  const stage = `approval-${roundOf(incident)}-${(incident.plan ?? []).filter(hasWaited).length}`;
  if (asked.length > 0 && !wasTold(incident, stage)) return { kind: 'tell', telling: 'approval', stage };
  return undefined;
}

export const raisedStage = (incident: Incident): string => `raised-${roundOf(incident)}-${incident.severity}`;

const hasWaited = (step: PlannedStep): boolean => step.waitingSince !== undefined && step.offered !== true;

/** Steps that wait for somebody who has to be called. */
export const waitingFor = ({ plan = [] }: Incident): PlannedStep[] =>
  plan.filter((step) => step.state === 'waiting' && step.offered !== true);

function acting({ plan = [] }: Incident, _: ResponseRule, now: Date): Turn | undefined {
  const late = plan.find(({ state, until }) => state === 'waiting' && until !== undefined && isPast(until, now));
  if (late) return act('expire', late.id);
  const due = (step: PlannedStep) => step.retryAt === undefined || isPast(step.retryAt, now);
  // What lets the intruder in goes before anything else.
  const ready = plan.filter((step) => step.state === 'approved' && step.doneBy === 'app' && due(step));
  const first = ready.find(({ kind }) => kind === 'revoke') ?? ready[0];
  if (first) return act(first.kind === 'rotate' ? 'rotate' : 'revoke', first.id);
  const running = plan.find((step) => step.state === 'underWay' && step.doneBy === 'app' && due(step));
  if (running) return act(running.kind === 'rotate' ? 'follow' : 'revoke', running.id);
  return undefined;
}

function settling(incident: Incident, rule: ResponseRule, now: Date): Turn | undefined {
  const { containment, verification } = incident;
  const moves = containmentMoves(incident);
  const found = containmentOf(incident);
  // What was taken away is said at once, whatever people have still to decide: somebody may depend on it.
  const waits = containmentWaits(incident);
  if (!moves && !(waits && found.kind === 'none')) {
    if (containment?.kind !== found.kind || containment.remains.join('\n') !== found.remains.join('\n')) {
      return act('contain');
    }
  }
  if (!containment) return undefined;
  const stage = `contained-${roundOf(incident)}-${containment.kind}${waits ? '-so-far' : ''}`;
  const worth = containment.kind !== 'none' || (!waits && containmentFailed(incident));
  if (worth && !moves && !wasTold(incident, stage) && !isQuiet(incident, rule)) {
    return { kind: 'tell', telling: 'contained', stage };
  }
  if (containment.kind === 'none') return undefined;
  return !verification || isPast(verifyAgainOn(incident, containment.at), now) ? act('verify') : undefined;
}

function verifyAgainOn({ verification, openedAt }: Incident, containedAt: string): string {
  const last = Date.parse(verification?.at ?? openedAt);
  const soon = last - Date.parse(containedAt) < SOON_MS;
  return new Date(last + (soon ? VERIFY_SOON_MS : VERIFY_LATER_MS)).toISOString();
}

function escalating(incident: Incident, rule: ResponseRule, now: Date): Turn | undefined {
  const next = nextCall(incident, rule);
  if (!next || !isPast(next.at, now)) return undefined;
  return { kind: 'tell', telling: 'escalated', stage: next.stage, circle: next.circle };
}

/** The next circle to be called for the step that waits longest. Silence calls more people, and does nothing else. */
function nextCall(incident: Incident, rule: ResponseRule) {
  if (isQuiet(incident, rule)) return undefined;
  const since = waitingFor(incident)
    .map(({ waitingSince }) => waitingSince ?? '')
    .filter(Boolean)
    .sort()[0];
  if (since === undefined) return undefined;
  for (const circle of CIRCLES) {
    const stage = `escalated-${roundOf(incident)}-${circle}-${since}`;
    if (wasTold(incident, stage)) continue;
    return { circle, stage, at: addDuration(new Date(since), rule.escalate[circle]).toISOString() };
  }
  return undefined;
}

function closing(incident: Incident, rule: ResponseRule, now: Date): Turn | undefined {
  if (isQuiet(incident, rule)) {
    const quietSince = Date.parse(incident.lastFindingAt) + JOIN_WITHIN_MS;
    return quietSince <= now.getTime() ? act('close') : undefined;
  }
  return obstaclesToClosing(incident, now).length === 0 ? act('close') : undefined;
}

function waiting(incident: Incident, rule: ResponseRule, now: Date): Turn {
  const { plan = [], watchUntil, containment } = incident;
  const call = nextCall(incident, rule);
  const instants = [
    ...plan.filter(isOpen).flatMap(({ until, retryAt }) => [until, retryAt]),
    ...plan.filter(({ state }) => state === 'underWay').map(({ retryAt }) => retryAt),
    watchUntil,
    incident.publishAfter,
    call?.at,
    ...(containment && containment.kind !== 'none' ? [verifyAgainOn(incident, containment.at)] : []),
  ]
    .filter((instant) => instant !== undefined)
    .map((instant) => Date.parse(instant))
    .filter((instant) => instant > now.getTime());
  const until = Math.min(now.getTime() + LOOK_AGAIN_MS, ...instants);
  return {
    kind: 'wait',
    until: new Date(until).toISOString(),
    for: [...waitingFor(incident).map(({ id }) => id), ...(incident.verdict ? [] : ['a verdict'])],
  };
}

const isPast = (iso: string, now: Date): boolean => Date.parse(iso) <= now.getTime();
