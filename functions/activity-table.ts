import type { ActivityTable } from './implement.ts';
import type { World } from './world.ts';

/**
 * Which module implements which activity. Names are registered at start; a module is loaded when one of its activities first
 * runs, with what it needs. The compiler holds every activity to one line here, and its module to implementing it.
 */

const keys = async (world: World) => (await import('./activities/keys.ts')).keyActivities(world);
const rotation = async (world: World) => (await import('./activities/rotation.ts')).rotationActivities(world);
const proof = async (world: World) => (await import('./activities/proof.ts')).proofActivities(world);
const survey = async (world: World) => (await import('./activities/survey.ts')).surveyActivities(world);
const reconcile = async (world: World) => (await import('./activities/reconcile.ts')).reconcileActivities(world);
const keyFacts = async (world: World) => (await import('./activities/key-facts.ts')).keyFactActivities(world);

const notifications = async (world: World) =>
  (await import('./activities/notifications.ts')).notificationActivities(world);
const webhooks = async (world: World) => (await import('./activities/webhooks.ts')).webhookActivities(world);
const heartbeats = async (world: World) => (await import('./activities/heartbeats.ts')).heartbeatActivities(world);

const hsmLock = async (world: World) => (await import('./activities/hsm-lock.ts')).hsmLockActivities(world);
const backups = async (world: World) => (await import('./activities/backups.ts')).backupActivities(world);
const backupCopies = async (world: World) =>
  (await import('./activities/backup-copies.ts')).backupCopyActivities(world);
const backupWatch = async (world: World) => (await import('./activities/backup-watch.ts')).backupWatchActivities(world);
const backupNotices = async (world: World) =>
  (await import('./activities/backup-notices.ts')).backupNoticeActivities(world);

const restores = async (world: World) => (await import('./activities/restores.ts')).restoreActivities(world);
const restoreStaging = async (world: World) =>
  (await import('./activities/restore-staging.ts')).restoreStagingActivities(world);
const restoreReport = async (world: World) =>
  (await import('./activities/restore-report.ts')).restoreReportActivities(world);
const restoreNotices = async (world: World) =>
  (await import('./activities/restore-notices.ts')).restoreNoticeActivities(world);

const drills = async (world: World) => (await import('./activities/drills.ts')).drillActivities(world);
const drillSentinels = async (world: World) =>
  (await import('./activities/drill-sentinels.ts')).drillSentinelActivities(world);
const drillReports = async (world: World) =>
  (await import('./activities/drill-reports.ts')).drillReportActivities(world);
const drillNotices = async (world: World) =>
  (await import('./activities/drill-notices.ts')).drillNoticeActivities(world);
const drillTearDown = async (world: World) =>
  (await import('./activities/drill-tear-down.ts')).drillTearDownActivities(world);

const custodyWatch = async (world: World) =>
  (await import('./activities/custody-watch.ts')).custodyWatchActivities(world);
const recovery = async (world: World) => (await import('./activities/recovery.ts')).recoveryActivities(world);

const detection = async (world: World) => (await import('./activities/detection.ts')).detectionActivities(world);
const detectionBaseline = async (world: World) =>
  (await import('./activities/detection-baseline.ts')).detectionBaselineActivities(world);
const detectionBlindness = async (world: World) =>
  (await import('./activities/detection-blindness.ts')).detectionBlindnessActivities(world);
const detectionCanary = async (world: World) =>
  (await import('./activities/detection-canary.ts')).detectionCanaryActivities(world);

const incidentJoining = async (world: World) =>
  (await import('./activities/incident-joining.ts')).incidentJoiningActivities(world);
const incidentEvidence = async (world: World) =>
  (await import('./activities/incident-evidence.ts')).incidentEvidenceActivities(world);
const incidentPlanning = async (world: World) =>
  (await import('./activities/incident-planning.ts')).incidentPlanningActivities(world);
