import type { BackupVault, BlobHold } from '../../shared/ports/backup-vault.ts';

/** Copies in memory, as far as removing them goes: paths, and what holds each. */
export interface FakeVault {
  blobs: Map<string, BlobHold | undefined>;
  vault: Pick<BackupVault, 'listKept' | 'remove'>;
}

export function createFakeVault(paths: readonly string[]): FakeVault {
  const blobs: FakeVault['blobs'] = new Map(paths.map((path) => [path, undefined]));
  return {
    blobs,
    vault: {
      listKept: async (prefix) =>
        [...blobs]
          .filter(([path]) => path.startsWith(prefix))
          .map(([path, hold]) => ({ path, ...(hold ? { hold } : {}) })),
      async remove(path) {
        const hold = blobs.get(path);
        if (hold) return { kind: 'held', hold };
        return { kind: blobs.delete(path) ? 'removed' : 'missing' };
      },
    },
  };
}
