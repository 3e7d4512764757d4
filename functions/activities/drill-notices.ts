import { printSeconds } from '../../shared/drill/print-seconds.ts';
import type { DrillReport } from '../../shared/drill/report.ts';
import type { LifecycleEvent } from '../../shared/events/lifecycle-event.ts';
import type { HsmNotice } from '../../shared/notification/hsm-notice.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { drillReportPath } from './drill-records.ts';
import { policyInForce } from './policy-in-force.ts';

export const drillNoticeActivities = (world: World) =>
  ({
    /** Publishes how a drill ended, and answers with the notice that tells it. Whatever is told stands in the report. */
    async describeDrill({ hsm, instance, withoutEvent }) {
      const path = drillReportPath(hsm, instance);
      const stored = await world.documents.read<DrillReport>('evidence', `${path}.json`);
      if (!stored) throw new Error(`the drill ${instance} of ${hsm} has no report`);
      const report = stored.value;
      const inForce = await policyInForce(world);
      const { rule } = effectiveHsmRule(inForce.policy, hsm, inForce.version);
      if (!withoutEvent) await world.events.publish([eventOf(world, report)]);
      const { target, backup, rpo, rto, reasons, nextSteps, endedOn: at, verdict, proof } = report;
      const about = {
        ...{ at, hsm, notify: rule.notice, drill: instance, target: target.hsm, backup: backup.id },
        ...{ takenOn: backup.takenOn, keys: report.comparison?.compared.keys ?? 0, rpo, rto, reasons, nextSteps },
        report: `${path}.html`,
      };
      const notice: HsmNotice =
        verdict === 'passed'
          ? { kind: 'DrillPassed', ...about }
          : { kind: 'DrillFailed', ...about, result: verdict, ...(proof === undefined ? {} : { proof }) };
      return { kind: 'described', id: `drill-${verdict}-${instance}`, notice, repeatAfter: 'P1D' };
    },
  }) satisfies Partial<ActivityHandlers>;

/** A drill that proved nothing is no failure of the backup, but nobody may count it as a proof either. */
function eventOf(
  world: World,
  { drill, hsm, backup, target, verdict, proof, endedOn, rto, reasons }: DrillReport,
): LifecycleEvent {
  const settings = world.hsms.find(({ name }) => name === hsm);
  if (!settings) throw new Error(`no HSM named ${hsm} in the settings`);
  const type = verdict === 'passed' ? 'DrillPassed' : 'DrillFailed';
  const took = rto.seconds === undefined ? '' : ` in ${printSeconds(rto.seconds)}`;
  const restored = `Backup ${backup.id} was restored to ${target.hsm} and verified${took}`;
  const failed = `The restore drill of backup ${backup.id} ${verdict === 'failed' ? 'failed' : 'proved nothing'}`;
  const summary =
    verdict === 'passed'
      ? `${restored}.`
      : proof === 'proven'
        ? `${restored}, and missed an objective. ${reasons[0] ?? ''}`
        : `${failed}: ${reasons[0] ?? ''}`;
  return {
    id: `${type}/${hsm}/${drill}`,
    type,
    source: settings.resourceId,
    subject: `drills/${drill}`,
    time: endedOn,
    data: { hsm, summary, reference: drill, verdict, ...(proof ? { proof } : {}), backup: backup.id },
  };
}
