import { decideBackup } from '../../shared/backup/decide-backup.ts';
import { judgeFreshness } from '../../shared/backup/freshness.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import { daysBetween } from '../../shared/time.ts';
import type { NoticeDue } from '../contracts/outcomes.ts';
import type { ActivityHandlers } from '../implement.ts';
import { backupWatchId } from '../instance-ids.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import { dropAttempt, putAttempt, readAttempts, readRecords, type StoredAttempt } from './catalogue.ts';
import { beat } from './heartbeats.ts';
import { freeOrphanedLock, readHsmLock } from './hsm-lock.ts';
import { policyInForce } from './policy-in-force.ts';

/** What the clock asks of backups: is one due, and are they fresh. */
export const backupWatchActivities = (world: World) =>
  ({
    async startDueBackup({ hsm }, { starter }) {
      if (!world.backups) return { kind: 'off', explanation: 'This installation makes no backups.' };
      await freeOrphanedLock(world, starter, hsm, backupWatchId(hsm));
      const [inForce, records, attempts, lock] = await Promise.all([
        policyInForce(world),
        readRecords(world.documents, hsm),
        settledAttempts(world, starter, hsm),
        readHsmLock(world.documents, hsm),
      ]);
      const { rule } = effectiveHsmRule(inForce.policy, hsm, inForce.version);
      const decision = decideBackup({
        hsm,
        rule: rule.backup,
        records,
        attempts,
        now: world.clock.now(),
        ...(lock ? { lock: { operation: lock.kind, holder: lock.holder } } : {}),
      });
      switch (decision.kind) {
        case 'start': {
          const { instance, attempt, scheduledFor, reason, explanation } = decision;
          const slot = scheduledFor === undefined ? {} : { scheduledFor };
          const outcome = await starter.startOnce(
            'backUpHsm',
            instance,
            { hsm, purpose: 'scheduled', cause: reason, attempt, ...slot },
            ['backedUp'],
          );
          return { kind: outcome === 'started' ? 'started' : 'running', explanation };
        }
        case 'join':
          return { kind: 'running', explanation: decision.explanation };
        case 'keep':
          return { kind: 'kept', explanation: decision.explanation };
        case 'deferred':
        case 'refused':
          return { kind: decision.kind, explanation: decision.explanation };
      }
    },

    async watchFreshness({ hsm }) {
      if (!world.backups) {
        await beat(world, 'backup', hsm);
        return { kind: 'off' };
      }
      const now = world.clock.now();
      const [inForce, records, watchedSince] = await Promise.all([
        policyInForce(world),
        readRecords(world.documents, hsm),
        firstWatched(world, hsm),
      ]);
      const { rule, drillHsmBy } = effectiveHsmRule(inForce.policy, hsm, inForce.version);
      const freshness = judgeFreshness({ records, rule, watchedSince, now });
      await beat(world, 'backup', hsm);
      // Whatever a drill HSM holds is proven where it came from.
      if (drillHsmBy !== undefined && rule.backup.mode === 'off') return { kind: 'watched', freshness, notices: [] };
      const overdue = (['created', 'verified', 'proven'] as const).filter((age) => freshness[age].state === 'overdue');
      const notices: NoticeDue[] =
        overdue.length === 0
          ? []
          : [
              {
                id: `backup-overdue-${hsm}-${overdue.join('-')}`,
                notice: { kind: 'BackupOverdue', at: now.toISOString(), hsm, notify: rule.notice, freshness },
                repeatAfter: 'P1D',
              },
            ];
      return { kind: 'watched', freshness, notices };
    },
  }) satisfies Partial<ActivityHandlers>;

/** No slot that an attempt may answer lies so far back: schedules repeat within 31 days. */
const ATTEMPTS_KEPT_DAYS = 40;

/**
 * Attempts of the HSM. One whose orchestration is gone has failed, nobody knows when, or every later one would wait for it;
 * those of slots long past are dropped, because all are read at every look.
 */
async function settledAttempts(world: World, starter: Starter, hsm: string): Promise<StoredAttempt[]> {
  const attempts: StoredAttempt[] = [];
  for (const attempt of await readAttempts(world.documents, hsm)) {
    if (attempt.result === 'running' && !(await starter.isUnderWay(attempt.instance))) {
      const failed: StoredAttempt = { ...attempt, result: 'failed' };
      await putAttempt(world.documents, failed);
      attempts.push(failed);
    } else if (
      attempt.result !== 'running' &&
      daysBetween(new Date(attempt.startedOn), world.clock.now()) > ATTEMPTS_KEPT_DAYS
    ) {
      await dropAttempt(world.documents, attempt);
    } else {
      attempts.push(attempt);
    }
  }
  return attempts;
}

/** Nothing is owed before an HSM was looked after; the first look is remembered. */
export async function firstWatched(world: World, hsm: string): Promise<string> {
  const path = `watched/${hsm}.json`;
  const known = await world.documents.read<{ since: string }>('state', path);
  if (known) return known.value.since;
  const since = world.clock.now().toISOString();
  await world.documents.create('state', path, { schema: 1, since });
  return since;
}
