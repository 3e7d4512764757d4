import type { OrchestrationContext } from 'durable-functions';
import { findingPath } from '../../functions/activities/finding-places.ts';
import { joinOne } from '../../functions/activities/incident-joining.ts';
import { incidentOf } from '../../functions/activities/incident-records.ts';
import { incident as incidentCapability } from '../../functions/capabilities/incident.ts';
import { runActivity } from '../../functions/implement.ts';
import { respondToCompromise } from '../../functions/orchestrators/respond-to-compromise.ts';
import type { ManifestRoleAssignment } from '../../shared/backup/manifest.ts';
import type { Finding } from '../../shared/detection/finding.ts';
import { AppError } from '../../shared/errors.ts';
import type { Incident } from '../../shared/incident/incident.ts';
import type { HsmAccess } from '../../shared/ports/hsm-access.ts';
import { aFinding } from '../shared/incident/builders.ts';
import { createFakeLog } from './log.ts';
import type { Asked, Told } from './replay.ts';
import { createFakeStarter, type FakeStarter } from './starter.ts';
import { aKey, createFakeWorld, type FakeWorld } from './world.ts';

export const ADMIN_ROLE = 'a290e904-7015-4bba-90c8-60543313cdb4';
export const USER_ROLE = '21dbd100-6940-42c2-9190-5d6cb909625b';

/** A world with roles, an audit log and a response, and the places where a test may interfere. */
export interface IncidentWorld extends FakeWorld {
  roles: ManifestRoleAssignment[];
  starter: FakeStarter;
  /** Calls of the HSM's roles that changed something. */
  changes: string[];
  onUnassign: { before?(): void; after?(): void };
  open(finding?: Partial<Finding>): Promise<Incident>;
  incident(): Promise<Incident>;
  /** `incident` and `drive` speak of this one again. */
  reopen(id: string): Promise<void>;
  setPolicy(response: Record<string, unknown>, more?: Record<string, unknown>): Promise<void>;
  /** Answers what an orchestrator asks by running the activities, as the host does; a throw is a retry that is spent. */
  answer(asked: Asked): Promise<Told>;
}

export const aRole = (changes: Partial<ManifestRoleAssignment> = {}): ManifestRoleAssignment => ({
  id: '00000000-0000-4000-8000-0000000f0001',
  principalId: '00000000-0000-4000-8000-00000000a666',
  roleDefinitionId: USER_ROLE,
  scope: '/keys/orders',
  ...changes,
});

export function createIncidentWorld(roles: ManifestRoleAssignment[] = [aRole()]): IncidentWorld {
  const base = createFakeWorld({ orders: { versions: [aKey()] } });
  const starter = createFakeStarter();
  const world = Object.assign(base, { roles, starter, changes: [], onUnassign: {} }) as unknown as IncidentWorld;
  world.identities = {
    ...base.identities,
    respond: { duty: 'respond', clientId: 'respond-client' },
    reinstate: { duty: 'reinstate', clientId: 'reinstate-client' },
  };
  const access = fakeAccess(world);
  world.response = { access, reinstate: access };
  world.auditLog = {
    sensitiveCalls: async () => ({ calls: [], more: 0 }),
    refusedCalls: async () => ({ calls: [], more: 0 }),
    keyUse: async () => ({ calls: [], more: 0 }),
    hourVolumes: async () => [],
    arrivals: async () => [],
    controlPlane: async () => [],
    signIns: async () => ({ tables: [], signIns: [], more: false }),
    versionUse: async () => new Map(),
  };
  const acts = incidentCapability(world) as unknown as Record<string, never>;
  let id = '';
  world.open = async (changes = {}) => {
    const finding = aFinding({ foundAt: base.now.value.toISOString(), ...changes });
    await world.documents.put('state', findingPath('contoso', finding.foundAt.slice(0, 10), finding.id), finding);
    const joined = await joinOne(world, finding, 'detection');
    if (!joined) throw new Error('the finding opens nothing');
    id = joined.incident.id;
    return joined.incident;
  };
  world.reopen = async (before) => {
    id = before;
  };
  world.incident = () => incidentOf(world, id);
  world.setPolicy = async (response, more = {}) => {
    const policy = { version: 1, response, owners: { fallback: ['keys@contoso.example'] }, ...more };
    await world.documents.put('policy', 'policy.json', JSON.stringify(policy, null, 1));
  };
  world.answer = async (asked) => {
    if (asked.kind !== 'activity') return { result: undefined };
    const { log } = createFakeLog();
    try {
      const result = await runActivity(asked.name as never, acts[asked.name] as never, asked.input, { starter, log });
      return { result };
    } catch (error) {
      return { throws: String(error) };
    }
  };
  return world;
}

