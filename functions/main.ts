import { loadConfig } from '../shared/config.ts';
import { activities } from './activity-table.ts';
import { implementActivities, implementOrchestrations } from './implement.ts';
import { createAuthorise } from './operator/authorise.ts';
import { backUpHsm } from './orchestrators/back-up-hsm.ts';
import { confirmKeyVersion } from './orchestrators/confirm-key-version.ts';
import { deliverNotification } from './orchestrators/deliver-notification.ts';
import { detectAnomalies } from './orchestrators/detect-anomalies.ts';
import { reconcileRotationPolicies } from './orchestrators/reconcile-rotation-policies.ts';
import { recoverHsm } from './orchestrators/recover-hsm.ts';
import { relayWaitingCalls } from './orchestrators/relay-waiting-calls.ts';
import { relayWebhook } from './orchestrators/relay-webhook.ts';
import { respondToCompromise } from './orchestrators/respond-to-compromise.ts';
import { restoreHsm } from './orchestrators/restore-hsm.ts';
import { restoreKey } from './orchestrators/restore-key.ts';
import { retireKeyVersion } from './orchestrators/retire-key-version.ts';
import { rotateKey } from './orchestrators/rotate-key.ts';
import { runRestoreDrill } from './orchestrators/run-restore-drill.ts';
import { sweepExpiringKeys } from './orchestrators/sweep-expiring-keys.ts';
import { tearDownDrill } from './orchestrators/tear-down-drill.ts';
import { watchAdoption } from './orchestrators/watch-adoption.ts';
import { watchBackups } from './orchestrators/watch-backups.ts';
import { watchCustody } from './orchestrators/watch-custody.ts';
import { watchHeartbeats } from './orchestrators/watch-heartbeats.ts';
import { adoptionWatchTimer } from './triggers/adoption-watch.timer.ts';
import { auditSweepTimer } from './triggers/audit-sweep.timer.ts';
import { backupWatchTimer } from './triggers/backup-watch.timer.ts';
import { custodyWatchTimer } from './triggers/custody-watch.timer.ts';
import { expirySweepTimer } from './triggers/expiry-sweep.timer.ts';
import { heartbeatWatchTimer } from './triggers/heartbeat-watch.timer.ts';
import { historyPurgeTimer } from './triggers/history-purge.timer.ts';
import { keyEventEventGrid } from './triggers/key-event.event-grid.ts';
import { keyEventQueue } from './triggers/key-event.queue.ts';
import { operatorHttp } from './triggers/operator.http.ts';
import { policyReconcileTimer } from './triggers/policy-reconcile.timer.ts';
import { webhookRelayTimer } from './triggers/webhook-relay.timer.ts';
import type { World } from './world.ts';

/**
 * The composition root: reads the settings, registers everything by name, and says where the rest is to be had. A setting that
 * is wrong throws here, with every fault listed, and the host does not start the app.
 */
const config = loadConfig(process.env);

let created: World | undefined;
/** Adapters and what they need are loaded by the first that touches the world. */
const world = async (): Promise<World> => {
  const { createWorld } = await import('./create-world.ts');
  created ??= createWorld(config);
  return created;
};

implementActivities(activities, world);

implementOrchestrations({
  restoreHsm,
  restoreKey,
  rotateKey,
  confirmKeyVersion,
  sweepExpiringKeys,
  reconcileRotationPolicies,
  deliverNotification,
  backUpHsm,
  runRestoreDrill,
  tearDownDrill,
  watchBackups,
  watchCustody,
  recoverHsm,
  respondToCompromise,
  relayWebhook,
  watchHeartbeats,
  watchAdoption,
  retireKeyVersion,
  relayWaitingCalls,
  detectAnomalies,
});

expirySweepTimer(config.hsms);
// A timer whose schedule is no setting would keep the host from starting.
if (config.logs) auditSweepTimer(config.hsms);
policyReconcileTimer(config.hsms);
backupWatchTimer(config.hsms);
custodyWatchTimer(config.hsms);
historyPurgeTimer(config.historyRetentionDays, world);
heartbeatWatchTimer();
adoptionWatchTimer(config.hsms, config.schedules.adoption);
webhookRelayTimer(config.webhooks);
keyEventEventGrid({ hsms: config.hsms, sources: config.eventSources });
keyEventQueue({ hsms: config.hsms, sources: config.eventSources });
operatorHttp(world, createAuthorise(config.api));
