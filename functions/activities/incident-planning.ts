import { beginSteps, skipStep } from '../../shared/incident/decide-step.ts';
import type { SeenUse } from '../../shared/incident/guards.ts';
import { type Incident, keysByWeight, roundOf } from '../../shared/incident/incident.ts';
import {
  type KeySituation,
  mergePlan,
  type PlanFacts,
  planResponse,
  revokesWaitingFor,
  takenBy,
} from '../../shared/incident/plan.ts';
import { isPlain } from '../../shared/incident/plan-keys.ts';
import type { PlannedStep } from '../../shared/incident/step.ts';
import { type HarderWatch, watchOf, watchText } from '../../shared/incident/watch.ts';
import type { LoggedVersionUse } from '../../shared/ports/audit-log.ts';
import { addDuration, subtractDuration } from '../../shared/time.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { changeIncident, incidentOf, readIncidents } from './incident-records.ts';
import { loggingOf, resourceIdOf, surroundingsOf } from './incident-surroundings.ts';
import { known, noted, rolesReader, ruleOf, US } from './incident-world.ts';
import { presentKeys } from './present-keys.ts';

/** How far back use is looked for. */
const USE_SINCE = 'P30D';
/** Each key that was used is planned for; of those that were only named so many: more would tire whoever decides. */
const MOST_NAMED = 20;

export const incidentPlanningActivities = (world: World) =>
  ({
    async beginIncident({ incident: id }) {
      const at = world.clock.now().toISOString();
      await changeIncident(world, id, (current) => {
        const round = roundOf(current);
        if ((current.begun ?? 0) >= round) return current;
        return { ...noted(current, { at, kind: 'begun', by: US, text: 'The response began.' }), begun: round };
      });
      return { kind: 'done' };
    },

    /** Plans, or plans again because more was found. What was begun or decided stays as it is. */
    async planIncident({ incident: id }) {
      const incident = await incidentOf(world, id);
      const findings = incident.findingsInAll ?? 0;
      if (incident.watchUntil !== undefined) await putWatch(world, incident, incident.watchUntil);
      const { fresh, rule } = await freshPlan(world, incident);
      const now = world.clock.now();
      await changeIncident(world, id, (current) => {
        const before = current.plan ?? [];
        const plan = beginSteps(mergePlan(before, fresh), rule.response, now);
        const added = plan.filter((step) => !before.some((each) => each.id === step.id)).length;
        const text = `${plan.length} step${plan.length === 1 ? '' : 's'} planned${added === plan.length ? '' : `, ${added} of them new`}.`;
        const planned = { round: roundOf(current), findings, severity: current.severity };
        return {
          ...noted(current, { at: now.toISOString(), kind: 'plan', by: US, text }),
          plan,
          planned,
        };
      });
      // Another response that took one away meanwhile did not see these steps yet.
      for (const { incident: other, assignment } of await takenElsewhere(world, incident)) {
        await changeIncident(world, id, (current) =>
          revokesWaitingFor(current, assignment).reduce(
            (changed, step) => skipStep(changed, step.id, takenBy(other), now),
            current,
          ),
        );
      }
      return { kind: 'done' };
    },

    /** Looks harder for the intruder, from now until the policy says; detection reads it where it lies. */
    async watchHarder({ incident: id }) {
      const incident = await incidentOf(world, id);
      const { response } = await ruleOf(world, incident);
      const moved = incident.class === 'keyMaterial' || incident.class === 'rootOfTrust';
      const now = world.clock.now();
      const until = addDuration(now, moved ? response.watchMoved : response.watch).toISOString();
      await putWatch(world, incident, until);
      await changeIncident(world, id, (current) =>
        current.watchUntil === undefined
          ? {
              ...noted(current, {
                at: now.toISOString(),
                kind: 'watch',
                by: US,
                text: watchText({ ...current, watchUntil: until }),
              }),
              watchUntil: until,
            }
          : current,
      );
      return { kind: 'done' };
    },
  }) satisfies Partial<ActivityHandlers>;

const watchPath = (hsm: string, id: string): string => `detection/${hsm}/watches/${id}.json`;

/** One document an incident, so that each ends by itself. */
const putWatch = (world: World, incident: Incident, until: string): Promise<void> =>
  world.documents.put('state', watchPath(incident.hsm, incident.id), watchOf(incident, until));

export const endWatch = (world: World, { hsm, id }: Incident): Promise<void> =>
  world.documents.remove('state', watchPath(hsm, id));

/** The watches of an HSM that last now. */
export async function readWatches(world: Pick<World, 'documents'>, hsm: string, now: Date): Promise<HarderWatch[]> {
  const found: HarderWatch[] = [];
  for await (const path of world.documents.list('state', `detection/${hsm}/watches/`)) {
    const watch = (await world.documents.read<HarderWatch>('state', path))?.value;
    if (watch && Date.parse(watch.until) > now.getTime()) found.push(watch);
  }
  return found;
}

