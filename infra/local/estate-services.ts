import { join } from 'node:path';
import { type Caller, createCaller } from './call.ts';
import { type Certificates, obtainCertificates } from './certificates.ts';
import { createClock } from './clock.ts';
import type { Estate } from './estate.ts';
import type { EstateOptions } from './estate-options.ts';
import { DEFAULT_SUBSCRIPTIONS } from './estate-options.ts';
import { createFaults } from './faults.ts';
import { type EstateHsm, type Fleet, startFleet } from './hsm-fleet.ts';
import { IDENTITIES, type IdentityName, TENANT_ID } from './identity/registrations.ts';
import { type IdentityService, startIdentity } from './identity/server.ts';
import { obtainSigningKey } from './identity/signing-key.ts';
import { createTokens, type Tokens } from './identity/tokens.ts';
import { createLifecycle, type Lifecycle, together } from './lifecycle.ts';
import { type LogQueries, startLogQueries } from './log-store/server.ts';
import { createLogStore, type LogStore } from './log-store/store.ts';
import { createMailSink, type MailSink } from './mail-sink/server.ts';
import { createDiagnostics } from './management/diagnostics.ts';
import { createCallMetric } from './management/metrics.ts';
import { type ManagementService, startManagement } from './management/server.ts';
import { installMovableDate, realNow } from './movable-date.ts';
import { portsFrom } from './ports.ts';
import { type EstateSecrets, obtainSecrets } from './secrets.ts';
import { applySeed, seedPolicy } from './seed/apply.ts';
import { hsmResourceId, RESOURCE_GROUP } from './seed/resource-id.ts';
import { obtainSeed, type Seed } from './seed/seed.ts';
import { openState } from './state.ts';
import { STORAGE_AUDIENCE } from './storage/proxy.ts';
import { type StorageService, startStorage } from './storage/storage.ts';
import { createTopic, type TopicService } from './topic/server.ts';
import { trustAuthority } from './trust.ts';
import { createWebhookSink, type WebhookSink } from './webhook-sink/server.ts';

