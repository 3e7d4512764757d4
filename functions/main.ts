import { createAuditLog } from '../shared/adapters/azure/audit-log.ts';
import { createBackupVault } from '../shared/adapters/azure/backup-vault.ts';
import { createCreationSlots } from '../shared/adapters/azure/creation-slots.ts';
import { createIdentities } from '../shared/adapters/azure/credentials.ts';
import { createDocuments } from '../shared/adapters/azure/documents.ts';
import { createEventPublisher } from '../shared/adapters/azure/event-publisher.ts';
import { createHsmAccess } from '../shared/adapters/azure/hsm-access.ts';
import { createHsmBackups } from '../shared/adapters/azure/hsm-backups.ts';
import { createHsmConfiguration } from '../shared/adapters/azure/hsm-configuration.ts';
import { createHsmCrypto } from '../shared/adapters/azure/hsm-crypto.ts';
import { createHsmDeletedKeys } from '../shared/adapters/azure/hsm-deleted-keys.ts';
import { createHsmKeys } from '../shared/adapters/azure/hsm-keys.ts';
import { createHsmResources } from '../shared/adapters/azure/hsm-resources.ts';
import { createJournalLog } from '../shared/adapters/azure/journal-log.ts';
import { objectIdOf } from '../shared/adapters/azure/object-id.ts';
import { createSecurityDomain } from '../shared/adapters/azure/security-domain.ts';
import { createStateAccount } from '../shared/adapters/azure/state-account.ts';
import { createCertificates } from '../shared/adapters/certificates.ts';
import { createMailer } from '../shared/adapters/smtp.ts';
import { createSystemClock } from '../shared/adapters/system-clock.ts';
import { createWebhooks } from '../shared/adapters/webhooks.ts';
import { type Config, loadConfig } from '../shared/config.ts';
import { adoptionActivities } from './activities/adoption.ts';
import { backupCopyActivities } from './activities/backup-copies.ts';
import { backupNoticeActivities } from './activities/backup-notices.ts';
import { backupWatchActivities } from './activities/backup-watch.ts';
import { backupActivities } from './activities/backups.ts';
import { custodyWatchActivities } from './activities/custody-watch.ts';
import { detectionActivities } from './activities/detection.ts';
import { detectionBaselineActivities } from './activities/detection-baseline.ts';
import { detectionBlindnessActivities } from './activities/detection-blindness.ts';
import { detectionCanaryActivities } from './activities/detection-canary.ts';
import { drillNoticeActivities } from './activities/drill-notices.ts';
import { drillReportActivities } from './activities/drill-reports.ts';
import { drillSentinelActivities } from './activities/drill-sentinels.ts';
import { drillTearDownActivities } from './activities/drill-tear-down.ts';
import { drillActivities } from './activities/drills.ts';
import { beat, heartbeatActivities } from './activities/heartbeats.ts';
import { hsmLockActivities } from './activities/hsm-lock.ts';
import { incidentContainmentActivities } from './activities/incident-containment.ts';
import { incidentEvidenceActivities } from './activities/incident-evidence.ts';
import { incidentJoiningActivities } from './activities/incident-joining.ts';
import { incidentNoticeActivities } from './activities/incident-notices.ts';
import { incidentPlanningActivities } from './activities/incident-planning.ts';
import { incidentRotationActivities } from './activities/incident-rotation.ts';
import { incidentActivities } from './activities/incidents.ts';
import { keyFactActivities } from './activities/key-facts.ts';
import { keyActivities } from './activities/keys.ts';
import { notificationActivities } from './activities/notifications.ts';
import { publishingToWebhooksToo } from './activities/outbox.ts';
import { proofActivities } from './activities/proof.ts';
import { reconcileActivities } from './activities/reconcile.ts';
import { recoveryActivities } from './activities/recovery.ts';
import { restoreNoticeActivities } from './activities/restore-notices.ts';
import { restoreReportActivities } from './activities/restore-report.ts';
import { restoreStagingActivities } from './activities/restore-staging.ts';
import { restoreActivities } from './activities/restores.ts';
import { retirementActivities } from './activities/retirement.ts';
import { rotationActivities } from './activities/rotation.ts';
import { surveyActivities } from './activities/survey.ts';
import { webhookActivities } from './activities/webhooks.ts';
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
 * The composition root: reads the settings, builds the adapters, registers everything. A setting that is wrong throws here,
 * with every fault listed, and the host does not start the app.
 */
const config = loadConfig(process.env);
const world = createWorld(config);

implementActivities({
  ...keyActivities(world),
  ...rotationActivities(world),
  ...proofActivities(world),
  ...surveyActivities(world),
  ...reconcileActivities(world),
  ...keyFactActivities(world),
  ...notificationActivities(world),
  ...hsmLockActivities(world),
  ...backupActivities(world),
  ...backupCopyActivities(world),
  ...backupWatchActivities(world),
  ...backupNoticeActivities(world),
  ...restoreActivities(world),
  ...restoreStagingActivities(world),
  ...restoreReportActivities(world),
  ...restoreNoticeActivities(world),
  ...drillActivities(world),
  ...drillSentinelActivities(world),
  ...drillReportActivities(world),
  ...drillNoticeActivities(world),
  ...drillTearDownActivities(world),
  ...custodyWatchActivities(world),
  ...recoveryActivities(world),
  ...incidentJoiningActivities(world),
  ...incidentEvidenceActivities(world),
  ...incidentPlanningActivities(world),
  ...incidentContainmentActivities(world),
  ...incidentRotationActivities(world),
  ...incidentNoticeActivities(world),
  ...incidentActivities(world),
  ...webhookActivities(world),
  ...heartbeatActivities(world),
  ...adoptionActivities(world),
  ...detectionActivities(world),
  ...detectionBaselineActivities(world),
  ...detectionBlindnessActivities(world),
  ...detectionCanaryActivities(world),
  ...retirementActivities(world),
});

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
historyPurgeTimer(config.historyRetentionDays, world.clock.now, () => beat(world, 'purge'));
heartbeatWatchTimer();
adoptionWatchTimer(config.hsms, config.schedules.adoption);
webhookRelayTimer(config.webhooks);
keyEventEventGrid({ hsms: config.hsms, sources: config.eventSources });
keyEventQueue({ hsms: config.hsms, sources: config.eventSources });
operatorHttp(world, createAuthorise(config.api));

