import { type BackupRecord, parseFolder } from '../../shared/backup/backup.ts';
import { judgeRegion } from '../../shared/backup/geography.ts';
import {
  buildManifest,
  type HsmInventory,
  type ManifestBlob,
  manifestFigures,
  sealManifest,
} from '../../shared/backup/manifest.ts';
import { verifyBackup } from '../../shared/backup/verify-manifest.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import { addDuration } from '../../shared/time.ts';
import type { BackupSummary } from '../contracts/backup-outcomes.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { backupWorld } from './backup-world.ts';
import { refused } from './backups.ts';
import { advanceRecord, enterRecord, readRecord } from './catalogue.ts';
import { announceOnHsm } from './hsm-acts.ts';
import { readHsmInventory } from './hsm-inventory.ts';
import { policyInForce } from './policy-in-force.ts';
import { securityDomainOf } from './security-domain-lineage.ts';
import { hex, utf8 } from './text.ts';

/** What one attempt leaves for its own next step; sealing removes it, and tidying what a failed attempt left. */
export const workPath = (hsm: string, folder = ''): string => `backup-work/${hsm}/${folder}`;
const inventoryPath = (hsm: string, folder: string) => `${workPath(hsm, folder)}/inventory.json`;
const copiedPath = (hsm: string, folder: string) => `${workPath(hsm, folder)}/copied.json`;
/** Path of the manifest in the vault: beside the copy, never in it. */
export const manifestPath = (folder: string): string => `${folder}.manifest.json`;

interface Copied {
  schema: 1;
  blobs: ManifestBlob[];
}

