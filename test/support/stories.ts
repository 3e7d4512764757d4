import type { OrchestrationContext } from 'durable-functions';
import { confirmKeyVersion } from '../../functions/orchestrators/confirm-key-version.ts';
import { deliverNotification } from '../../functions/orchestrators/deliver-notification.ts';
import { detectAnomalies } from '../../functions/orchestrators/detect-anomalies.ts';
import { reconcileRotationPolicies } from '../../functions/orchestrators/reconcile-rotation-policies.ts';
import { respondToCompromise } from '../../functions/orchestrators/respond-to-compromise.ts';
import { rotateKey } from '../../functions/orchestrators/rotate-key.ts';
import { runRestoreDrill } from '../../functions/orchestrators/run-restore-drill.ts';
import { sweepExpiringKeys } from '../../functions/orchestrators/sweep-expiring-keys.ts';
import { type answers, fresh, inspected, NEW, OLD, old } from './answers.ts';

type Orchestrator = (context: OrchestrationContext) => Generator<unknown, unknown, unknown>;

export const ORCHESTRATORS: Record<string, Orchestrator> = {
  rotateKey,
  confirmKeyVersion,
  sweepExpiringKeys,
  reconcileRotationPolicies,
  deliverNotification,
  runRestoreDrill,
  respondToCompromise,
  detectAnomalies,
};

/** A run worth keeping: between them they take the turns that an instance may be in the middle of at a deployment. */
export interface Story {
  orchestration: string;
  instanceId: string;
  input: unknown;
  overrides: Parameters<typeof answers>[0];
}

const key = { hsm: 'contoso', name: 'orders' };
const backup = { kind: 'backup', since: '2029-12-31T23:59:00Z', holder: 'backup-contoso' } as const;
const notice = {
  kind: 'SweepFailed',
  at: '2030-01-01T00:00:00.000Z',
  hsm: 'contoso',
  failure: { code: 'ERR_DENIED', message: 'not allowed', nextStep: 'grant it' },
};

const incident = 'incident-contoso-0123456789abcdef';
const revoke = 'revoke-keys-orders-00000000-0000-4000-8000-0000000f0001';
/** Turns of a response, in the order of shared/incident/turn.ts. */
const TURNS = [
  { kind: 'act', act: 'begin' },
  { kind: 'act', act: 'evidence' },
  { kind: 'tell', telling: 'opened', stage: 'opened-1' },
  { kind: 'act', act: 'plan' },
  { kind: 'act', act: 'watch' },
  { kind: 'tell', telling: 'approval', stage: 'approval-1-1' },
  { kind: 'wait', until: '2030-01-01T00:15:00.000Z', for: [revoke, 'a verdict'] },
  { kind: 'tell', telling: 'escalated', stage: 'escalated-1-owner-2030-01-01T00:00:00.000Z', circle: 'owner' },
  { kind: 'wait', until: '2030-01-01T00:30:00.000Z', for: [revoke, 'a verdict'] },
  { kind: 'act', act: 'revoke', step: revoke },
  { kind: 'act', act: 'revoke', step: revoke },
  { kind: 'act', act: 'contain' },
  { kind: 'tell', telling: 'contained', stage: 'contained-1-full' },
  { kind: 'act', act: 'verify' },
  { kind: 'act', act: 'publish' },
  { kind: 'act', act: 'close' },
  { kind: 'tell', telling: 'closed', stage: 'closed-1' },
  { kind: 'closed' },
];

const RESPONSE_ACTS = [
  ...['beginIncident', 'collectEvidence', 'tellIncident', 'planIncident', 'watchHarder', 'revokeAssignment'],
  ...['settleContainment', 'verifyContainment', 'publishIncidentFacts', 'deferIncidentStep', 'closeIncident'],
];

/** More than one step hands on. */
const FOUND = Array.from({ length: 51 }, (_, index) => ({
  id: index.toString(16).padStart(32, '0'),
  day: '2030-01-01',
}));
const judged = { kind: 'judged', findings: [], calls: 3, more: 0, upTo: '2030-01-01T00:00:00.000Z', behind: false };