const incidentContainment = async (world: World) =>
  (await import('./activities/incident-containment.ts')).incidentContainmentActivities(world);
const incidentRotation = async (world: World) =>
  (await import('./activities/incident-rotation.ts')).incidentRotationActivities(world);
const incidentNotices = async (world: World) =>
  (await import('./activities/incident-notices.ts')).incidentNoticeActivities(world);
const incidents = async (world: World) => (await import('./activities/incidents.ts')).incidentActivities(world);

const adoption = async (world: World) => (await import('./activities/adoption.ts')).adoptionActivities(world);
const retirement = async (world: World) => (await import('./activities/retirement.ts')).retirementActivities(world);

export const activities: ActivityTable = {
  inspectKey: keys,
  compareKeyVersion: keys,
  reserveCreation: rotation,
  createKeyVersion: rotation,
  carryTags: rotation,
  recordRotation: rotation,
  backUpKey: rotation,
  writeRotationPolicy: rotation,
  keepSentinel: proof,
  proveKeyVersion: proof,
  surveyKeys: survey,
  startDueWork: survey,
  commitSurvey: survey,
  reconcilePolicies: reconcile,
  publishKeyFact: keyFacts,

  routeNotice: notifications,
  queueNotice: notifications,
  sendMail: notifications,
  settleNotice: notifications,
  startRelays: webhooks,
  sendWebhook: webhooks,
  settleWebhook: webhooks,
  lookAtHeartbeats: heartbeats,
  publishHeartbeatMissed: heartbeats,
  rememberHeartbeats: heartbeats,

  lockHsm: hsmLock,
  unlockHsm: hsmLock,
  startBackup: backups,
  readBackup: backups,
  endBackupAttempt: backups,
  takeInventory: backupCopies,
  copyBackup: backupCopies,
  sealBackup: backupCopies,
  startDueBackup: backupWatch,
  watchFreshness: backupWatch,
  pruneBackups: backupWatch,
  describeBackup: backupNotices,

  judgeRestore: restores,
  startRestore: restores,
  readRestore: restores,
  endRestore: restores,
  stageBackup: restoreStaging,
  compareRestore: restoreReport,
  describeRestore: restoreNotices,

  startDueDrill: drills,
  prepareDrill: drills,
  keepDrillSentinels: drillSentinels,
  tryDrillSentinels: drillSentinels,
  compareDrill: drillReports,
  closeDrill: drillReports,
  describeDrill: drillNotices,
  removeDrillHsm: drillTearDown,
  describeDrillRemains: drillTearDown,
  sweepDrillHsms: drillTearDown,

  lookAtCustody: custodyWatch,
  publishCustodyAlarm: custodyWatch,
  nextRecoveryStep: recovery,
  performRecoveryStep: recovery,

  judgeWindow: detection,
  raiseFindings: detection,
  commitWindow: detection,
  learnBaseline: detectionBaseline,
  noteBlindness: detectionBlindness,
  sendCanary: detectionCanary,

  joinIncidents: incidentJoining,
  collectEvidence: incidentEvidence,
  beginIncident: incidentPlanning,
  planIncident: incidentPlanning,
  watchHarder: incidentPlanning,
  revokeAssignment: incidentContainment,
  expireIncidentStep: incidentContainment,
  settleContainment: incidentContainment,
  verifyContainment: incidentContainment,
  startIncidentRotation: incidentRotation,
  followIncidentRotation: incidentRotation,
  tellIncident: incidentNotices,
  publishIncidentFacts: incidentNotices,
  nextIncidentStep: incidents,
  deferIncidentStep: incidents,
  closeIncident: incidents,

  lookAtAdoption: adoption,
  recordAdoption: adoption,
  judgeRetirement: retirement,
  disableKeyVersion: retirement,
  lookForMissed: retirement,
  enableKeyVersion: retirement,
  endRetirement: retirement,
  describeRetirement: retirement,
};