function fakeAccess(world: IncidentWorld): HsmAccess {
  const at = (scope: string) => world.roles.filter((role) => role.scope === scope);
  return {
    roleDefinitions: async () => [
      { id: USER_ROLE, name: 'Managed HSM Crypto User', custom: false, dataActions: [] },
      { id: ADMIN_ROLE, name: 'Managed HSM Administrator', custom: false, dataActions: [] },
    ],
    roleAssignments: async (_, scope) => at(scope),
    inventory: async (_, names) => ['/', '/keys', ...[...names].map((name) => `/keys/${name}`)].flatMap(at),
    async assign(_, assignment) {
      world.changes.push(`assign ${assignment.id}`);
      if (!world.roles.some(({ id }) => id === assignment.id)) world.roles.push(assignment);
    },
    async unassign(_, scope, id) {
      world.onUnassign.before?.();
      world.changes.push(`unassign ${id}`);
      world.roles = world.roles.filter((role) => role.id !== id || role.scope !== scope);
      world.onUnassign.after?.();
    },
  };
}

/** How a driven response ended: it waits, it is closed, or it was stopped. */
export interface Driven {
  names: string[];
  ended: 'waits' | 'closed';
  waitsFor: string[];
  until?: string;
}

/**
 * Runs the response as the host would, until it waits. `repeat`: every activity runs twice, as when the host is killed after
 * an effect and before its answer is kept. `forMs`: waits are waited out for so long.
 */
export async function drive(world: IncidentWorld, options: { repeat?: boolean; forMs?: number } = {}): Promise<Driven> {
  const { id } = await world.incident();
  const end = world.now.value.getTime() + (options.forMs ?? 0);
  const names: string[] = [];
  for (let instances = 0; instances < 20; instances++) {
    let goesOn = false;
    let status = '';
    const context = {
      df: {
        instanceId: id,
        get currentUtcDateTime() {
          return new Date(world.now.value);
        },
        isReplaying: false,
        getInput: () => ({ incident: id }),
        setCustomStatus: (text: string) => {
          status = text;
        },
        callActivityWithRetry: (name: string, _: unknown, input: unknown) => ({ kind: 'activity', name, input }),
        createTimer: (at: Date) => ({ kind: 'timer', at: at.toISOString(), cancel: () => undefined }),
        waitForExternalEvent: (name: string) => ({ kind: 'event', name }),
        continueAsNew: () => {
          goesOn = true;
        },
        Task: { any: (of: unknown[]) => ({ kind: 'any', of }) },
      },
      warn: () => undefined,
    } as unknown as OrchestrationContext;
    const run = respondToCompromise(context);
    let step = run.next();
    while (!step.done) {
      const asked = step.value as unknown as Asked & { of: { kind: string; at: string }[] };
      if (asked.kind === 'activity') {
        names.push(asked.name);
        let told = await world.answer(asked);
        if (options.repeat) told = await world.answer(asked);
        step = 'throws' in told ? run.throw(new Error(told.throws)) : run.next(told.result);
        continue;
      }
      const timer = asked.kind === 'any' ? asked.of[1] : (asked as { at: string });
      const at = Date.parse(timer?.at ?? '');
      if (asked.kind === 'any' && at > end) {
        const waitsFor = status.replace(/^waiting for /, '').split(', ');
        return { names, ended: 'waits', waitsFor, until: new Date(at).toISOString() };
      }
      world.now.value = new Date(Math.max(at, world.now.value.getTime()));
      step = run.next((asked.kind === 'any' ? timer : undefined) as never);
    }
    if (!goesOn) return { names, ended: 'closed', waitsFor: [] };
  }
  throw new Error('the response came to no end');
}

export const outOfReach = () => new AppError('ERR_TRANSIENT', 'out of reach', { nextStep: 'Wait.' });
