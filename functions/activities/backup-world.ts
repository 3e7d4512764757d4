import { AppError } from '../../shared/errors.ts';
import type { BackupWorld, World } from '../world.ts';

/** What backups need, or a fault that says which settings are missing. */
export function backupWorld(world: World): BackupWorld {
  if (world.backups) return world.backups;
  throw new AppError(
    'ERR_CONFIG',
    'This installation makes no backups: it has no landing container and vault account.',
    {
      nextStep:
        'Set MHSM_IDENTITY_BACKUP, MHSM_LANDING_CONTAINER_URL, MHSM_VAULT_BLOB_URL and MHSM_VAULT_REGION together.',
    },
  );
}
