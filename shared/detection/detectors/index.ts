import type { Detector } from '../detector.ts';
import { decoyKeyUse } from './decoy-key-use.ts';
import { securityDomainAccess } from './security-domain-access.ts';
import { unplannedBackup } from './unplanned-backup.ts';

/** In the order in which findings of one window are told. */
export const DETECTORS: readonly Detector[] = [securityDomainAccess, unplannedBackup, decoyKeyUse];
