import type { CallGroup } from '../../shared/detection/audit-call.ts';
import { createDetect } from '../../shared/detection/detect.ts';
import type { DetectionFacts, KnownKey } from '../../shared/detection/detection-facts.ts';

import {
  type AuditWindow,
  dropJudged,
  dropJudgedActs,
  forgetOld,
  forgetOldActs,
  judgedUpTo,
  narrower,
  nextWindow,
} from '../../shared/detection/windows.ts';
import type { HarderWatch } from '../../shared/incident/watch.ts';
import type { Log } from '../../shared/log.ts';
import { subtractDuration } from '../../shared/time.ts';
import type { StoredFindingRef } from '../contracts/detection-outcomes.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { DetectionWorld, World } from '../world.ts';
import { closedHour, isLearnt } from './detection-baseline.ts';
import { readCanary } from './detection-canary.ts';
import { foundElsewhere, intentsOf, keysOf, openIncidentsOf, serviceHitsOf } from './detection-facts.ts';
import { PLACES_KEPT, raiseFinding, storeFinding } from './detection-findings.ts';
import { lookUp } from './detection-look-ups.ts';
import { canaryPath, detectionRuleOf } from './detection-rule.ts';
import { blindnessPath, commitJudgement, propose, readStanding, type Standing } from './detection-state.ts';
import { beat } from './heartbeats.ts';
import { readWatches } from './incident-planning.ts';
import { beatOfLog } from './log-heartbeat.ts';
import { sha256Of } from './text.ts';

const HOUR_MS = 3_600_000;
/** How much of the log's arrival is looked at: silences of the longest kind fit in. */
const ARRIVALS_MS = 6 * HOUR_MS;

export const detectionActivities = (world: World) =>
  ({
    /**
     * Judges the part of the log that is due, and stores what it finds and what it proposes to remember. Nothing moves on before
     * `commitWindow`, so a repeat, and a new cycle after a crash, say the same again.
     */
    async judgeWindow({ hsm, instance, judgement, now: at }, { log }) {
      const { detection } = world;
      if (!detection) return { kind: 'off' };
      const standing = await readStanding(world.documents, hsm);
      if (!standing || (standing.judgement.watermark === undefined && !isLearnt(standing.judgement, at)))
        return { kind: 'unlearnt' };
      const now = new Date(at);
      const watermark = judgedUpTo(standing.judgement.watermark, standing.judgement.judged, now);
      const due = nextWindow(watermark, now);
      if (due.kind === 'none') {
        await beat(world, 'audit', hsm);
        return { kind: 'nothing' };
      }

      const read = await readCalls(detection, hsm, due.window, watermark);
      const { fresh, judged } = dropJudged(read.calls, standing.judgement.judged, sha256Of(world));
      const context = { instance, step: judgement };
      const { facts, hoursTo, sighted, rule, acts } = await gather(world, detection, hsm, {
        now,
        standing,
        read,
        fresh,
        context,
        log,
      });
      const { findings, memory } = createDetect(sha256Of(world))(facts, standing.judgement.memory, rule);

      const places = recentPlaces(standing.judgement.stored, now);
      const refs: StoredFindingRef[] = [];
      for (const finding of findings) {
        const ref = await storeFinding(world, finding, `${read.window.after}/${read.window.upTo}`, places);
        places[ref.id] = ref.day;
        refs.push(ref);
      }
      await beatOfLog(world, hsm, facts.arrivals, findings);
      await propose(world.documents, hsm, judgement, {
        schema: 1,
        after: standing.state.judgement,
        watermark: read.window.upTo,
        hoursTo,
        memory,
        judged: forgetOld(judged, read.window.upTo),
        acts: forgetOldActs(acts, read.window.upTo),
        sighted,
        stored: places,
      });
      const calls = fresh.reduce((sum, { count }) => sum + count, 0);
      log.info('WindowJudged', {
        hsm,
        ...read.window,
        groups: fresh.length,
        calls,
        more: read.more,
        findings: refs.length,
      });
      const behind = due.behind || read.window.upTo < due.window.upTo;
      return { kind: 'judged', findings: refs, calls, more: read.more, upTo: read.window.upTo, behind };
    },

    async raiseFindings({ hsm, instance, findings }) {
      let published = 0;
      for (const ref of findings) published += Number(await raiseFinding(world, hsm, instance, ref));
      return { kind: 'raised', published };
    },

    async commitWindow({ hsm, judgement }) {
      const kind = await commitJudgement(world.documents, hsm, judgement, world.clock.now().toISOString());
      await world.documents.remove('state', blindnessPath(hsm));
      await beat(world, 'audit', hsm);
      return { kind };
    },
  }) satisfies Partial<ActivityHandlers>;

interface ReadCalls {
  window: AuditWindow;
  calls: CallGroup[];
  more: number;
}

