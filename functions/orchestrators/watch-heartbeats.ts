import type { OrchestrationContext, Task } from 'durable-functions';
import { type Failed, isFailed } from '../contracts/outcomes.ts';
import { noticeId } from '../instance-ids.ts';
import { run, steps } from '../steps.ts';
import type { Delivery } from './deliver-notification.ts';
import { firstLine } from './tell.ts';

/** Tells what has fallen silent, and what speaks again; remembers what it saw once all is told. */
export function* watchHeartbeats(
  context: OrchestrationContext,
): Generator<Task, { kind: 'watched'; alarms: string[] } | Failed, unknown> {
  const { lookAtHeartbeats, publishHeartbeatMissed, rememberHeartbeats } = steps(context);
  const looked = yield* lookAtHeartbeats({});
  if (isFailed(looked)) return looked;
  const alarms: string[] = [];
  for (const { due, event } of looked.alarms) {
    const { id, notice, repeatAfter } = due;
    const instance = noticeId(context.df.instanceId, id);
    const input = { id, notice, repeatAfter };
    const delivery = yield* run<Delivery, 'deliverNotification'>(context, 'deliverNotification', input, instance);
    alarms.push(id);
    if (delivery.kind === 'toldRecently' || event === undefined) continue;
    try {
      yield* publishHeartbeatMissed({ event });
    } catch (spent) {
      // People have been told; a topic that is down must not hide the next alarm.
      if (!context.df.isReplaying) context.warn(`the event of ${id} was given up: ${firstLine(spent)}`);
    }
  }
  yield* rememberHeartbeats({ memory: looked.memory });
  return { kind: 'watched', alarms };
}
