import {
  type Expected,
  expectedHeartbeats,
  type HeartbeatWork,
  heartbeatName,
} from '../../shared/heartbeat/expected.ts';
import {
  type HeartbeatJudgement,
  type HeartbeatMemory,
  judgeHeartbeats,
} from '../../shared/heartbeat/judge-heartbeats.ts';
import { meaningOf } from '../../shared/notification/compose/heartbeat-notices.ts';
import type { Notice } from '../../shared/notification/notice.ts';
import type { PolicyDocument } from '../../shared/policy/document.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import type { HeartbeatAlarm } from '../contracts/heartbeat-outcomes.ts';
import type { ActivityHandlers } from '../implement.ts';
import { lookedAfter } from '../looked-after.ts';
import type { World } from '../world.ts';
import { policyInForce } from './policy-in-force.ts';

/** That some work ended well, and when. Writers may add to it. */
export interface Heartbeat {
  schema: 1;
  at: string;
  /** Of a log: the finding by which security was told that no row came since. */
  finding?: string;
}

export const heartbeatPath = (work: HeartbeatWork, hsm?: string): string =>
  `heartbeats/${heartbeatName(work, hsm)}.json`;

const MEMORY = 'heartbeats/watch.json';

/** A silence is told again once a day, a recovery once. */
const REPEAT = 'P1D';

/**
 * Says that a piece of work that runs by the clock has just ended well: called in its last step. `at` where the heartbeat is
 * of something else than the work, such as the newest row of a log.
 */
export const beat = (
  { documents, clock }: Pick<World, 'documents' | 'clock'>,
  work: HeartbeatWork,
  hsm?: string,
  at: string = clock.now().toISOString(),
  more: Record<string, unknown> = {},
): Promise<void> => documents.put('state', heartbeatPath(work, hsm), { schema: 1, at, ...more } satisfies Heartbeat);

/** How all heartbeats stand now; remembers nothing. */
export async function judgeNow(
  world: World,
): Promise<HeartbeatJudgement & { lastLook?: string; found: ReadonlySet<string> }> {
  const { schedules, schedule, graceMinutes } = world.heartbeats;
  const expected = expectedHeartbeats(
    schedules,
    lookedAfter(world.hsms).map(({ name }) => name),
  );
  const [memory, ...read] = await Promise.all([
    world.documents.read<HeartbeatMemory>('state', MEMORY),
    ...expected.map(({ work, hsm }) => world.documents.read<Heartbeat>('state', heartbeatPath(work, hsm))),
  ]);
  const beats = Object.fromEntries(expected.map(({ name }, index) => [name, read[index]?.value.at]));
  const found = new Set(
    expected.filter((_, index) => read[index]?.value.finding !== undefined).map(({ name }) => name),
  );
  const grace = `PT${graceMinutes}M`;
  const now = world.clock.now();
  const judged = judgeHeartbeats({ expected, beats, found, memory: memory?.value, schedule, grace, now });
  return { ...judged, found, ...(memory ? { lastLook: memory.value.lookedOn } : {}) };
}

/** The first look at health starts the time in which the watch has to look for the first time. */
export const beginWatch = ({ documents }: World, memory: HeartbeatMemory) =>
  documents.create('state', MEMORY, { ...memory, seen: {} });

export const heartbeatActivities = (world: World) =>
  ({
    /** Remembers nothing, so that a crash before all is told does not lose a recovery. */
    async lookAtHeartbeats() {
      const { policy } = await policyInForce(world);
      const { memory, silences, recovered, away, found } = await judgeNow(world);
      const at = memory.lookedOn;
      const alarms: HeartbeatAlarm[] = [];
      if (away) {
        const notice: Notice = {
          kind: 'HeartbeatMissed',
          at,
          work: 'app',
          name: 'app',
          since: away.from,
          until: away.to,
        };
        alarms.push({
          due: { id: `heartbeat-missed-app-${away.from}`, notice, repeatAfter: REPEAT },
          event: { name: 'app', since: away.from, at, summary: meaningOf('app') },
        });
      }
      for (const { name, work, hsm, schedule, last, since, dueBy } of silences) {
        if (found.has(name)) continue;
        const notice: Notice = {
          kind: 'HeartbeatMissed',
          at,
          ...about(policy, hsm),
          ...{ work, name, schedule, since, dueBy },
          ...(last === undefined ? {} : { last }),
        };
        alarms.push({
          due: { id: `heartbeat-missed-${name}-${since}`, notice, repeatAfter: REPEAT },
          event: { name, ...(hsm === undefined ? {} : { hsm }), since, at, summary: meaningOf(work) },
        });
      }
      for (const { name, work, hsm, since, last } of recovered) {
        const notice: Notice = { kind: 'HeartbeatRecovered', at, ...about(policy, hsm), work, name, since, last };
        alarms.push({ due: { id: `heartbeat-recovered-${name}-${since}`, notice, repeatAfter: REPEAT } });
      }
      return { kind: 'looked', alarms, memory };
    },

    /** Its id is made of the silence, so that every repeat is the same event. */
    async publishHeartbeatMissed({ event: { name, hsm, since, at, summary } }) {
      const resource = world.hsms.find((each) => each.name === hsm)?.resourceId;
      await world.events.publish([
        {
          id: ['HeartbeatMissed', name, since].join('/'),
          type: 'HeartbeatMissed',
          // What concerns every HSM has the installation for its source.
          source: resource ?? `urn:managed-hsm-lifecycle:${world.installation}`,
          subject: `heartbeats/${name}`,
          time: at,
          data: { hsm: hsm ?? '*', summary, reference: name, since },
        },
      ]);
      return { kind: 'published' };
    },

    async rememberHeartbeats({ memory }) {
      await world.documents.put('state', MEMORY, memory);
      return { kind: 'remembered' };
    },
  }) satisfies Partial<ActivityHandlers>;

/** Whom a silence concerns: those who care for the HSM; the fallback where it is all of them. */
function about(policy: PolicyDocument, hsm: Expected['hsm']) {
  return hsm === undefined ? {} : { hsm, notify: effectiveHsmRule(policy, hsm, '').rule.notice };
}
