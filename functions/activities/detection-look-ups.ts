import type { CallGroup } from '../../shared/detection/audit-call.ts';
import type { CustomRole, LookedUp, RoleGrant } from '../../shared/detection/detection-facts.ts';
import { type LookUps, neededLookUps } from '../../shared/detection/look-ups.ts';
import { lookedAgain } from '../../shared/detection/seen.ts';
import { AppError } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { HsmResource } from '../../shared/ports/hsm-resources.ts';
import type { DetectionWorld, World } from '../world.ts';
import type { Sighted } from './detection-state.ts';
import { announceOnHsm } from './hsm-acts.ts';

/** Where grants lie that concern every key. */
const WIDE = ['/', '/keys'];

/** What the HSM says when it is first looked at, so that later changes can be told from it. */
export const FIRST_LOOK: LookUps = {
  assignments: { scopes: WIDE },
  definitions: true,
  settings: true,
  backupJobs: [],
  keys: [],
};

/**
 * Asks the HSM what the rows of a window cannot tell. A question that is not answered stays open, and is no proof of innocence:
 * what cannot be read is left out, and detectors take it for unknown.
 */
export async function lookUp(
  world: World,
  detection: DetectionWorld,
  hsm: string,
  asked: { calls: readonly CallGroup[] } | { needs: LookUps },
  context: { instance: string; step: string; before: Sighted; log: Log },
): Promise<{ lookedUp: LookedUp; sighted: Sighted; needs: LookUps }> {
  const { before, log } = context;
  const needs = 'needs' in asked ? asked.needs : neededLookUps(asked.calls);
  const tried = async <T>(what: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      log.warn('LookUpUnanswered', { hsm, what, code: error.code, message: error.message });
      return undefined;
    }
  };
  const scopes = needs.assignments === null ? [] : [...new Set([...WIDE, ...needs.assignments.scopes])];
  const questions = scopes.length + Number(needs.definitions) + Number(needs.settings) + needs.backupJobs.length;
  if (questions > 0) await announceReads(world, hsm, needs, scopes, context);

  const granted =
    scopes.length === 0
      ? undefined
      : await tried('assignments', async () => {
          const found: RoleGrant[] = [];
          for (const scope of scopes) {
            for (const { id, principalId, roleDefinitionId: role, scope: at } of await detection.access.roleAssignments(
              hsm,
              scope,
            )) {
              found.push({ id, scope: at, role, principalId });
            }
          }
          return found;
        });
  const assignments = granted && merged(before.assignments ?? [], granted, scopes);
  const definitions = needs.definitions
    ? await tried('definitions', async () =>
        (await detection.access.roleDefinitions(hsm))
          .filter(({ custom }) => custom)
          .map(({ id, name, dataActions }): CustomRole => ({ id, name, dataActions })),
      )
    : undefined;
  const settings = needs.settings ? await tried('settings', () => detection.configuration.settings(hsm)) : undefined;
  const backupContainers: LookedUp['backupContainers'] = {};
  for (const job of needs.backupJobs) {
    backupContainers[job] = (await tried('backup job', () => containerOf(detection, hsm, job))) ?? null;
  }
  const resourceId = world.hsms.find(({ name }) => name === hsm)?.resourceId ?? '';
  const resource = await tried('network', () => detection.resources.read(resourceId));
  const network = resource && networkOf(resource);
  const diagnostics = await tried('diagnostic settings', () => detection.diagnostics.list(resourceId));
  const lookedAt = world.clock.now().toISOString();
  return {
    needs,
    lookedUp: {
      ...(assignments && { assignments }),
      ...(before.assignments && { assignmentsBefore: before.assignments }),
      ...(definitions && { definitions }),
      ...(before.definitions && { definitionsBefore: before.definitions }),
      ...(settings && { settings }),
      ...(before.settings && { settingsBefore: before.settings }),
      backupContainers,
      ...(network && { network }),
      ...(diagnostics && { diagnostics }),
      ...(before.diagnostics && { diagnosticsBefore: before.diagnostics.at(-1)?.value ?? [] }),
    },
    sighted: {
      ...before,
      ...(assignments && { assignments }),
      ...(definitions && { definitions }),
      ...(settings && { settings }),
      ...(resource && { network: lookedAgain(before.network ?? [], resource.network, lookedAt) }),
      ...(diagnostics && { diagnostics: lookedAgain(before.diagnostics ?? [], diagnostics, lookedAt) }),
    },
  };
}

/** Our own questions are rows of the log as well. */
async function announceReads(
  world: World,
  hsm: string,
  needs: LookUps,
  scopes: string[],
  { instance, step }: { instance: string; step: string },
): Promise<void> {
  await announceOnHsm(world, {
    act: 'detection.lookUp',
    duty: 'observe',
    hsm,
    target: 'configuration',
    instance,
    cause: 'audit log',
    step: `${step}:${world.clock.now().toISOString()}`,
    count: {
      // A client that is refused or throttled asks again.
      'rbac.assign.read': scopes.length * 4,
      'rbac.definition.read': Number(needs.definitions) * 4,
      'settings.read': Number(needs.settings) * 4,
      'backup.poll': needs.backupJobs.length * 4,
    },
  });
}

/** Scopes that were asked about are as they are now; of the others the last that was seen stands. */
const merged = (before: RoleGrant[], now: RoleGrant[], scopes: string[]): RoleGrant[] => {
  const asked = new Set(scopes.map((scope) => scope.toLowerCase()));
  const found = [...before.filter(({ scope }) => !asked.has(scope.toLowerCase())), ...now];
  return [...new Map(found.map((grant) => [`${grant.scope} ${grant.id}`, grant])).values()];
};

/** The container without the folder of the job; the service tells it once the job has succeeded. */
async function containerOf(detection: DetectionWorld, hsm: string, job: string): Promise<string | null> {
  const reading = await detection.jobs.readJob(hsm, 'backup', job);
  const folder = reading.kind === 'notFound' ? undefined : reading.job.folderUri;
  return folder === undefined ? null : (folder.split('?')[0] ?? '').split('/').slice(0, -1).join('/');
}

function networkOf({ network }: HsmResource): LookedUp['network'] {
  const { publicAccess, defaultAction, allowedRanges } = network;
  const open = publicAccess && (defaultAction === 'Allow' || allowedRanges.length > 0);
  return { publicAccess: open, allowedRanges };
}
