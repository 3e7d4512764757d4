import type { OrchestrationContext, Task } from 'durable-functions';
import type { OrchestrationInputs } from '../contracts/inputs.ts';
import { type Failed, isFailed } from '../contracts/outcomes.ts';
import { noticeId } from '../instance-ids.ts';
import { run, steps } from '../steps.ts';
import type { Delivery } from './deliver-notification.ts';
import { firstLine } from './tell.ts';

/** Looks at the custody of a security domain; what was told lately is neither told nor published again. */
export function* watchCustody(
  context: OrchestrationContext,
): Generator<Task, { kind: 'watched'; alarms: string[] } | { kind: 'sharedWith'; hsm: string } | Failed, unknown> {
  const { hsm } = context.df.getInput<OrchestrationInputs['watchCustody']>();
  const watched = yield* steps(context).lookAtCustody({ hsm });
  if (isFailed(watched) || watched.kind === 'sharedWith') return watched;
  const { securityDomain, at } = watched;
  const alarms: string[] = [];
  for (const { due, event } of watched.alarms) {
    const { id, notice, repeatAfter } = due;
    const delivery = yield* run<Delivery, 'deliverNotification'>(
      context,
      'deliverNotification',
      { id, notice, repeatAfter },
      noticeId(context.df.instanceId, id),
    );
    alarms.push(id);
    if (delivery.kind === 'toldRecently' || event === undefined) continue;
    try {
      yield* steps(context).publishCustodyAlarm({ hsm, securityDomain, at, ...event });
    } catch (spent) {
      // People have been told; a topic that is down must not hide the next alarm.
      if (!context.df.isReplaying) context.warn(`the event ${event.alarm} was given up: ${firstLine(spent)}`);
    }
  }
  return { kind: 'watched', alarms };
}
