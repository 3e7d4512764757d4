import type { LifecycleEvent } from '../../shared/events/lifecycle-event.ts';
import type { HsmNotice, NoticeFailure } from '../../shared/notification/hsm-notice.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import type { BackUpHsmOutcome } from '../contracts/backup-outcomes.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { policyInForce } from './policy-in-force.ts';

type Ended = Exclude<BackUpHsmOutcome, { kind: 'deferred' }>;

export const backupNoticeActivities = (world: World) =>
  ({
    /** Publishes how a backup ended, and answers with the notice that tells it. The event's id is made of the fact alone. */
    async describeBackup({ hsm, instance, at, purpose, attempt, pruned, outcome: ended, withoutEvent }) {
      const inForce = await policyInForce(world);
      const { rule } = effectiveHsmRule(inForce.policy, hsm, inForce.version);
      const about = { at, hsm, notify: rule.notice };
      if (!withoutEvent) await world.events.publish([eventOf(world, hsm, instance, at, ended)]);
      if (ended.kind === 'backedUp') {
        const { backup, startedOn, endedOn } = ended;
        const { id, takenOn, keys, versions, bytes, lockedUntil, notCovered } = backup;
        const seconds = Math.round((Date.parse(endedOn) - Date.parse(startedOn)) / 1000);
        const copyRegion = world.backups?.vaultRegion ?? 'unknown';
        const notice: HsmNotice = {
          kind: 'BackupCompleted',
          ...about,
          ...{
            backup: id,
            purpose,
            takenOn,
            keys,
            versions,
            bytes,
            seconds,
            copyRegion,
            lockedUntil,
            notCovered,
            pruned,
          },
          warnings: [],
        };
        return { kind: 'described', id: `backed-up-${id}`, notice, repeatAfter: 'P1D' };
      }
      const notice: HsmNotice = { kind: 'BackupFailed', ...about, attempt, step: 'backup', failure: failureOf(ended) };
      return { kind: 'described', id: `backup-failed-${instance}`, notice, repeatAfter: 'P1D' };
    },
  }) satisfies Partial<ActivityHandlers>;

function failureOf(ended: Exclude<Ended, { kind: 'backedUp' }>): NoticeFailure {
  if (ended.kind === 'refused') return { message: ended.explanation, nextStep: ended.nextStep };
  const { code, message, nextStep, denial } = ended;
  return { code, message, nextStep, ...(denial ? { denial } : {}) };
}

function eventOf(world: World, hsm: string, instance: string, at: string, ended: Ended): LifecycleEvent {
  const settings = world.hsms.find(({ name }) => name === hsm);
  if (!settings) throw new Error(`no HSM named ${hsm} in the settings`);
  const done = ended.kind === 'backedUp';
  const reference = done ? ended.backup.id : instance;
  const type = done ? 'BackupCompleted' : 'BackupFailed';
  const summary = done
    ? `${ended.backup.keys} keys backed up, copied, verified and locked until ${ended.backup.lockedUntil}.`
    : failureOf(ended).message;
  return {
    id: [type, hsm, reference].join('/'),
    type,
    source: settings.resourceId,
    subject: `backups/${reference}`,
    time: at,
    data: { hsm, summary, reference },
  };
}