/** What would be done, from the world as it is now; changes nothing. */
export async function freshPlan(
  world: World,
  incident: Incident,
): Promise<{ fresh: PlannedStep[]; rule: Awaited<ReturnType<typeof ruleOf>> }> {
  const rule = await ruleOf(world, incident);
  // A name in a log row is whatever a caller sent.
  const names = keysByWeight(incident)
    .filter(isPlain)
    .filter((name, index) => index < MOST_NAMED || incident.keysUsed?.includes(name));
  const access = rolesReader(world);
  const tired = incident.tired?.includes('plan') === true;
  const assignments = await known(access?.inventory(incident.hsm, scopesOf(incident, names)), undefined, tired);
  const definitions = await known(access?.roleDefinitions(incident.hsm), undefined, tired);
  const surroundings = await surroundingsOf(world, incident, (read) => known(read, undefined, tired));
  const logging = loggingOf(resourceIdOf(world, incident.hsm), surroundings);
  const keys: KeySituation[] = [];
  const present = await presentKeys(world, incident.hsm, names, tired);
  const there = names.filter((name) => present.has(name));
  const use = await useOf(world, incident.hsm, there, tired);
  for (const name of names)
    keys.push(present.has(name) ? await situationOf(world, incident.hsm, name, use.get(name), tired) : { name });
  const facts: PlanFacts = {
    now: world.clock.now(),
    incident,
    rule: rule.response,
    ...(assignments ? { assignments } : {}),
    ...(definitions ? { definitions } : {}),
    keys,
    ...(logging ? { logging } : {}),
    ownClients: Object.values(world.identities).map(({ clientId }) => clientId),
    takenElsewhere: await takenElsewhere(world, incident),
  };
  return { fresh: planResponse(facts), rule };
}

/** How long before an incident was opened another may have closed its way in. */
const LATELY = 'P1D';

/** Who gave a role and who got it are two incidents; what the response to one takes away lets the other's intruder in no more. */
async function takenElsewhere(world: World, { id, hsm, subject, openedAt }: Incident) {
  if (subject.kind !== 'caller') return [];
  const oid = subject.caller.oid.toLowerCase();
  const since = subtractDuration(new Date(openedAt), LATELY).getTime();
  const others = (await readIncidents(world.documents, hsm)).filter((each) => each.id !== id);
  return others.flatMap(({ id: other, removed = [], plan = [] }) =>
    removed
      .filter(({ principalId, putBackAt, removedAt, step }) => {
        const isGone = putBackAt === undefined && plan.some(({ id: each, state }) => each === step && state === 'done');
        return isGone && principalId.toLowerCase() === oid && Date.parse(removedAt) >= since;
      })
      .map(({ id: assignment, principalId, roleDefinitionId, scope }) => ({
        incident: other,
        assignment: { id: assignment, principalId, roleDefinitionId, scope },
      })),
  );
}

/** The service shows assignments at a key nowhere but at that key. */
function scopesOf({ assignments = [] }: Incident, names: string[]): string[] {
  const spoken = assignments.flatMap(({ scope }) => /^\/keys\/(.+)$/.exec(scope)?.[1] ?? []);
  return [...new Set([...names, ...spoken])];
}

async function situationOf(
  world: World,
  hsm: string,
  name: string,
  use: SeenUse[] | undefined,
  tired: boolean,
): Promise<KeySituation> {
  const key = { hsm, name };
  const [facts, versions] = [
    await known(world.keys.observe.read(key), undefined, tired),
    await known(world.keys.observe.versions(key), undefined, tired),
  ];
  return {
    name,
    ...(facts ? { version: facts.version } : {}),
    ...(versions ? { versionsUsed: versions.length } : {}),
    ...(use ? { use } : {}),
  };
}

/** Who used each key in the last 30 days, by one question to the log. Of a key that is missing nobody can say. */
export async function useOf(
  world: World,
  hsm: string,
  names: readonly string[],
  tired = false,
): Promise<Map<string, SeenUse[]>> {
  const now = world.clock.now();
  const since = subtractDuration(now, USE_SINCE).toISOString();
  const question = { hsm, keys: names.map((name) => ({ name, since })), upTo: now.toISOString() };
  const answer = await known(world.auditLog?.versionUse(question), undefined, tired);
  return new Map([...(answer ?? [])].map(([name, uses]) => [name, uses.filter(isDone).map(seenUse)]));
}

const isDone = ({ outcome }: LoggedVersionUse): boolean => outcome === 'ok';

const seenUse = ({ version, caller, count, last }: LoggedVersionUse): SeenUse => ({
  version,
  caller: caller.oid,
  ...(caller.upn === undefined ? {} : { name: caller.upn }),
  count,
  last,
});
