import type { LifecycleEvent } from '../../shared/events/lifecycle-event.ts';
import type { HsmNotice, NoticeFailure } from '../../shared/notification/hsm-notice.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import type { RestoreOutcome } from '../contracts/restore-outcomes.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { policyInForce } from './policy-in-force.ts';
import { findBackup, readApproval, type StoredRestore } from './restore-requests.ts';
import { requestOf } from './restores.ts';

type Restored = Extract<RestoreOutcome, { kind: 'restored' }>;

export const restoreNoticeActivities = (world: World) =>
  ({
    /** Publishes a restore that came about, and answers with the notice that tells how it stands. */
    async describeRestore({ hsm, instance, at, told, withoutEvent }) {
      const [inForce, request] = await Promise.all([policyInForce(world), requestOf(world, instance)]);
      const { rule } = effectiveHsmRule(inForce.policy, hsm, inForce.version);
      const record = await findBackup(world.documents, request.backup);
      const takenOn = record?.takenOn ?? at;
      const { backup, by, key } = request;
      const about = { at, hsm, notify: rule.notice, restore: instance, backup };
      const ofKey = key === undefined ? {} : { key };
      const described = (notice: HsmNotice) =>
        ({ kind: 'described', id: `${told.kind}-${instance}`, notice, repeatAfter: 'P1D' }) as const;

      if (told.kind !== 'ended') {
        const preview = key === undefined ? request.preview : [`The key ${key} comes back.`, ...request.preview];
        const note = told.kind === 'reminder' ? `${request.reason} (still waiting for a decision)` : request.reason;
        return described({ kind: 'RestoreRequested', ...about, takenOn, by, note, until: told.until, preview });
      }
      const { outcome } = told;
      if (outcome.kind !== 'restored') {
        const step = outcome.kind === 'refused' ? outcome.reason : 'restore';
        return described({ kind: 'RestoreFailed', ...about, ...ofKey, step, failure: failureOf(outcome) });
      }
      if (!withoutEvent) await world.events.publish([eventOf(world, request, at, outcome)]);
      const { findings, startedOn, endedOn } = outcome;
      const approval = await readApproval(world.documents, instance);
      return described({
        kind: 'RestoreCompleted',
        ...about,
        ...ofKey,
        takenOn,
        by,
        ...(approval ? { approvedBy: approval.by } : {}),
        seconds: Math.round((Date.parse(endedOn) - Date.parse(startedOn)) / 1000),
        compared: { keys: findings.compared.keys, versions: findings.compared.versions },
        critical: findings.critical,
        warnings: findings.warnings,
        differences: findings.differences,
      });
    },
  }) satisfies Partial<ActivityHandlers>;

function failureOf(outcome: Exclude<RestoreOutcome, Restored>): NoticeFailure {
  if (outcome.kind === 'refused') return { message: outcome.explanation, nextStep: outcome.nextStep };
  const { code, message, nextStep, denial } = outcome;
  return { code, message, nextStep, ...(denial ? { denial } : {}) };
}

function eventOf(world: World, request: StoredRestore, at: string, { findings }: Restored): LifecycleEvent {
  const { id, hsm, backup, key } = request;
  const settings = world.hsms.find(({ name }) => name === hsm);
  if (!settings) throw new Error(`no HSM named ${hsm} in the settings`);
  const { compared, critical } = findings;
  const what = key === undefined ? hsm : `The key ${key} of ${hsm}`;
  const summary = `${what} was restored from ${backup}: ${compared.keys} keys compared, ${critical} critical differences.`;
  const data = {
    hsm,
    summary,
    reference: id,
    backup,
    critical,
    report: findings.report,
    ...(key === undefined ? {} : { key }),
  };
  return {
    id: `RestoreCompleted/${hsm}/${id}`,
    type: 'RestoreCompleted',
    source: settings.resourceId,
    subject: `restores/${id}`,
    time: at,
    data,
  };
}
