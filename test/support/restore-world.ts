import { createHash } from 'node:crypto';
import { readHsmInventory } from '../../functions/activities/hsm-inventory.ts';
import { decideOnRecord, journalRequest } from '../../functions/activities/journaled-decision.ts';
import { restoreNoticeActivities } from '../../functions/activities/restore-notices.ts';
import { restoreReportActivities } from '../../functions/activities/restore-report.ts';
import {
  readRestoreRequest,
  requestPath,
  restoreMatter,
  type StoredRestore,
} from '../../functions/activities/restore-requests.ts';
import { restoreStagingActivities } from '../../functions/activities/restore-staging.ts';
import { restoreActivities } from '../../functions/activities/restores.ts';
import { securityDomainOf } from '../../functions/activities/security-domain-lineage.ts';
import { buildManifest } from '../../shared/backup/manifest.ts';
import type { BackupVault, HashedBlob } from '../../shared/ports/backup-vault.ts';
import type { JobReading, JobStart } from '../../shared/ports/hsm-backups.ts';
import type { DeletedKey } from '../../shared/ports/hsm-deleted-keys.ts';
import type { RestoreApproval } from '../../shared/restore/guard.ts';
import { aRecord } from '../shared/backup/builders.ts';
import { aKey, createFakeWorld, type FakeWorld } from './world.ts';

export const RESTORE = 'restore-contoso-1';
export const BACKUP = 'mhsm-contoso-20291231020000';
const BLOBS = { 'keys.blob': 'the keys', 'roles.blob': 'the roles' };