/** Everything of the estate but the Functions host and the control surface. */
export interface EstateServices {
  estate: Estate;
  certificates: Certificates;
  secrets: EstateSecrets;
  directory: string;
  seed: Seed;
  call: Caller;
  tokens: Tokens;
  identity: IdentityService;
  storage: StorageService;
  topic: TopicService;
  mail: MailSink;
  webhooks: WebhookSink;
  logs: LogStore;
  logQueries: LogQueries;
  fleet: Fleet;
  /** Those of the fleet that answer. */
  hsms: EstateHsm[];
  management: ManagementService;
  /** Back to the seed: keys, blobs, queues, events, mail, webhooks, logs, faults and the clock. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

const AUDIENCE = 'api://mhsm-lifecycle-embedded';

/** Each duty tells what it did. */
const SENDERS = [IDENTITIES.observe, IDENTITIES.rotate, IDENTITIES.backup, IDENTITIES.restore, IDENTITIES.respond];

/** Boots the services concurrently, then seeds them, or loads what an earlier run left. Stops all when one fails. */
export async function startServices(
  options: EstateOptions,
  host: () => { url: string; key: string } | undefined,
): Promise<EstateServices> {
  const lifecycle = createLifecycle();
  try {
    return await boot(options, host, lifecycle);
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

async function boot(
  options: EstateOptions,
  host: () => { url: string; key: string } | undefined,
  lifecycle: Lifecycle,
): Promise<EstateServices> {
  const state = await openState(options.stateDirectory);
  await lifecycle.running(Promise.resolve({ stop: () => state.close() }));
  const saved = await state.load();
  const beganMs = options.startAt === undefined ? 0 : Date.parse(options.startAt) - realNow();
  const clock = createClock(realNow, (saved?.clock as { offsetMs: number } | undefined)?.offsetMs ?? beganMs);
  // Azurite and the libraries of this process take the time from Date.
  const putDateBack = installMovableDate(() => clock.offsetMs);
  await lifecycle.running(Promise.resolve({ stop: async () => putDateBack() }));
  const [certificates, key, secrets, seed] = await Promise.all([
    obtainCertificates(join(state.path, 'tls')),
    obtainSigningKey(state.path),
    obtainSecrets(state.path),
    (saved?.seed as Seed | undefined) ?? obtainSeed(options.seed ?? 'demo'),
  ]);
  trustAuthority(certificates.ca);
  const ports = portsFrom(options.port ?? 0);
  const happened = options.onHappening ?? (() => undefined);
  const tokens = createTokens(key, clock);
  const caller = createCaller(certificates.ca);
  const { call } = caller;
  await lifecycle.running(Promise.resolve({ stop: async () => caller.close() }));
  const metric = createCallMetric();
  const logs = createLogStore({
    clock,
    onInjected: metric.countRow,
    ...(options.ingestionDelayMs === undefined ? {} : { ingestionDelayMs: options.ingestionDelayMs }),
    onRow: (row) => row.kind === 'audit' && happened({ kind: 'audit', row: row.row }),
  });
  const faults = createFaults();
  const diagnostics = createDiagnostics((name) => hsmResourceId(name));
  const estate: Estate = {
    ...{ clock, faults, tokens, tls: certificates, tenantId: TENANT_ID },
    audit: (row) => {
      metric.count(row.hsm, row.time);
      if (diagnostics.tellsWorkspace(row.hsm)) logs.add(row);
    },
  };
  const mail = createMailSink({
    estate,
    port: ports.mail,
    startTls: options.startTls ?? false,
    onMail: (one) => happened({ kind: 'mail', mail: one }),
  });
  const webhooks = createWebhookSink({
    estate,
    port: ports.webhook,
    onCall: (webhookCall) => happened({ kind: 'webhook', call: webhookCall }),
  });

  const [storage, identity, fleet, logQueries] = await together([
    lifecycle.running(
      startStorage({
        ports,
        tls: certificates,
        tokens,
        faults,
        call,
        token: async () => (await tokens.forIdentity(IDENTITIES.eventGrid, STORAGE_AUDIENCE)).token,
        ...(state.kept || options.blobsOnDisk ? { directory: join(state.path, 'storage') } : {}),
      }),
    ),
    lifecycle.running(
      startIdentity({ port: ports.identity, secret: secrets.identityHeader, audience: AUDIENCE, key, tokens, faults }),
    ),
    lifecycle.running(
      startFleet({
        ...{ estate, seeds: seed.hsms, port: ports.hsm },
        ...(options.purgeProtection === undefined ? {} : { purgeProtection: options.purgeProtection }),
        // Valid for a year, so that a clock that is moved during a transfer does not end it.
        storageToken: (identity) =>
          tokens.forIdentity(IDENTITIES[identity as IdentityName], STORAGE_AUDIENCE, 365 * 24 * 3600),
      }),
    ),
    lifecycle.running(startLogQueries({ port: ports.logs, estate, store: logs })),
    lifecycle.running(mail.start().then(() => mail)),
    lifecycle.running(webhooks.start().then(() => webhooks)),
  ]);
  const topic = createTopic({
    port: ports.topic,
    estate,
    storage,
    call,
    accessKey: secrets.topicKey,
    topicId: `${RESOURCE_GROUP}/providers/Microsoft.EventGrid/topics/key-lifecycle`,
    inputSchema: options.topicSchema ?? 'CloudEventSchemaV1_0',
    subscriptions: options.subscriptions ?? DEFAULT_SUBSCRIPTIONS,
    senders: SENDERS.map(({ objectId }) => objectId),
    host,
    onChange: (event, delivery) =>
      happened(delivery ? { kind: 'delivery', event, delivery } : { kind: 'event', event }),
  });

  const { hsms } = fleet;
  const management = await lifecycle.running(
    startManagement({ port: ports.management, estate, fleet, diagnostics, metric, activity: logs.addActivity }),
  );
  const keepers = { mail, webhooks, logs, logQueries, topic, diagnostics };
  const plantSeed = async () => {
    await Promise.all([applySeed(hsms, seed), seedPolicy(storage, seed)]);
  };
  await storage.provision();
  if (saved) {
    for (const [name, keeper] of Object.entries(keepers)) if (saved[name]) keeper.load(saved[name]);
    storage.load(saved.storage);
    await fleet.load(saved.hsms);
  } else {
    await plantSeed();
  }
  await lifecycle.running(topic.start().then(() => topic));
  state.saveWith(() => ({
    clock: { offsetMs: clock.offsetMs },
    seed,
    hsms: fleet.save(),
    storage: storage.save(),
    ...Object.fromEntries(Object.entries(keepers).map(([name, keeper]) => [name, keeper.save()])),
  }));

  return {
    ...{
      estate,
      certificates,
      secrets,
      seed,
      call,
      tokens,
      identity,
      storage,
      topic,
      mail,
      webhooks,
      logs,
      logQueries,
    },
    ...{ fleet, hsms, management },
    directory: state.path,
    async reset() {
      faults.clear();
      for (const keeper of Object.values(keepers)) keeper.reset();
      metric.reset();
      await fleet.reset();
      clock.advance(beganMs - clock.offsetMs);
      await storage.deleteContents();
      await plantSeed();
    },
    stop: () => lifecycle.stop(),
  };
}
