import { createDetect } from '../../shared/detection/detect.ts';
import { emptyMemory } from '../../shared/detection/memory.ts';
import { DAY_MS } from '../../shared/time.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { FIRST_LOOK, lookUp } from './detection-look-ups.ts';
import { detectionRuleOf } from './detection-rule.ts';
import { commitJudgement, type Judgement, propose, readStanding } from './detection-state.ts';
import { sha256Of } from './text.ts';

const HOUR_MS = 3_600_000;
/** As long as memory reaches. */
const BASELINE_DAYS = 28;
/** Days of one step: a step that is repeated repeats little. */
const DAYS_A_STEP = 4;
/** An hour is closed once its rows have arrived, but for a few. */
const HOUR_CLOSES_MS = HOUR_MS / 4;
/** The first windows judge the last hour, so it is not learnt. */
const JUDGED_AT_FIRST_MS = HOUR_MS;

export const detectionBaselineActivities = (world: World) =>
  ({
    /**
     * Learns from what the workspace still holds, so that novelty is told from the first day on. What happened before is history
     * and is not told: nobody could have announced it.
     */
    async learnBaseline({ hsm, now: at }, { log }) {
      const { detection } = world;
      const end = Date.parse(baselineEnd(at));
      if (!detection) return { kind: 'learnt', upTo: at, hours: 0, done: true };
      const standing = await readStanding(world.documents, hsm);
      const before = standing?.judgement;
      if (before && isLearnt(before, at)) return { kind: 'learnt', upTo: before.hoursTo, hours: 0, done: true };
      const { rule } = await detectionRuleOf(world, detection, hsm);
      const detect = createDetect(sha256Of(world));
      const start = before ? Date.parse(before.hoursTo) : end - BASELINE_DAYS * DAY_MS;
      const stop = Math.min(end, start + DAYS_A_STEP * DAY_MS);
      let memory = before?.memory ?? emptyMemory();
      let learnt = 0;
      for (let from = start; from < stop; from += DAY_MS) {
        const to = new Date(Math.min(stop, from + DAY_MS)).toISOString();
        const after = new Date(from).toISOString();
        const window = { hsm, after, upTo: to, coarse: true } as const;
        const [sensitive, used, hours] = await Promise.all([
          detection.log.sensitiveCalls(window),
          detection.log.keyUse(window),
          detection.log.hourVolumes(hsm, after, to),
        ]);
        const calls = [...sensitive.calls, ...used.calls];
        learnt += hours.length;
        // A day without a row says that nothing is kept from then, not that nothing happened.
        if (calls.length === 0 && hours.length === 0) continue;
        const empty = { more: 0, arrivals: [], controlPlane: [], intents: [], keys: [], ownClients: [] };
        memory = detect(
          { now: to, hsm, calls, hours, ...empty, lookedUp: { backupContainers: {} } },
          memory,
          rule,
        ).memory;
      }
      const done = stop >= end;
      const judgement = `baseline-${stop}`;
      const first: Judgement = {
        schema: 1,
        ...(standing ? { after: standing.state.judgement } : {}),
        hoursTo: new Date(stop).toISOString(),
        // Nothing of it was told, so no repeat of it may be kept from people.
        memory: { ...memory, told: {}, recent: [], consumed: {} },
        judged: {},
        sighted: before?.sighted ?? {},
        stored: {},
      };
      const context = { instance: `detect-${hsm}`, step: judgement, before: first.sighted, log };
      const sighted = done
        ? (await lookUp(world, detection, hsm, { needs: FIRST_LOOK }, context)).sighted
        : first.sighted;
      await propose(world.documents, hsm, judgement, { ...first, sighted });
      await commitJudgement(world.documents, hsm, judgement, world.clock.now().toISOString());
      return { kind: 'learnt', upTo: first.hoursTo, hours: learnt, done };
    },
  }) satisfies Partial<ActivityHandlers>;

/** The last full hour that is closed at an instant. */
export const closedHour = (ms: number): string =>
  new Date(Math.floor((ms - HOUR_CLOSES_MS) / HOUR_MS) * HOUR_MS).toISOString();

const baselineEnd = (now: string): string => closedHour(Date.parse(now) - JUDGED_AT_FIRST_MS);

/** The baseline reaches up to the last hours, and windows can begin. */
export const isLearnt = ({ hoursTo }: Judgement, now: string): boolean =>
  Date.parse(hoursTo) >= Date.parse(baselineEnd(now)) - HOUR_MS;
