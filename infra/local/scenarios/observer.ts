import type { RunningEstate } from '../estate-run.ts';
import type { Work } from '../functions-host/work.ts';
import { requestsInHand } from '../http.ts';
import type { PersonName } from '../identity/registrations.ts';
import type { Mail } from '../mail-sink/server.ts';
import type { RecordedEvent } from '../topic/delivery.ts';

/** What a story asks of a running estate: looks at the services from outside, never into the app. */
export interface Observer {
  estate: RunningEstate;
  /** Version counts by `hsm/key`. */
  versions(): Map<string, number>;
  /** Keys that have more versions than `before`, and by how many. */
  grown(before: Map<string, number>): { key: string; by: number }[];
  mail(): readonly Mail[];
  /** Mail whose subject names the key. */
  mailAbout(key: string): Mail[];
  /** Published facts of that type (without the prefix): an event that a crash made go out again has the same id. */
  events(type: string): RecordedEvent[];
  /** Calls of that operation on one HSM that were answered with this status. */
  calls(hsm: string, operation: string, status: number): number;
  repeat(event: RecordedEvent, times: number): void;
  /** Puts in a copy of an event with some members changed, past the topic's authentication. */
  forge(event: RecordedEvent, changes: Record<string, unknown>): void;
  api(
    method: 'GET' | 'POST',
    path: string,
    options: { as: PersonName; body?: unknown; idempotencyKey?: string },
  ): Promise<{ status: number; body: unknown; headers: Record<string, string | undefined> }>;
  /** Follows a Location until the operation has ended, the clock as well; its outcome. */
  operation(location: string): Promise<{ kind: string }>;
  /** Runs a timer function once all is settled, and waits for what follows: nothing that began before is taken for it. */
  run(timer: string, options?: Except): Promise<void>;
  /** Seeds keys that are due, `contoso/{prefix}-{n}`, and names them. */
  plantDue(prefix: string, count: number): Promise<string[]>;
  /** Takes one data action (without prefix) away from a principal; returns how to give it back. */
  withoutAction(principalId: string, dataAction: string): Promise<() => Promise<void>>;
  writePolicy(text: string): Promise<void>;
  killHost(): Promise<void>;
  advance(ms: number): void;
  pause(ms: number): Promise<void>;
  /** Until it holds, by itself. */
  until(holds: () => boolean | Promise<boolean>, what: string): Promise<void>;
  /** Until it holds; each time that nothing moves by itself, the clock goes on to the next durable timer. */
  eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void>;
  /** Until nothing moves by itself: no function runs, no event or message is on its way. Orchestrations may wait for time. */
  still(): Promise<Work>;
  /** Waits until all is still, and then moves the clock to the first durable timer. False, and not moved: nothing is under way. */
  moveOn(options?: Except): Promise<boolean>;
  /** Until no orchestration is under way. The clock is moved from timer to timer, as far as they need and no further. */
  settled(options?: Except): Promise<void>;
}

interface Except {
  /** Instances that may go on, and whose timers nobody waits for: an incident waits for people. */
  except?: RegExp;
}

/**
 * When stories and tests begin: a Tuesday morning far from any change of the clocks, so that what is told once a day, or judged by
 * the day of the week, does not hang on when they are run.
 */
export const MORNING = '2030-05-14T10:00:30Z';

/** Looks without any change, after which something is stuck. */
const PATIENCE_LOOKS = 4_000;
const LOOK_EVERY_MS = 25;
/** Moves of the clock after which orchestrations will not end. */
const MOST_MOVES = 20_000;

