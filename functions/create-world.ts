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
import { createHsmDiagnostics } from '../shared/adapters/azure/hsm-diagnostics.ts';
import { createHsmEndpoints } from '../shared/adapters/azure/hsm-endpoints.ts';
import { createHsmKeys } from '../shared/adapters/azure/hsm-keys.ts';
import { createHsmResources } from '../shared/adapters/azure/hsm-resources.ts';
import { createJournalLog } from '../shared/adapters/azure/journal-log.ts';
import { objectIdOf } from '../shared/adapters/azure/object-id.ts';
import { createSecurityDomain } from '../shared/adapters/azure/security-domain.ts';
import { createServiceMetrics } from '../shared/adapters/azure/service-metrics.ts';
import { createStateAccount } from '../shared/adapters/azure/state-account.ts';
import { createCertificates } from '../shared/adapters/certificates.ts';
import { createMailer } from '../shared/adapters/smtp.ts';
import { createSystemClock } from '../shared/adapters/system-clock.ts';
import { createWebhooks } from '../shared/adapters/webhooks.ts';
import type { Config } from '../shared/config.ts';
import { publishingToWebhooksToo } from './activities/outbox.ts';
import type { World } from './world.ts';

/** Adapters load their SDKs at first use, so building them costs nothing at start. */
export function createWorld({ installation, hsms, identities: clientIds, ...settings }: Config): World {
  const clock = createSystemClock();
  const identities = createIdentities(clientIds);
  const account = createStateAccount({ url: settings.stateBlobUrl, identity: identities.observe });
  const documents = createDocuments(account);
  // Whoever may write both what is decided and that it was decided could decide in anybody's name.
  const records = createStateAccount({
    url: settings.stateBlobUrl,
    identity: identities.record ?? identities.observe,
  });
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
            diagnostics: createHsmDiagnostics({ ...settings.arm, identity: identities.observe }),
            jobs: createHsmBackups({ hsms, identity: identities.observe }),
            metrics: createServiceMetrics({ ...settings.arm, identity: identities.observe }),
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
    journal: createJournalLog(records, clock),
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
            ...(settings.endpoint
              ? {
                  endpoints: {
                    ...settings.endpoint,
                    service: createHsmEndpoints({ ...settings.arm, identity: identities.restore }),
                  },
                }
              : {}),
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