export const STORIES: Record<string, Story> = {
  'detect-anomalies-learning-and-catching-up': {
    orchestration: 'detectAnomalies',
    instanceId: 'detect-contoso',
    input: { hsm: 'contoso' },
    overrides: {
      sendCanary: () => ({ throws: "Activity function 'sendCanary' failed: the journal is away" }),
      judgeWindow: (_, count) => ({
        result: [{ kind: 'unlearnt' }, { ...judged, findings: FOUND, behind: true }, judged][count - 1],
      }),
      learnBaseline: (_, count) => ({
        result: { kind: 'learnt', upTo: '2030-01-01T00:00:00.000Z', hours: 96, done: count === 2 },
      }),
      raiseFindings: () => ({ result: { kind: 'raised', published: 50 } }),
      joinIncidents: () => ({ result: { kind: 'joined', incidents: [] } }),
      commitWindow: () => ({ result: { kind: 'committed' } }),
    },
  },
  'detect-anomalies-blind-for-long': {
    orchestration: 'detectAnomalies',
    instanceId: 'detect-contoso',
    input: { hsm: 'contoso' },
    overrides: {
      sendCanary: () => ({ result: { kind: 'sent', answered: true } }),
      judgeWindow: () => ({ throws: "Activity function 'judgeWindow' failed: throttled" }),
      noteBlindness: () => ({ result: { kind: 'noted', failures: 3, findings: FOUND.slice(0, 1) } }),
      raiseFindings: () => ({ result: { kind: 'raised', published: 1 } }),
      joinIncidents: () => ({ throws: "Activity function 'joinIncidents' failed: others write" }),
    },
  },
  'respond-to-compromise-approved-late': {
    orchestration: 'respondToCompromise',
    instanceId: incident,
    input: { incident },
    overrides: {
      ...Object.fromEntries(RESPONSE_ACTS.map((name) => [name, () => ({ result: { kind: 'done' } })])),
      nextIncidentStep: (_, count) => ({ result: TURNS[count - 1] }),
      // A timer first, then a person's decision.
      any: (_, count) => ({ result: count === 1 ? 1 : 0 }),
      revokeAssignment: (_, count) =>
        count === 1
          ? { throws: "Activity function 'revokeAssignment' failed: no answer" }
          : { result: { kind: 'done' } },
    },
  },
  'rotate-key-waiting-and-asking-again': {
    orchestration: 'rotateKey',
    instanceId: `rotate-contoso-orders-${OLD}`,
    input: { key, version: OLD, cause: { kind: 'Sweep' } },
    overrides: {
      inspectKey: (_, count) => ({
        result: inspected(count === 1 ? { facts: old, busy: backup } : { facts: old }, {
          backupFirst: true,
          drift: 'repair',
          validity: 'P2Y',
        }),
      }),
      reserveCreation: () => ({ result: { kind: 'reserved', at: '2030-01-01T00:01:05.000Z' } }),
      createKeyVersion: (_, count) => ({
        result:
          count === 1
            ? { kind: 'unknown', settleUntil: '2030-01-01T00:01:35.000Z' }
            : { kind: 'alreadyThere', facts: fresh, by: 'us' },
      }),
    },
  },
  'rotate-key-retries-spent': {
    orchestration: 'rotateKey',
    instanceId: `rotate-contoso-orders-${OLD}`,
    input: { key, version: OLD, cause: { kind: 'Event', eventId: 'e1', eventType: 'ManagedHsmLifecycle.KeyExpired' } },
    overrides: { proveKeyVersion: () => ({ throws: "Activity function 'proveKeyVersion' failed: no answer" }) },
  },
  'confirm-key-version-not-proven': {
    orchestration: 'confirmKeyVersion',
    instanceId: `confirm-contoso-orders-${NEW}`,
    input: { key, version: NEW, by: 'hsm', reason: 'Native' },
    overrides: {
      inspectKey: () => ({ result: inspected({ facts: fresh, previous: OLD }, { proof: 'required' }) }),
      proveKeyVersion: () => ({ result: { kind: 'proof', verdict: 'failed', explanation: 'why', checks: [] } }),
    },
  },
  'sweep-expiring-keys-two-batches': {
    orchestration: 'sweepExpiringKeys',
    instanceId: 'sweep-contoso',
    input: { hsm: 'contoso' },
    overrides: {
      surveyKeys: () => ({
        result: { kind: 'surveyed', keys: 60, due: 51, newVersions: 1, batches: 2, notices: [] },
      }),
      startDueWork: () => ({ result: { kind: 'started', started: 26, running: 0 } }),
      commitSurvey: () => ({ result: { kind: 'committed' } }),
    },
  },
  'reconcile-rotation-policies-first-part': {
    orchestration: 'reconcileRotationPolicies',
    instanceId: 'reconcile-contoso',
    input: { hsm: 'contoso' },
    overrides: {
      reconcilePolicies: () => ({
        result: {
          kind: 'reconciled',
          checked: 500,
          drifted: 1,
          repaired: 1,
          after: 'orders',
          notices: [{ id: 'policy-drift-contoso-orders', notice, repeatAfter: 'P7D' }],
        },
      }),
    },
  },
  'deliver-notification-one-of-two': {
    orchestration: 'deliverNotification',
    instanceId: 'notify-sweep-contoso-sweep-failed-contoso-ERR-DENIED',
    input: { id: 'sweep-failed-contoso-ERR_DENIED', notice, repeatAfter: 'P1D' },
    overrides: {
      routeNotice: () => ({ result: { kind: 'routed', recipients: ['a@x.example', 'b@x.example'] } }),
      sendMail: (_, count) => (count === 1 ? { throws: 'no answer' } : { result: { kind: 'sent' } }),
      settleNotice: () => ({ result: { kind: 'settled' } }),
    },
  },
  'run-restore-drill-standing-in-line': {
    orchestration: 'runRestoreDrill',
    instanceId: 'drill-contoso-request-1',
    input: {
      hsm: 'contoso',
      backup: 'mhsm-contoso-20300101000000',
      target: { kind: 'standing', hsm: 'contoso-drill' },
      by: 'operator-oid',
      note: 'before the audit',
    },
    overrides: {
      prepareDrill: () => ({ result: { kind: 'prepared', target: 'contoso-drill' } }),
      keepDrillSentinels: () => ({ result: { kind: 'kept', sentinels: 2, made: 1 } }),
      lockHsm: (_, count) => ({ result: count === 1 ? { kind: 'held', by: 'backup-1' } : { kind: 'locked' } }),
      judgeRestore: (_, count) => ({
        result:
          count === 1
            ? { kind: 'takeSafetyBackup', reason: 'SafetyBackupMissing', explanation: 'none' }
            : { kind: 'proceed', explanation: 'it is there' },
      }),
      backUpHsm: () => ({ result: { kind: 'backedUp', backup: {}, jobId: 'j', startedOn: '', endedOn: '' } }),
      stageBackup: () => ({ result: { kind: 'staged', blobs: 3, putBack: 1 } }),
      startRestore: () => ({ result: { kind: 'started', jobId: 'job' } }),
      readRestore: (_, count) => ({
        result: count === 1 ? { kind: 'running', lookAgainOn: '2030-01-01T01:00:00.000Z' } : { kind: 'done' },
      }),
      compareDrill: () => ({ result: { kind: 'compared', keys: 2, versions: 2, critical: 0 } }),
      tryDrillSentinels: () => ({ result: { kind: 'tried', ok: 2, failed: 0, notTried: 0 } }),
      unlockHsm: () => ({ result: { kind: 'unlocked' } }),
      closeDrill: () => ({ result: { kind: 'closed', end: { kind: 'passed', drill: 'drill-contoso-request-1' } } }),
      describeDrill: () => ({ result: { kind: 'described', id: 'drill-passed', notice, repeatAfter: 'P1D' } }),
      deliverNotification: () => ({ result: { kind: 'told', delivered: [], undelivered: [] } }),
    },
  },
};
