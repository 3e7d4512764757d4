import type { ControlPlaneAct } from '../audit-call.ts';
import { type Detector, type Draft, parameter } from '../detector.ts';
import { distinct, keysOf, nameOf, namesOf } from '../grouping.ts';
import type { JudgedCall } from '../judged-calls.ts';
import { callerOf, recentOf } from '../recent.ts';
import { lookUp, type Scene } from '../scene.ts';
import { callerOfAct } from './guard-rail-change.ts';

const ID = 'break-glass-use';
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * An account that is kept for emergencies is used in none of the days that others make usual: its use is told, whatever it did.
 * https://learn.microsoft.com/entra/identity/role-based-access-control/security-emergency-access
 */
export const breakGlassUse: Detector = {
  id: ID,
  version: 1,
  sees: 'Any use of an emergency account of the policy, answered or refused, once a session.',
  method:
    'Rule: the object id stands under `response.breakGlass`. A session ends with an hour without any act (`pauseMinutes`), and one that goes on is told again each day.',
  severity: { least: 'High', most: 'High' },
  falsePositives: [
    'An emergency: its custodians know of it, and the finding is its record.',
    'A drill of the account: that somebody is told is what the drill is to prove.',
  ],
  runbook: [
    'Call the custodians of the account by a way that you know, and ask which emergency this is.',
    'If nobody knows of one, treat the account as taken: its custodians block it and replace its credentials, which this app never does.',
    'Read every call of the session, and undo what changed the HSM.',
    'After an emergency, replace the credentials and seal them again.',
  ],
  response: 'notify',
  compromise: 'misuse',
  techniques: ['T1078.004'],
  evaluate(scene) {
    const accounts = distinct((scene.facts.breakGlass ?? []).map((oid) => oid.toLowerCase()));
    return accounts.flatMap((oid) => newSessions(scene, oid).map((session) => draftOf(oid, session)));
  },
};

type Use = { atMs: number; endMs: number; at: string; end: string } & ({ call: JudgedCall } | { act: ControlPlaneAct });

/** Those that begin in this window. */
function newSessions(scene: Scene, oid: string): Use[][] {
  const uses = usesOf(scene, oid);
  const pauseMs = parameter(scene, ID, 'pauseMinutes') * MINUTE_MS;
  const told = recentOf(scene, ID, DAY_MS).filter((finding) => callerOf(finding) === oid);
  const lastCall = Date.parse(lookUp(scene.memory.callers, oid)?.last ?? '');
  const lastTold = Math.max(...told.map(({ until }) => Date.parse(until)));
  let tellAgainAt = Math.max(...told.map(({ from }) => Date.parse(from))) + DAY_MS;
  let last = Math.max(Number.isNaN(lastCall) ? Number.NEGATIVE_INFINITY : lastCall, lastTold);
  const sessions: Use[][] = [];
  let open: Use[] | undefined;
  for (const use of uses) {
    // Rows that come late belong to a session that was told; a use that was never told begins one, whatever came before.
    if (!(use.atMs - last < pauseMs && use.atMs < tellAgainAt)) {
      open = [];
      sessions.push(open);
      tellAgainAt = use.atMs + DAY_MS;
    }
    open?.push(use);
    last = Math.max(last, use.endMs);
  }
  return sessions;
}

/** What the account did at the HSM, and what Resource Manager names it for: by object id, or by the name that its calls bear. */
function usesOf(scene: Scene, oid: string): Use[] {
  const calls = scene.calls.filter(({ caller, outcome }) => caller.oid === oid && outcome !== 'challenged');
  const upns = [lookUp(scene.memory.callers, oid)?.upn, ...calls.map(({ caller }) => caller.upn)];
  const names = new Set([oid, ...upns.flatMap((upn) => (upn === undefined ? [] : [upn.toLowerCase()]))]);
  const acts = scene.facts.controlPlane.filter(({ caller }) => names.has(caller.toLowerCase()));
  return [
    ...calls.map((call) => ({ call, atMs: call.firstMs, endMs: call.lastMs, at: call.first, end: call.last })),
    ...acts.map((act) => ({ act, atMs: Date.parse(act.at), endMs: Date.parse(act.at), at: act.at, end: act.at })),
  ].sort((a, b) => a.atMs - b.atMs);
}

function draftOf(oid: string, session: readonly Use[]): Draft {
  const calls = session.flatMap((use) => ('call' in use ? [use.call] : []));
  const acts = session.flatMap((use) => ('act' in use ? [use.act] : []));
  const [first, last] = [session[0] as Use, session.reduce((late, use) => (use.endMs > late.endMs ? use : late))];
  const keys = keysOf(calls);
  const did = distinct([...calls.map((call) => call.class), ...acts.map(({ operation }) => operation.slice(0, 80))]);
  const name = calls[0] === undefined ? (acts[0]?.caller ?? oid).slice(0, 80) : nameOf(calls[0]);
  return {
    calls,
    who: oid,
    caller: { ...(calls[0]?.caller ?? (acts[0] && callerOfAct(acts[0]))), oid },
    keys,
    from: new Date(first.atMs).toISOString(),
    until: last.end,
    explained: false,
    windowMinutes: 60,
    base: 60,
    plain: true,
    title: `${name}, an emergency account, was used${calls.length > 0 ? ` on ${namesOf(keys)}` : ''}`,
    explanation: `It began with: ${did.slice(0, 5).join(', ')}. Nobody uses this account but in an emergency, and containment never touches it.`,
    nextStep: 'Call its custodians by a way that you know, and ask which emergency this is.',
    facts: { acts: acts.length },
  };
}
