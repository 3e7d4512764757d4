import type { Detector } from '../detector.ts';
import { breakGlassUse } from './break-glass-use.ts';
import { decoyKeyUse } from './decoy-key-use.ts';
import { deniedBurst } from './denied-burst.ts';
import { destruction } from './destruction.ts';
import { dormantKeyUse } from './dormant-key-use.ts';
import { firstSeenCaller } from './first-seen-caller.ts';
import { guardRailChange } from './guard-rail-change.ts';
import { keyMaterialMovement } from './key-material-movement.ts';
import { loggingGap } from './logging-gap.ts';
import { operationMix } from './operation-mix.ts';
import { roleAssignmentChange } from './role-assignment-change.ts';
import { securityDomainAccess } from './security-domain-access.ts';
import { supersededVersionUse } from './superseded-version-use.ts';
import { unannouncedOwnAct } from './unannounced-own-act.ts';
import { unclassifiedCall } from './unclassified-call.ts';
import { unfamiliarNetwork } from './unfamiliar-network.ts';
import { unplannedBackup } from './unplanned-backup.ts';
import { unplannedRestore } from './unplanned-restore.ts';
import { volumeOutOfSeason } from './volume-out-of-season.ts';

/** In the order in which findings of one window are told. */
export const DETECTORS: readonly Detector[] = [
  securityDomainAccess,
  unplannedBackup,
  unplannedRestore,
  keyMaterialMovement,
  roleAssignmentChange,
  guardRailChange,
  destruction,
  loggingGap,
  unannouncedOwnAct,
  breakGlassUse,
  decoyKeyUse,
  deniedBurst,
  firstSeenCaller,
  unfamiliarNetwork,
  volumeOutOfSeason,
  dormantKeyUse,
  supersededVersionUse,
  operationMix,
  unclassifiedCall,
];
