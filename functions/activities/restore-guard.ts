import { hasCode } from '../../shared/errors.ts';
import type { KeyRef } from '../../shared/keys/key.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import { guardRestore, type RestoreGuardInput } from '../../shared/restore/guard.ts';
import { decideKeyRestore, type KeyPresence } from '../../shared/restore/key-restore.ts';
import type { RestoreActivityOutcomes } from '../contracts/restore-outcomes.ts';
import type { World } from '../world.ts';
import { backupWorld } from './backup-world.ts';
import { refused } from './backups.ts';
import { readRecords } from './catalogue.ts';
import { isExternal, notFoundAsUndefined } from './hsm-inventory.ts';
import { readHsmLock } from './hsm-lock.ts';
import { demandJournaled } from './journaled-decision.ts';
import { policyInForce } from './policy-in-force.ts';
import {
  findBackup,
  manifestOf,
  readApproval,
  readProgress,
  restoreMatter,
  type StoredRestore,
} from './restore-requests.ts';
import { securityDomainOf } from './security-domain-lineage.ts';

export type RestoreJudgement = RestoreActivityOutcomes['judgeRestore'];
export type RestoreStage = 'request' | 'approval' | 'start';

/**
 * Whether a restore may go on, by everything that is known now. A key's restore takes nothing away, so it needs no safety
 * backup; instead the name has to be free.
 */
export async function judgeStoredRestore(
  world: World,
  request: StoredRestore,
  stage: RestoreStage,
): Promise<RestoreJudgement> {
  const record = await findBackup(world.documents, request.backup);
  if (!record) {
    return refused(
      'BackupUnknown',
      `The catalogue has no backup ${request.backup}.`,
      'Choose one of GET /api/backups.',
    );
  }
  const { hsm, id, by, at, confirmation } = request;
  const [inForce, securityDomain, approval, heldBy, safety] = await Promise.all([
    policyInForce(world),
    securityDomainOf(world, hsm),
    readApproval(world.documents, id),
    stage === 'approval' ? undefined : readHsmLock(world.documents, hsm),
    safetyOf(world, request),
  ]);
  const { rule } = effectiveHsmRule(inForce.policy, hsm, inForce.version);
  const lock = heldBy && { operation: heldBy.kind, holder: heldBy.holder };
  const input: RestoreGuardInput = {
    target: {
      hsm,
      securityDomain,
      ...(request.key === undefined ? await externalKeysOf(world, hsm) : { externalKeys: [] }),
    },
    backup: record,
    request: { by, at, confirmation, instance: id },
    approvalLasts: rule.recovery.approvalLasts,
    accepts: request.accepts,
    safety: { rule: rule.recovery.thirtyMinuteRule, ...safety },
    now: world.clock.now(),
    ...(approval ? { approval } : {}),
    ...(lock ? { lock } : {}),
  };
  const verdict = guardRestore(input);
  // After the guard, which bounds how old a decision may be, and so how much of the journal is read.
  if (approval && (verdict.kind !== 'refused' || verdict.reason === 'ApprovalDenied')) {
    const recorded = await demandJournaled(world, restoreMatter(world, request), approval);
    if (recorded.kind === 'refused') return recorded;
  }
  if (request.key === undefined || verdict.kind === 'refused') return verdict;
  const fitting = await judgeKey(world, { hsm, name: request.key }, input);
  if (fitting.kind === 'refused') return fitting;
  return verdict.kind === 'awaitApproval' ? verdict : fitting;
}

async function judgeKey(world: World, key: KeyRef, input: RestoreGuardInput): Promise<RestoreJudgement> {
  const { backup, target, lock, request } = input;
  const found = await manifestOf(world, backup);
  if (found.kind === 'refused') return found;
  return decideKeyRestore({
    key: key.name,
    target,
    backup,
    manifest: found.manifest,
    presence: await presenceOf(world, key),
    instance: request.instance,
    ...(lock ? { lock } : {}),
  });
}

async function presenceOf(world: World, key: KeyRef): Promise<KeyPresence> {
  const { deletedKeys } = backupWorld(world);
  const versions = await world.keys.observe.versions(key).catch(notFoundAsUndefined);
  if (versions !== undefined && versions.length > 0) return { kind: 'active', versions: versions.length };
  if (!deletedKeys) return { kind: 'unknown' };
  try {
    const deleted = await deletedKeys.read(key);
    return deleted ? { kind: 'softDeleted', ...deleted } : { kind: 'absent' };
  } catch (error) {
    if (hasCode(error, 'ERR_DENIED')) return { kind: 'unknown' };
    throw error;
  }
}

/** Nothing when they may not be looked for: the guard asks a person then. */
async function externalKeysOf(world: World, hsm: string): Promise<{ externalKeys?: string[] }> {
  const externalKeys: string[] = [];
  try {
    for await (const page of world.keys.observe.pages(hsm)) {
      externalKeys.push(...page.filter(({ tags }) => isExternal(tags)).map(({ name }) => name));
    }
    return { externalKeys };
  } catch (error) {
    if (hasCode(error, 'ERR_DENIED')) return {};
    throw error;
  }
}

/** Only a backup taken for this restore, after it was approved, holds what the restore is about to take away. */
export async function safetyOf(world: World, { hsm, id }: StoredRestore) {
  const [records, approval, { answers }] = await Promise.all([
    readRecords(world.documents, hsm),
    readApproval(world.documents, id),
    readProgress(world.documents, id),
  ]);
  const completedOn = records
    .filter(({ purpose }) => purpose === 'safety')
    .flatMap(({ reachedOn }) => reachedOn.landed ?? [])
    .filter((landed) => approval !== undefined && Date.parse(landed) >= Date.parse(approval.at))
    .sort((a, b) => Date.parse(a) - Date.parse(b))
    .at(-1);
  return { answers, ...(completedOn === undefined ? {} : { completedOn }) };
}
