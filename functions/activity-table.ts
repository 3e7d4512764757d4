import type { ActivityTable } from './implement.ts';
import type { World } from './world.ts';

/**
 * Which capability implements which activity. Names are registered at start; a capability is loaded when one of its activities
 * first runs. The compiler holds every activity to one line here, and its capability to implementing it.
 */

const rotation = async (world: World) => (await import('./capabilities/rotation.ts')).rotation(world);
const notification = async (world: World) => (await import('./capabilities/notification.ts')).notification(world);
const backup = async (world: World) => (await import('./capabilities/backup.ts')).backup(world);
const restore = async (world: World) => (await import('./capabilities/restore.ts')).restore(world);
const drill = async (world: World) => (await import('./capabilities/drill.ts')).drill(world);
const recovery = async (world: World) => (await import('./capabilities/recovery.ts')).recovery(world);
const detection = async (world: World) => (await import('./capabilities/detection.ts')).detection(world);
const incident = async (world: World) => (await import('./capabilities/incident.ts')).incident(world);
const adoption = async (world: World) => (await import('./capabilities/adoption.ts')).adoption(world);

export const activities: ActivityTable = {
  inspectKey: rotation,
  compareKeyVersion: rotation,
  reserveCreation: rotation,
  createKeyVersion: rotation,
  carryTags: rotation,
  recordRotation: rotation,
  backUpKey: rotation,
  writeRotationPolicy: rotation,
  keepSentinel: rotation,
  proveKeyVersion: rotation,
  surveyKeys: rotation,
  startDueWork: rotation,
  commitSurvey: rotation,
  reconcilePolicies: rotation,
  publishKeyFact: rotation,

  routeNotice: notification,
  queueNotice: notification,
  sendMail: notification,
  settleNotice: notification,
  startRelays: notification,
  sendWebhook: notification,
  settleWebhook: notification,
  lookAtHeartbeats: notification,
  publishHeartbeatMissed: notification,
  rememberHeartbeats: notification,

  lockHsm: backup,
  unlockHsm: backup,
  startBackup: backup,
  readBackup: backup,
  endBackupAttempt: backup,
  takeInventory: backup,
  copyBackup: backup,
  sealBackup: backup,
  startDueBackup: backup,
  watchFreshness: backup,
  pruneBackups: backup,
  tidyBackups: backup,
  describeBackup: backup,

  judgeRestore: restore,
  startRestore: restore,
  readRestore: restore,
  endRestore: restore,
  stageBackup: restore,
  compareRestore: restore,
  describeRestore: restore,

  startDueDrill: drill,
  prepareDrill: drill,
  keepDrillSentinels: drill,
  tryDrillSentinels: drill,
  compareDrill: drill,
  closeDrill: drill,
  describeDrill: drill,
  removeDrillHsm: drill,
  describeDrillRemains: drill,
  sweepDrillHsms: drill,

  lookAtCustody: recovery,
  publishCustodyAlarm: recovery,
  nextRecoveryStep: recovery,
  performRecoveryStep: recovery,

  judgeWindow: detection,
  raiseFindings: detection,
  commitWindow: detection,
  learnBaseline: detection,
  noteBlindness: detection,
  sendCanary: detection,

  joinIncidents: incident,
  collectEvidence: incident,
  beginIncident: incident,
  planIncident: incident,
  watchHarder: incident,
  revokeAssignment: incident,
  expireIncidentStep: incident,
  settleContainment: incident,
  verifyContainment: incident,
  startIncidentRotation: incident,
  followIncidentRotation: incident,
  tellIncident: incident,
  publishIncidentFacts: incident,
  nextIncidentStep: incident,
  deferIncidentStep: incident,
  closeIncident: incident,

  lookAtAdoption: adoption,
  recordAdoption: adoption,
  judgeRetirement: adoption,
  disableKeyVersion: adoption,
  lookForMissed: adoption,
  enableKeyVersion: adoption,
  endRetirement: adoption,
  describeRetirement: adoption,
};
