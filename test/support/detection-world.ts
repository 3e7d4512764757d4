import { detectionActivities } from '../../functions/activities/detection.ts';
import { detectionBaselineActivities } from '../../functions/activities/detection-baseline.ts';
import { detectionBlindnessActivities } from '../../functions/activities/detection-blindness.ts';
import { detectionCanaryActivities } from '../../functions/activities/detection-canary.ts';
import { commitJudgement, propose, readStanding } from '../../functions/activities/detection-state.ts';
import type { DetectionWorld } from '../../functions/world.ts';
import type { ManifestRoleAssignment } from '../../shared/backup/manifest.ts';
import type { CallGroup, HourVolume } from '../../shared/detection/audit-call.ts';
import type { DiagnosticSetting } from '../../shared/detection/diagnostic-setting.ts';
import type { FindingRecord } from '../../shared/detection/finding-record.ts';
import { emptyMemory } from '../../shared/detection/memory.ts';
import type { LogWindow } from '../../shared/ports/audit-log.ts';
import { aCall, hsmCall } from '../shared/detection/builders.ts';
import { createFakeLog } from './log.ts';
import { createFakeWorld, type FakeWorld } from './world.ts';

export const HSM = 'contoso';
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** A Wednesday. */
export const START = Date.parse('2030-01-02T10:05:00.000Z');
export const iso = (ms: number): string => new Date(ms).toISOString();

/** A world with a log that a test fills, and the places where the HSM may fail to answer. */
export interface FakeDetectionWorld extends FakeWorld {
  detection: DetectionWorld;
  rows: CallGroup[];
  hours: HourVolume[];
  roles: ManifestRoleAssignment[];
  /** Where the log of the HSM goes. */
  settings: DiagnosticSetting[];
  /** Windows that were asked for. */
  asked: LogWindow[];
  /** Called before each question to the HSM about its configuration. */
  onLook: { before?(): void };
}

export function createDetectionWorld(): FakeDetectionWorld {
  const world = createFakeWorld() as FakeDetectionWorld;
  world.now.value = new Date(START);
  Object.assign(world, { rows: [], hours: [], roles: [], settings: [], asked: [], onLook: {} });
  const within = ({ after, upTo }: LogWindow, of: (row: CallGroup) => boolean) => ({
    calls: world.rows.filter((row) => row.arrived > after && row.arrived <= upTo && of(row)),
    more: 0,
  });
  const isUse = (row: CallGroup) => row.class.startsWith('crypto.');
  const looked = <T>(answer: () => T) => {
    world.onLook.before?.();
    return answer();
  };
  world.detection = {
    log: {
      sensitiveCalls: async (window) => {
        world.asked.push(window);
        return within(window, (row) => row.outcome === 'ok' && !isUse(row));
      },
      refusedCalls: async (window) => within(window, (row) => row.outcome !== 'ok'),
      keyUse: async (window) => within(window, (row) => row.outcome === 'ok' && isUse(row)),
      hourVolumes: async (_hsm, from, to) => world.hours.filter(({ hour }) => hour >= from && hour < to),
      arrivals: async () => [],
      controlPlane: async () => [],
      signIns: async () => ({ tables: [], signIns: [], more: false }),
      versionUse: async () => new Map(),
    },
    access: {
      roleAssignments: async (_hsm, scope) => looked(() => world.roles.filter((role) => role.scope === scope)),
      roleDefinitions: async () => looked(() => []),
      inventory: async () => looked(() => world.roles),
      assign: async () => undefined,
      unassign: async () => undefined,
    },
    configuration: { settings: async () => looked(() => ({})) },
    resources: {
      read: async () => looked(() => undefined),
      create: async () => undefined,
      attachIdentities: async () => undefined,
      remove: async () => undefined,
      listDeleted: async () => [],
      purge: async () => undefined,
    },
    diagnostics: { list: async () => looked(() => world.settings) },
    jobs: { readJob: async () => looked(() => ({ kind: 'notFound' })) },
    metrics: { serviceHits: async () => [] },
    observerId: async () => 'observer-oid',
  };
  return world;
}

/** A row that arrived at an instant, two minutes after its call. */
export const at = (ms: number, call: CallGroup = aCall()): CallGroup => ({
  ...call,
  hsm: HSM,
  first: iso(ms - 2 * MINUTE),
  last: iso(ms - 2 * MINUTE),
  arrived: iso(ms),
});

export const GRANT = '6a1b2c3d-0000-4000-8000-000000000001';

export const aGrant = () =>
  hsmCall({
    class: 'rbac.assign.put',
    path: `/providers/microsoft.authorization/roleassignments/${GRANT}`,
    status: 201,
  });

/** The log was judged up to here. */
export async function judgedUpTo(world: FakeDetectionWorld, watermark: number, judged = {}): Promise<void> {
  const memory = { ...emptyMemory(), since: iso(watermark - 30 * DAY), upTo: iso(watermark) };
  const hoursTo = iso(Math.floor(watermark / HOUR) * HOUR);
  const judgement = { schema: 1, watermark: iso(watermark), hoursTo, memory, judged, sighted: {}, stored: {} } as const;
  await propose(world.documents, HSM, 'before', judgement);
  await commitJudgement(world.documents, HSM, 'before', iso(watermark));
}

export const storedFindings = (world: FakeDetectionWorld): FindingRecord[] =>
  [...world.stored]
    .filter(([path]) => path.startsWith(`state/detection/${HSM}/findings/`))
    .map(([, { text }]) => JSON.parse(text) as FindingRecord);

export const watermarkOf = async (world: FakeDetectionWorld) =>
  (await readStanding(world.documents, HSM))?.judgement.watermark;

/** The activities, at the instant that the world's clock shows. */
export function sweep(world: FakeDetectionWorld) {
  const { log, lines } = createFakeLog();
  const context = { log } as never;
  const now = () => world.now.value.toISOString();
  const { judgeWindow, commitWindow, raiseFindings } = detectionActivities(world);
  return {
    lines,
    judge: (judgement: string) => judgeWindow({ hsm: HSM, instance: 'detect', judgement, now: now() }, context),
    commit: (judgement: string) => commitWindow({ hsm: HSM, judgement }),
    raise: (findings: { id: string; day: string }[]) => raiseFindings({ hsm: HSM, instance: 'detect', findings }),
    learn: () => detectionBaselineActivities(world).learnBaseline({ hsm: HSM, now: now() }, context),
    canary: () => detectionCanaryActivities(world).sendCanary({ hsm: HSM, instance: 'detect' }),
    fail: (failedAt = now()) =>
      detectionBlindnessActivities(world).noteBlindness({
        ...{ hsm: HSM, at: failedAt },
        ...{ code: 'ERR_DENIED', message: 'The workspace refused.' },
      }),
  };
}