/** A slice that brings more groups than an answer holds is made narrower, as long as it can be. */
async function readCalls(
  { log }: DetectionWorld,
  hsm: string,
  window: AuditWindow,
  watermark: string | undefined,
): Promise<ReadCalls> {
  const asked = { hsm, ...window };
  const [sensitive, refused, used] = await Promise.all([
    log.sensitiveCalls(asked),
    log.refusedCalls(asked),
    log.keyUse(asked),
  ]);
  const more = sensitive.more + refused.more + used.more;
  const shorter = more > 0 ? narrower(window, watermark) : undefined;
  if (shorter) return readCalls({ log } as DetectionWorld, hsm, shorter, watermark);
  return { window, calls: [...sensitive.calls, ...refused.calls, ...used.calls], more };
}

async function gather(
  world: World,
  detection: DetectionWorld,
  hsm: string,
  {
    now,
    standing,
    read,
    fresh,
    context,
    log,
  }: {
    now: Date;
    standing: Standing;
    read: ReadCalls;
    fresh: CallGroup[];
    context: { instance: string; step: string };
    log: Log;
  },
) {
  const { rule, breakGlass, inForce, canaryKey } = await detectionRuleOf(world, detection, hsm);
  const { sighted: before, hoursTo: hoursFrom } = standing.judgement;
  // While the log is caught up with, hours close with the window and not with the clock.
  const hoursTo = later(hoursFrom, closedHour(Math.min(now.getTime(), Date.parse(read.window.upTo) + 120_000)));
  const clientId = world.identities.observe.clientId;
  const canary = { path: canaryPath(canaryKey), clientId, ...(rule.canary && { oid: rule.canary.oid }) };
  const arrivalsFrom = new Date(
    Math.floor((now.getTime() - ARRIVALS_MS) / (HOUR_MS / 4)) * (HOUR_MS / 4),
  ).toISOString();
  const first = fresh.reduce((least, call) => (call.first < least ? call.first : least), read.window.after);
  const { lookedUp, sighted, needs } = await lookUp(
    world,
    detection,
    hsm,
    { calls: fresh },
    { ...context, before, log },
  );
  const [hours, arrivals, allActs, intents, keys, openIncidents, elsewhere, canarySuccesses, hits, watches, observer] =
    await Promise.all([
      detection.log.hourVolumes(hsm, hoursFrom, hoursTo),
      detection.log.arrivals(hsm, arrivalsFrom, now.toISOString(), canary),
      detection.log.controlPlane({ hsm, ...read.window }),
      intentsOf(world, hsm, first, now.toISOString()),
      keysOf(world, hsm, { inForce, rule, calls: fresh, changed: needs.keys }, context),
      openIncidentsOf(world, hsm),
      foundElsewhere(world, hsm, now),
      readCanary(world, hsm),
      serviceHitsOf(world, detection, hsm, { from: arrivalsFrom, to: now.toISOString(), log }),
      readWatches(world, hsm, now),
      detection.observerId(),
    ]);
  const { fresh: controlPlane, judged: acts } = dropJudgedActs(allActs, standing.judgement.acts ?? {}, sha256Of(world));
  const ownClients = Object.values(world.identities).flatMap((identity) => identity?.clientId ?? []);
  const facts: DetectionFacts = {
    now: now.toISOString(),
    hsm,
    calls: fresh,
    more: read.more,
    hours,
    arrivals,
    controlPlane,
    intents,
    lookedUp,
    keys: afterCompromise(keys, watches),
    ownClients: observer === undefined ? ownClients : [...ownClients, observer],
    canarySuccesses,
    ...hits,
    openIncidents,
    watches: watches.map(({ incident, since, until, caller, keys: watched }) => ({
      ...{ incident, since, until, keys: watched },
      ...(caller && { caller: caller.oid }),
    })),
    breakGlass,
    elsewhere,
  };
  return { facts, hoursTo, sighted, rule, acts };
}

/** Of a key that an open watch speaks of, older versions are an intruder's from when its incident was opened. */
function afterCompromise(keys: KnownKey[], watches: readonly HarderWatch[]): KnownKey[] {
  const since = new Map(
    watches.flatMap(({ keys: watched, since: from }) => watched.map((key) => [key.toLowerCase(), from])),
  );
  return keys.map((key) => {
    const compromisedOn = since.get(key.name);
    return compromisedOn === undefined ? key : { ...key, compromisedOn };
  });
}

/** Places of findings whose window may still be open. */
function recentPlaces(stored: Record<string, string>, now: Date): Record<string, string> {
  const oldest = subtractDuration(now, PLACES_KEPT).toISOString().slice(0, 10);
  return Object.fromEntries(Object.entries(stored).filter(([, day]) => day >= oldest));
}

const later = (a: string, b: string): string => (a > b ? a : b);