export function createObserver(estate: RunningEstate): Observer {
  const answered: string[] = [];
  estate.onHappening((happening) => {
    if (happening.kind === 'audit')
      answered.push(`${happening.row.hsm} ${happening.row.operationName} ${happening.row.httpStatusCode}`);
  });
  const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const clock = estate.estate.clock;
  const { host: hostUrl, tokens } = estate.ready;

  const until = async (holds: () => boolean | Promise<boolean>, what: string): Promise<void> => {
    for (let look = 0; look < PATIENCE_LOOKS; look++) {
      if (await holds()) return;
      await pause(LOOK_EVERY_MS);
    }
    throw new Error(`waited ${(PATIENCE_LOOKS * LOOK_EVERY_MS) / 1000} s in vain for ${what}`);
  };

  /**
   * Whether a service works on a request, of which the app may know nothing any more, or an event is on its way. An event that was
   * refused comes again when the clock says so.
   */
  const serving = (): boolean => {
    if (requestsInHand() > 0) return true;
    if (estate.topic.handling().hold) return false;
    const now = clock.now().getTime();
    return estate.topic.events.some(({ deliveries }) =>
      deliveries.some(({ state, next }) => state === 'pending' && (next === undefined || Date.parse(next) <= now)),
    );
  };

  const still = async (): Promise<Work> => {
    let seen = '';
    for (let look = 0; look < PATIENCE_LOOKS; look++) {
      // Events go from the app to the topic and from there to the app: looked at before and after.
      const resting = !serving();
      const work = await estate.host?.work();
      if (resting && work?.idle && estate.host?.isUp && !serving()) return work;
      const sign = `${estate.host?.pid} ${work?.begun} ${estate.topic.events.length}`;
      if (sign !== seen) look = 0;
      seen = sign;
      await pause(LOOK_EVERY_MS);
    }
    throw new Error(`the app does not come to rest: process ${seen}`);
  };

  const moveOn = async ({ except }: Except = {}): Promise<boolean> => {
    const { underWay } = await still();
    const awaited = underWay.filter(({ instanceId }) => !except?.test(instanceId));
    if (awaited.length === 0) return false;
    const times = awaited.flatMap(({ next }) => (next === undefined ? [] : [Date.parse(next)]));
    if (times.length === 0)
      throw new Error(`under way, and waiting for no time: ${awaited.map(({ instanceId }) => instanceId).join(', ')}`);
    clock.advance(Math.max(1, Math.min(...times) - clock.now().getTime()));
    return true;
  };

  const eventually = async (holds: () => boolean | Promise<boolean>, what: string): Promise<void> => {
    for (let move = 0; move < MOST_MOVES; move++) {
      await still();
      if (await holds()) return;
      if (!(await moveOn())) break;
    }
    await still();
    if (!(await holds())) throw new Error(`nothing is under way any more, and still not ${what}`);
  };

  const observer: Observer = {
    estate,
    versions: () =>
      new Map(
        estate.hsms.flatMap((hsm) =>
          hsm.keys().keys.map((key) => [`${hsm.name}/${key.name}`, key.versions.length] as const),
        ),
      ),
    grown: (before) =>
      [...observer.versions()]
        .map(([key, count]) => ({ key, by: count - (before.get(key) ?? count) }))
        .filter(({ by }) => by > 0),
    mail: () => estate.mail.mail,
    mailAbout: (key) => estate.mail.mail.filter(({ subject }) => subject.includes(key)),
    events(type) {
      const published = estate.topic.events.filter((event) => event.type === `ManagedHsmLifecycle.${type}`);
      return [...new Map(published.toReversed().map((event) => [event.id, event])).values()].toReversed();
    },
    calls: (hsm, operation, status) => answered.filter((each) => each === `${hsm} ${operation} ${status}`).length,
    repeat(event, times) {
      for (let time = 0; time < times; time++) estate.topic.publish([event.body], event.schema);
    },
    forge: (event, changes) => void estate.topic.publish([{ ...event.body, ...changes }], event.schema),
    async api(method, path, { as, body, idempotencyKey }) {
      const reply = await estate.call({
        method,
        url: new URL(path, hostUrl),
        headers: {
          authorization: `Bearer ${tokens[as]}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        },
        body: body === undefined ? '' : JSON.stringify(body),
      });
      const text = reply.body.toString('utf8');
      return {
        status: reply.status,
        body: text === '' ? undefined : JSON.parse(text),
        headers: reply.headers as Record<string, string | undefined>,
      };
    },
    async operation(location) {
      let outcome: { kind: string } | undefined;
      await eventually(async () => {
        const { status, body } = await observer.api('GET', location, { as: 'viewer' });
        if (status === 200) outcome = (body as { outcome: { kind: string } }).outcome;
        return outcome !== undefined;
      }, `the end of the operation ${location}`);
      if (!outcome) throw new Error(`operation ${location} has no outcome`);
      return outcome;
    },
    async run(timer, options) {
      await observer.settled(options);
      await estate.runTimer(timer);
      await observer.settled(options);
    },
    async plantDue(prefix, count) {
      const [hsm] = estate.hsms;
      const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
      for (const name of names) {
        await hsm?.plant({
          name,
          kty: 'EC-HSM',
          crv: 'P-256',
          keyOps: ['sign', 'verify'],
          created: '-P350D',
          expires: 'P10D',
          tags: { owner: 'payments@contoso.example' },
          rotationPolicy: { expiryTime: 'P1Y', rotate: { timeBeforeExpiry: 'P7D' } },
        });
      }
      return names.map((name) => `${hsm?.name}/${name}`);
    },
    async withoutAction(principalId, dataAction) {
      const [hsm] = estate.hsms;
      if (!hsm) throw new Error('the estate has no HSM');
      const restores = hsm.keys().roleAssignments.flatMap(({ properties }) => {
        if (properties.principalId !== principalId) return [];
        const definition = hsm.keys().roleDefinitions.find(({ id }) => id === properties.roleDefinitionId);
        const dataActions = definition?.properties.permissions.flatMap((each) => each.dataActions.map(bare)) ?? [];
        if (!definition || !dataActions.includes(dataAction)) return [];
        const { name, properties: role } = definition;
        const redefine = (actions: string[]) =>
          void hsm.seedRole({ name, roleName: role.roleName, description: role.description, dataActions: actions });
        redefine(dataActions.filter((action) => action !== dataAction));
        return [() => redefine(dataActions)];
      });
      if (restores.length === 0) throw new Error(`nobody granted ${dataAction} to ${principalId}`);
      return async () => {
        for (const restore of restores) restore();
      };
    },
    async writePolicy(text) {
      await estate.storage.putBlob('policy', 'policy.json', text, 'application/json');
    },
    async killHost() {
      await estate.host?.kill('SIGKILL');
      await estate.host?.start();
    },
    advance: (ms) => clock.advance(ms),
    pause,
    until,
    eventually,
    still,
    moveOn,
    async settled(options) {
      for (let move = 0; await moveOn(options); move++) {
        if (move < MOST_MOVES) continue;
        const { underWay } = await still();
        const ids = underWay.map(({ instanceId }) => instanceId).slice(0, 5);
        throw new Error(`still under way after ${MOST_MOVES} moves of the clock: ${ids.join('; ')}`);
      }
    },
  };
  return observer;
}

const bare = (action: string): string => action.replace('Microsoft.KeyVault/managedHsm/', '');