/** From the folder that landed to a verified, locked and catalogued copy. Each step may be repeated whole. */
export const backupCopyActivities = (world: World) =>
  ({
    async takeInventory({ hsm, folder }) {
      const inventory = await readHsmInventory(world, hsm, parseFolder(folder)?.takenOn);
      await world.documents.put('state', inventoryPath(hsm, folder), { schema: 1, ...inventory });
      return { kind: 'taken', keys: inventory.keys.length };
    },

    /** Copies and hashes every blob, then reads the copies back: the catalogue never learns of a copy that was not read. */
    async copyBackup({ hsm, instance, folder }) {
      const { vault, vaultRegion, resources } = backupWorld(world);
      const inForce = await policyInForce(world);
      const { rule } = effectiveHsmRule(inForce.policy, hsm, inForce.version);
      const settings = world.hsms.find(({ name }) => name === hsm);
      const resource = settings && (await resources.read(settings.resourceId));
      const region = judgeRegion(rule.geography, resource?.region ?? '', vaultRegion);
      if (region.kind !== 'allowed') return refused(region.reason, region.explanation, region.nextStep);

      const landed = await vault.listLanding(folder);
      const outcome = await announceOnHsm(world, {
        act: 'backup.copy',
        duty: 'backup',
        hsm,
        target: folder,
        instance,
        cause: 'backup',
        detail: { folder, blobs: landed.length },
      });
      const expected: ManifestBlob[] = [];
      for (const blob of landed) {
        const copy = await vault.copy(folder, blob);
        if (copy.kind !== 'copied' && copy.kind !== 'present') {
          await outcome('failed', { blob: blob.name, why: copy.kind });
          return refused(REASONS[copy.kind], `${blob.name} of ${folder} ${WHY[copy.kind]}.`, NEXT[copy.kind]);
        }
        expected.push({ name: blob.name, size: blob.size, sha256: copy.sha256 });
      }
      const readBack = await Promise.all(
        expected.map(async ({ name }) => {
          const hashed = await vault.hashVault(`${folder}/${name}`);
          return hashed ? [{ name, ...hashed }] : [];
        }),
      );
      const verification = verifyBackup(expected, { copy: readBack.flat(), landing: landed });
      if (verification.kind === 'incomplete') {
        await outcome('failed', { why: verification.explanation.slice(0, 300) });
        return refused('CopyIncomplete', verification.explanation, verification.nextStep);
      }
      const copied: Copied = { schema: 1, blobs: expected };
      await world.documents.put('state', copiedPath(hsm, folder), copied);
      await outcome('done', { blobs: verification.blobs, bytes: verification.bytes });
      return { kind: 'copied', blobs: verification.blobs, bytes: verification.bytes };
    },

    /** Writes the manifest beside the copy, locks both for as long as the rule says, and enters the backup in the catalogue. */
    async sealBackup({ hsm, instance, folder, container, jobId, takenOn, completedOn, purpose, scheduledFor }) {
      const { vault, vaultBlobUrl, vaultRegion, resources } = backupWorld(world);
      const [inventory, copied, inForce] = await Promise.all([
        world.documents.read<HsmInventory & { externalKeys: string[] }>('state', inventoryPath(hsm, folder)),
        world.documents.read<Copied>('state', copiedPath(hsm, folder)),
        policyInForce(world),
      ]);
      if (!inventory || !copied) {
        const done = await readRecord(world.documents, hsm, folder);
        if (done?.manifest && done.lockedUntil !== undefined) return { kind: 'sealed', record: summaryOf(done) };
        throw new Error(`the work of ${folder} is gone`);
      }
      const settings = world.hsms.find(({ name }) => name === hsm);
      const resource = settings && (await resources.read(settings.resourceId));
      const region = resource?.region ?? 'unknown';
      const { keys, roleDefinitions, roleAssignments, externalKeys } = inventory.value;
      const securityDomain = await securityDomainOf(world, hsm);
      const manifest = buildManifest({
        hsm,
        resourceId: settings?.resourceId ?? '',
        region,
        securityDomain,
        folder,
        jobId,
        takenOn,
        completedOn,
        keys,
        roleDefinitions,
        roleAssignments,
        blobs: copied.value.blobs,
        externalKeys,
      });
      const sealed = sealManifest(manifest, (text) => hex(world.crypto.digest('SHA-256', utf8(text))));
      const path = manifestPath(folder);
      const written = await vault.writeJson(path, JSON.parse(sealed.text));
      if (written.kind === 'occupied') {
        return refused(
          'ManifestOccupied',
          `Another manifest has the name ${path}.`,
          'Look at the vault account: this name is ours alone.',
        );
      }
      const now = world.clock.now();
      const { rule } = effectiveHsmRule(inForce.policy, hsm, inForce.version);
      const existing = await readRecord(world.documents, hsm, folder);
      const until = existing?.lockedUntil ?? addDuration(now, rule.backup.lock).toISOString();
      const outcome = await announceOnHsm(world, {
        act: 'backup.lock',
        duty: 'backup',
        hsm,
        target: folder,
        instance,
        cause: 'backup',
        detail: { folder, until },
      });
      for (const name of [...copied.value.blobs.map((blob) => `${folder}/${blob.name}`), path]) {
        await vault.lock(name, { mode: 'locked', until });
      }
      const vaultContainer = vaultBlobUrl;
      const record: BackupRecord = {
        id: folder,
        hsm,
        resourceId: manifest.resourceId,
        securityDomain,
        purpose,
        ...(scheduledFor === undefined ? {} : { scheduledFor }),
        takenOn,
        jobId,
        state: 'landed',
        reachedOn: { landed: completedOn },
        landing: { container, folder, region },
        ...manifestFigures(manifest),
      };
      await enterRecord(world.documents, record);
      const on = now.toISOString();
      const copy = { container: vaultContainer, folder, region: vaultRegion };
      await advanceRecord(world.documents, hsm, folder, {
        kind: 'verified',
        on,
        copy,
        manifest: { path, sha256: written.sha256 },
      });
      const locked = await advanceRecord(world.documents, hsm, folder, { kind: 'locked', on, until });
      await world.documents.remove('state', inventoryPath(hsm, folder));
      await world.documents.remove('state', copiedPath(hsm, folder));
      await outcome('done', { manifest: written.sha256 });
      return { kind: 'sealed', record: summaryOf(locked) };
    },
  }) satisfies Partial<ActivityHandlers>;

const summaryOf = ({
  id,
  hsm,
  takenOn,
  lockedUntil,
  keys,
  versions,
  blobs,
  bytes,
  notCovered,
  manifest,
}: BackupRecord): BackupSummary => ({
  id,
  hsm,
  takenOn,
  lockedUntil: lockedUntil ?? '',
  keys,
  versions,
  blobs,
  bytes,
  notCovered,
  manifest: manifest ?? { path: '', sha256: '' },
});

const REASONS = {
  sourceMissing: 'LandedBlobMissing',
  sourceChanged: 'LandedBlobChanged',
  occupied: 'CopyOccupied',
} as const;
const WHY = {
  sourceMissing: 'is gone from the landing container',
  sourceChanged: 'was changed in the landing container while it was copied',
  occupied: 'has another blob in its place in the vault',
} as const;
const NEXT = {
  sourceMissing: 'Find out who may delete in the landing account, then take the backup again.',
  sourceChanged:
    'Treat it as tampering: keep the folder, read the storage logs of the landing account, take the backup again.',
  occupied: 'Look at who may write to the vault account: this name is ours alone.',
} as const;
