import type { RunningEstate } from '../estate-run.ts';
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
  /** Follows a Location until the operation has ended; its outcome. */
  operation(location: string): Promise<{ kind: string }>;
  /** Seeds keys that are due, `contoso/{prefix}-{n}`, and names them. */
  plantDue(prefix: string, count: number): Promise<string[]>;
  /** Takes one data action (without prefix) away from a principal; returns how to give it back. */
  withoutAction(principalId: string, dataAction: string): Promise<() => Promise<void>>;
  writePolicy(text: string): Promise<void>;
  killHost(): Promise<void>;
  advance(ms: number): void;
  pause(ms: number): Promise<void>;
  until(holds: () => boolean | Promise<boolean>, what: string): Promise<void>;
  deliveriesSettled(): Promise<void>;
  /** Until no orchestration is under way. Estate time is moved on meanwhile, so that durable timers cost no patience. */
  settled(options?: {
    advanceMs?: number;
    patienceMs?: number;
    /** Instances that may go on: an incident waits for people. */
    except?: RegExp;
    /** Real milliseconds between two looks, of which four in a row must find nothing. */
    lookEveryMs?: number;
  }): Promise<void>;
}

const PATIENCE_MS = 90_000;
const LOOK_EVERY_MS = 120;
/** One creation a second is the pace of the HSM; the estate's clock is moved, nobody waits. */
const USUAL_ADVANCE_MS = 1_000;

export function createObserver(estate: RunningEstate): Observer {
  const answered: string[] = [];
  estate.onHappening((happening) => {
    if (happening.kind === 'audit')
      answered.push(`${happening.row.hsm} ${happening.row.operationName} ${happening.row.httpStatusCode}`);
  });
  const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const clock = estate.estate.clock;
  const { host: hostUrl, appKeys, tokens } = estate.ready;

  const until = async (holds: () => boolean | Promise<boolean>, what: string): Promise<void> => {
    for (let waited = 0; waited < PATIENCE_MS; waited += LOOK_EVERY_MS) {
      if (await holds()) return;
      await pause(LOOK_EVERY_MS);
    }
    throw new Error(`waited ${PATIENCE_MS / 1000} s in vain for ${what}`);
  };

  const underWay = async (): Promise<string[]> => {
    const url = new URL('/runtime/webhooks/durabletask/instances', hostUrl);
    url.searchParams.set('runtimeStatus', 'Running,Pending');
    url.searchParams.set('code', appKeys.system.durabletask_extension);
    const reply = await estate.call({ method: 'GET', url });
    if (reply.status !== 200) throw new Error(`instances: ${reply.status} ${reply.body.toString('utf8')}`);
    const instances = JSON.parse(reply.body.toString('utf8')) as { instanceId: string; customStatus: unknown }[];
    return instances.map(({ instanceId, customStatus }) => `${instanceId} (${String(customStatus)})`);
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
      await until(async () => {
        const { status, body } = await observer.api('GET', location, { as: 'viewer' });
        if (status === 200) outcome = (body as { outcome: { kind: string } }).outcome;
        else clock.advance(USUAL_ADVANCE_MS);
        return outcome !== undefined;
      }, `operation ${location}`);
      if (!outcome) throw new Error(`operation ${location} has no outcome`);
      return outcome;
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
    deliveriesSettled: () =>
      until(
        () => estate.topic.events.every(({ deliveries }) => deliveries.every(({ state }) => state !== 'pending')),
        'all events to be delivered',
      ),
    async settled({
      advanceMs = USUAL_ADVANCE_MS,
      patienceMs = PATIENCE_MS,
      lookEveryMs = LOOK_EVERY_MS,
      except,
    } = {}) {
      let quiet = 0;
      let busy: string[] = [];
      for (let waited = 0; waited < patienceMs; waited += lookEveryMs) {
        // Between the look and the call the host may have been killed: then it is not quiet either.
        const all = estate.host?.isUp ? await underWay().catch(() => ['the host is down']) : ['the host is down'];
        busy = all.filter((each) => !except?.test(each));
        quiet = busy.length === 0 ? quiet + 1 : 0;
        if (quiet >= 4) return;
        if (busy.length > 0) clock.advance(advanceMs);
        await pause(lookEveryMs);
      }
      throw new Error(`still under way after ${patienceMs / 1000} s: ${busy.slice(0, 5).join('; ')}`);
    },
  };
  return observer;
}

const bare = (action: string): string => action.replace('Microsoft.KeyVault/managedHsm/', '');
