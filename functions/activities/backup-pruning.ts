import type { HeldBackup } from '../../shared/backup/backup.ts';
import { isPresent } from '../../shared/backup/catalogue.ts';
import { decideRetention, type Retention } from '../../shared/backup/decide-retention.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import type { NoticeRule } from '../../shared/policy/rule.ts';
import type { BackupVault, KeptBlob } from '../../shared/ports/backup-vault.ts';
import type { NoticeDue } from '../contracts/outcomes.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { manifestPath } from './backup-copies.ts';
import { backupWorld } from './backup-world.ts';
import { advanceRecord, readRecord, readRecords } from './catalogue.ts';
import { announceOnHsm } from './hsm-acts.ts';
import { policyInForce } from './policy-in-force.ts';

export const backupPruningActivities = (world: World) =>
  ({
    /**
     * Removes what the retention lets go: whole, or not at all. Every blob is asked first whether anything holds it, because
     * the catalogue may be behind. Then the catalogue says that the backup is being removed, and only then a blob goes: so what
     * a crash, or a hold set meanwhile, leaves behind is offered to nobody, and the next run removes the rest.
     */
    async pruneBackups({ hsm, instance, dryRun }) {
      const { vault } = backupWorld(world);
      const { retention, notify } = await retentionNow(world, hsm);
      const removed: string[] = [];
      const held: HeldBackup[] = [];
      if (dryRun) return { kind: 'pruned', retention, removed };
      for (const backup of retention.prune) {
        const hold = await removeBackup(world, vault, { hsm, instance, ...backup });
        if (hold === undefined) removed.push(backup.id);
        else held.push(hold);
      }
      const notices = heldNotices(hsm, held, notify, world.clock.now());
      return { kind: 'pruned', retention, removed, ...(held.length === 0 ? {} : { held, notices }) };
    },
  }) satisfies Partial<ActivityHandlers>;

/** What the retention of the HSM keeps and lets go now. */
export async function retentionNow(world: World, hsm: string) {
  const [inForce, records] = await Promise.all([policyInForce(world), readRecords(world.documents, hsm)]);
  const { rule } = effectiveHsmRule(inForce.policy, hsm, inForce.version);
  const { retention: keeps, schedule } = rule.backup;
  const retention = decideRetention(records, keeps, schedule.timeZone, world.clock.now());
  return { retention, rule: keeps, notify: rule.notice };
}

/** Which of them cannot go, because something holds a blob of theirs. */
export async function heldOf(world: World, hsm: string, prune: Retention['prune']): Promise<HeldBackup[]> {
  const { vault } = backupWorld(world);
  const held: HeldBackup[] = [];
  for (const { id, takenOn } of prune) {
    const hold = (await copiesOf(vault, id)).find((copy) => copy.hold)?.hold;
    if (!hold) continue;
    const record = await readRecord(world.documents, hsm, id);
    held.push(heldBackup({ id, takenOn }, hold, record === undefined || isPresent(record)));
  }
  return held;
}

/** What holds it, or nothing once it is gone. */
async function removeBackup(
  world: World,
  vault: BackupVault,
  { hsm, instance, id, takenOn }: { hsm: string; instance: string; id: string; takenOn: string },
): Promise<HeldBackup | undefined> {
  const [held] = await heldOf(world, hsm, [{ id, takenOn, explanation: '' }]);
  if (held) return held;
  const outcome = await announceOnHsm(world, {
    act: 'backup.prune',
    duty: 'backup',
    hsm,
    target: id,
    instance,
    cause: 'retention',
    step: id,
  });
  await advanceRecord(world.documents, hsm, id, { kind: 'pruning', on: world.clock.now().toISOString() });
  for (const { path } of await copiesOf(vault, id)) {
    const removal = await vault.remove(path);
    if (removal.kind !== 'held') continue;
    await outcome('refused', { blob: path, why: removal.hold.kind });
    return heldBackup({ id, takenOn }, removal.hold, false);
  }
  await advanceRecord(world.documents, hsm, id, { kind: 'pruned', on: world.clock.now().toISOString() });
  await outcome('done');
  return undefined;
}

/** Every blob of the copy and its manifest, which goes last: it says what the others were. */
async function copiesOf(vault: BackupVault, id: string): Promise<KeptBlob[]> {
  const manifest = manifestPath(id);
  const kept = await vault.listKept(id);
  return [...kept.filter(({ path }) => path.startsWith(`${id}/`)), ...kept.filter(({ path }) => path === manifest)];
}

const heldBackup = (
  { id, takenOn }: { id: string; takenOn: string },
  { kind, until }: NonNullable<KeptBlob['hold']>,
  whole: boolean,
): HeldBackup => ({ id, takenOn, by: kind, whole, ...(until === undefined ? {} : { until }) });

/** A hold is a person's word and may last for years: told once, and again after a quarter while it lasts. */
const REPEAT_AFTER = 'P90D';

/** One for what is whole and held alike, one for each backup that is not whole any more. */
function heldNotices(hsm: string, held: readonly HeldBackup[], notify: NoticeRule, now: Date): NoticeDue[] {
  const groups = new Map<string, HeldBackup[]>();
  for (const backup of held) {
    const group = backup.whole ? backup.by : backup.id;
    groups.set(group, [...(groups.get(group) ?? []), backup]);
  }
  return [...groups].map(([group, backups]) => ({
    id: `backups-held-${hsm}-${group}`,
    notice: { kind: 'BackupHeld', at: now.toISOString(), hsm, notify, backups },
    repeatAfter: REPEAT_AFTER,
  }));
}