/** A world with one sealed backup of what the HSM holds, and a service and accounts that a test may interfere with. */
export interface RestoreWorld extends FakeWorld {
  landing: Map<string, string>;
  vault: Map<string, string>;
  deleted: Map<string, DeletedKey>;
  /** Calls of the service in order. */
  sent: string[];
  /** What the service answers to the next start, and to every reading. */
  next: { start: (() => JobStart)[]; reading: JobReading };
  acts: ReturnType<typeof restoreActivities> &
    ReturnType<typeof restoreStagingActivities> &
    ReturnType<typeof restoreReportActivities> &
    ReturnType<typeof restoreNoticeActivities>;
  ask(changes?: Partial<StoredRestore>): Promise<StoredRestore>;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

export async function createRestoreWorld(): Promise<RestoreWorld> {
  const base = createFakeWorld({
    orders: { versions: [aKey({ name: 'orders', createdOn: '2029-06-01T00:00:00.000Z' })] },
    invoices: { versions: [aKey({ name: 'invoices', createdOn: '2029-06-01T00:00:00.000Z' })] },
  });
  const landing = new Map<string, string>();
  const vault = new Map<string, string>();
  const deleted = new Map<string, DeletedKey>();
  const sent: string[] = [];
  const next: RestoreWorld['next'] = {
    start: [],
    reading: { kind: 'succeeded', job: { jobId: 'job', status: 'Succeeded', startedOn: '2030-01-01T00:00:00.000Z' } },
  };
  const start = async (what: string): Promise<JobStart> => {
    sent.push(what);
    return next.start.shift()?.() ?? { kind: 'started', jobId: 'job' };
  };
  const world = Object.assign(base, { landing, vault, deleted, sent, next }) as RestoreWorld;
  world.identities = {
    ...base.identities,
    backup: { duty: 'backup', clientId: 'backup-client' },
    restore: { duty: 'restore', clientId: 'restore-client' },
  };
  const service = {
    preCheckBackup: () => start('preCheckBackup'),
    startBackup: () => start('startBackup'),
    preCheckRestore: () => start('check'),
    startRestore: () => start('restore'),
    startKeyRestore: ({ name }: { name: string }) => start(`restore ${name}`),
    readJob: async () => next.reading,
  };
  world.backups = {
    landingContainerUrl: 'https://landing.example/hsm-backups',
    vaultBlobUrl: 'https://vault.example',
    vaultRegion: 'northeurope',
    service,
    restores: service,
    vault: fakeVault(landing, vault),
    deletedKeys: { read: async ({ name }) => deleted.get(name) },
    access: {
      roleDefinitions: async () => [],
      roleAssignments: async () => [],
      inventory: async () => [],
      assign: async () => undefined,
      unassign: async () => undefined,
    },
    resources: {} as NonNullable<FakeWorld['backups']>['resources'],
  };
  await sealBackup(world);
  world.acts = {
    ...restoreActivities(world),
    ...restoreStagingActivities(world),
    ...restoreReportActivities(world),
    ...restoreNoticeActivities(world),
  };
  world.ask = async (changes = {}) => {
    const request: StoredRestore = {
      ...{ schema: 1, id: RESTORE, hsm: 'contoso', backup: BACKUP, by: 'oid-omar', at: base.now.value.toISOString() },
      ...{
        reason: 'damage',
        confirmation: 'contoso',
        accepts: [],
        preview: ['One key is rolled back.'],
        started: true,
      },
      ...changes,
    };
    await journalRequest(world, restoreMatter(world, request), { backup: request.backup, reason: request.reason });
    await world.documents.put('state', requestPath(RESTORE), request);
    return request;
  };
  return world;
}

async function sealBackup(world: RestoreWorld): Promise<void> {
  const blobs = Object.entries(BLOBS).map(([name, text]) => {
    world.landing.set(`${BACKUP}/${name}`, text);
    world.vault.set(`${BACKUP}/${name}`, text);
    return { name, size: text.length, sha256: sha256(text) };
  });
  const securityDomain = await securityDomainOf(world, 'contoso');
  const takenOn = '2029-12-31T02:00:00Z';
  const inventory = await readHsmInventory(world, 'contoso');
  const manifest = buildManifest({
    ...inventory,
    ...{ hsm: 'contoso', resourceId: '/r', region: 'westeurope', securityDomain, folder: BACKUP, jobId: 'j' },
    ...{ takenOn, completedOn: takenOn, blobs },
  });
  const text = JSON.stringify(manifest);
  world.vault.set(`${BACKUP}.manifest.json`, text);
  const sealed = { path: `${BACKUP}.manifest.json`, sha256: sha256(text) };
  const record = aRecord(takenOn, { id: BACKUP, securityDomain, manifest: sealed });
  await world.documents.put('state', `catalogue/contoso/${BACKUP}.json`, record);
}

/** Enters a safety backup that was completed when told. */
export async function enterSafetyBackup(world: RestoreWorld, completedOn: string): Promise<void> {
  const record = aRecord(completedOn, { purpose: 'safety', securityDomain: await securityDomainOf(world, 'contoso') });
  await world.documents.put('state', `catalogue/contoso/${record.id}.json`, record);
}

/** Another person approves what was asked for last, as the operator API does. */
export async function approve(world: RestoreWorld, by = 'oid-ana'): Promise<void> {
  const request = await readRestoreRequest(world.documents, RESTORE);
  if (!request) throw new Error('nobody asked');
  const wanted = { by, at: world.now.value.toISOString(), decision: 'approved' } as const;
  const decided = await decideOnRecord(world, restoreMatter(world, request), wanted);
  if (decided.kind !== 'counts') throw new Error(decided.explanation);
  await forgeApproval(world, decided.decision);
}

/** Puts a decision into the store, as whoever can write there can. */
export const forgeApproval = (world: RestoreWorld, decision: RestoreApproval) =>
  world.documents.put('state', `restores/${RESTORE}/decision.json`, decision);

function fakeVault(landing: Map<string, string>, vault: Map<string, string>): BackupVault {
  const hash = (text: string | undefined): HashedBlob | undefined =>
    text === undefined ? undefined : { size: text.length, sha256: sha256(text) };
  const listed = (account: Map<string, string>, folder: string) =>
    [...account]
      .filter(([path]) => path.startsWith(`${folder}/`))
      .map(([path, text]) => ({ name: path.slice(folder.length + 1), size: text.length, etag: '"1"' }));
  const unused = () => Promise.reject(new Error('no restore does this'));
  return {
    landingFolders: unused,
    listLanding: async (folder) => listed(landing, folder),
    listVault: async (folder) => listed(vault, folder),
    hashLanding: async (folder, name) => hash(landing.get(`${folder}/${name}`)),
    hashVault: async (path) => hash(vault.get(path)),
    copy: unused,
    async copyBack(folder, { name, size }) {
      const text = vault.get(`${folder}/${name}`);
      if (text === undefined) return { kind: 'sourceMissing' };
      landing.set(`${folder}/${name}`, text);
      return { kind: 'copied', way: 'streamed', resumed: 0, size, sha256: sha256(text) };
    },
    lock: unused,
    readLock: unused,
    listKept: unused,
    remove: unused,
    writeJson: unused,
    async readJson(path) {
      const text = vault.get(path);
      return text === undefined ? undefined : { value: JSON.parse(text), sha256: sha256(text) };
    },
  };
}
