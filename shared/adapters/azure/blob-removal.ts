import type { BlobItem, ContainerClient } from '@azure/storage-blob';
import type { BlobHold, BlobRemoval, KeptBlob } from '../../ports/backup-vault.ts';
import type { Clock } from '../../ports/clock.ts';
import { storageFault } from './state-account.ts';

/** Everything whose path begins so, each path once, with what holds any version of it. */
export async function listKept(vault: ContainerClient, prefix: string, clock: Clock): Promise<KeptBlob[]> {
  const kept = new Map<string, KeptBlob>();
  for (const { path, hold } of await listVersions(vault, prefix, clock)) {
    const held = kept.get(path)?.hold ?? hold;
    kept.set(path, { path, ...(held ? { hold: held } : {}) });
  }
  return [...kept.values()];
}

/**
 * Looks at what holds it first: in a versioned account a plain delete of a locked blob succeeds, hiding it behind a version
 * that stays. Then deletes the blob and every version of it.
 */
export async function removeBlob(vault: ContainerClient, path: string, clock: Clock): Promise<BlobRemoval> {
  const blob = vault.getBlockBlobClient(path);
  const versions = (await listVersions(vault, path, clock)).filter((version) => version.path === path);
  const hold = versions.find((version) => version.hold)?.hold;
  if (hold) return { kind: 'held', hold };
  try {
    let removed = (await blob.deleteIfExists({ deleteSnapshots: 'include' })).succeeded;
    for (const { versionId } of versions) {
      if (versionId === undefined) continue;
      await blob.withVersion(versionId).deleteIfExists();
      removed = true;
    }
    return { kind: removed ? 'removed' : 'missing' };
  } catch (error) {
    const { code } = storageFault(error);
    if (code === 'BlobImmutableDueToLegalHold') return { kind: 'held', hold: { kind: 'legalHold' } };
    if (code?.startsWith('BlobImmutable')) return { kind: 'held', hold: { kind: 'locked' } };
    throw error;
  }
}

interface KeptVersion extends KeptBlob {
  /** Absent in an account without versions. */
  versionId?: string;
}

/**
 * A legal hold and a lock are shown by the listing, for hidden versions as well.
 * https://learn.microsoft.com/rest/api/storageservices/list-blobs
 */
async function listVersions(vault: ContainerClient, prefix: string, clock: Clock): Promise<KeptVersion[]> {
  const include = { includeVersions: true, includeImmutabilityPolicy: true, includeLegalHold: true };
  const found: KeptVersion[] = [];
  for await (const { name, versionId, properties } of vault.listBlobsFlat({ prefix, ...include })) {
    const hold = holdOf(properties, clock.now());
    found.push({ path: name, ...(versionId === undefined ? {} : { versionId }), ...(hold ? { hold } : {}) });
  }
  return found;
}

function holdOf({ legalHold, immutabilityPolicyExpiresOn: until }: BlobItem['properties'], now: Date) {
  if (legalHold) return { kind: 'legalHold' } satisfies BlobHold;
  return until !== undefined && until > now
    ? ({ kind: 'locked', until: until.toISOString() } satisfies BlobHold)
    : undefined;
}