/** Adapters load their SDKs at first use, so building them costs nothing at start. */
function createWorld({ installation, hsms, identities: clientIds, ...settings }: Config): World {
  const clock = createSystemClock();
  const identities = createIdentities(clientIds);
  const account = createStateAccount({ url: settings.stateBlobUrl, identity: identities.observe });
  const documents = createDocuments(account);
  const backups =
    settings.backup && identities.backup
      ? {
          backups: {
            ...settings.backup,
            service: createHsmBackups({ hsms, identity: identities.backup }),
            vault: createBackupVault({ ...settings.backup, identity: identities.backup, clock }),
            access: createHsmAccess({ hsms, identity: identities.observe }),
            resources: createHsmResources({ ...settings.arm, identity: identities.observe }),
            ...(identities.restore
              ? {
                  restores: createHsmBackups({ hsms, identity: identities.restore }),
                  deletedKeys: createHsmDeletedKeys({ hsms, identity: identities.restore }),
                }
              : {}),
          },
        }
      : {};
  const fallbackRecipients = settings.mail.fallback;
  const webhooks = createWebhooks(settings.webhooks, clock);
  const crypto = createHsmCrypto({ hsms, identity: identities.rotate });
  const topic = createEventPublisher({ ...settings.topic, identity: identities.observe });
  const log = settings.logs && createAuditLog({ ...settings.logs, hsms, identity: identities.observe });
  const watched =
    settings.logs && log
      ? {
          auditLog: log,
          detection: {
            log,
            access: createHsmAccess({ hsms, identity: identities.observe }),
            configuration: createHsmConfiguration({ hsms, identity: identities.observe }),
            resources: createHsmResources({ ...settings.arm, identity: identities.observe }),
            jobs: createHsmBackups({ hsms, identity: identities.observe }),
            observerId: objectIdOf(identities.observe, settings.logs.audience),
          },
        }
      : {};
  return {
    installation,
    fallbackRecipients,
    hsms,
    identities: {
      observe: { duty: 'observe', clientId: clientIds.observe },
      rotate: { duty: 'rotate', clientId: clientIds.rotate },
      ...(clientIds.backup === undefined ? {} : { backup: { duty: 'backup', clientId: clientIds.backup } }),
      ...(clientIds.restore === undefined ? {} : { restore: { duty: 'restore', clientId: clientIds.restore } }),
      ...(clientIds.respond === undefined ? {} : { respond: { duty: 'respond', clientId: clientIds.respond } }),
      ...(clientIds.reinstate === undefined ? {} : { reinstate: { duty: 'reinstate', clientId: clientIds.reinstate } }),
    },
    keys: {
      observe: createHsmKeys({ hsms, identity: identities.observe }),
      rotate: createHsmKeys({ hsms, identity: identities.rotate }),
    },
    crypto,
    certificates: createCertificates(),
    documents,
    journal: createJournalLog(account, clock),
    events: publishingToWebhooksToo(
      { installation, hsms, webhooks, crypto, documents, clock, fallbackRecipients },
      topic,
    ),
    mailer: createMailer(settings.mail),
    webhooks,
    slots: createCreationSlots(documents),
    clock,
    heartbeats: heartbeatsOf(settings),
    ...backups,
    ...watched,
    ...(identities.restore
      ? {
          recovery: {
            resources: createHsmResources({ ...settings.arm, identity: identities.restore }),
            securityDomain: createSecurityDomain({ hsms, identity: identities.restore }),
            jobs: createHsmBackups({ hsms, identity: identities.restore }),
          },
        }
      : {}),
    alerts: settings.alerts,
    ...(identities.respond
      ? {
          response: {
            access: createHsmAccess({ hsms, identity: identities.respond }),
            ...(identities.reinstate ? { reinstate: createHsmAccess({ hsms, identity: identities.reinstate }) } : {}),
          },
        }
      : {}),
    settleMs: (hsm) => (hsms.find(({ name }) => name === hsm)?.settleSeconds ?? 30) * 1000,
  };
}

/** Everything that a timer starts, under the schedule that the host reads. */
function heartbeatsOf({
  schedules,
  logs,
  heartbeatGraceMinutes,
}: Pick<Config, 'schedules' | 'logs' | 'heartbeatGraceMinutes'>) {
  const { heartbeat: schedule, ...watched } = schedules;
  return {
    schedules: { ...watched, ...(logs ? { audit: logs.schedule, logs: logs.schedule } : {}) },
    schedule,
    graceMinutes: heartbeatGraceMinutes,
  };
}
