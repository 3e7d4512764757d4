import type { OrchestrationContext, Task } from 'durable-functions';
import type { OrchestrationInputs } from '../contracts.ts';
import { isFailed } from '../outcomes.ts';
import { type Step, steps } from '../steps.ts';

export type Delivery =
  | { kind: 'told'; delivered: string[]; undelivered: string[] }
  | { kind: 'toldRecently'; on: string };

/** One notice to everybody whom it concerns, each with retries of their own. Never fails its caller. */
export function* deliverNotification(context: OrchestrationContext): Generator<Task, Delivery, unknown> {
  const { routeNotice, settleNotice } = steps(context);
  const { id, notice, repeatAfter } = context.df.getInput<OrchestrationInputs['deliverNotification']>();
  const routed = yield* routeNotice({ id, notice, ...(repeatAfter === undefined ? {} : { repeatAfter }) });
  if (isFailed(routed)) return { kind: 'told', delivered: [], undelivered: [] };
  if (routed.kind === 'toldRecently') return routed;

  const delivered: string[] = [];
  const undelivered: string[] = [];
  for (const to of routed.recipients) {
    const sent = yield* sendPatiently(context, id, notice, to);
    (sent ? delivered : undelivered).push(to);
  }
  yield* settleNotice({ id, delivered, undelivered });
  return { kind: 'told', delivered, undelivered };
}

/** A mail that cannot be handed over is a fact to record, not a reason to lose the notices of the others. */
function* sendPatiently(
  context: OrchestrationContext,
  id: string,
  notice: OrchestrationInputs['deliverNotification']['notice'],
  to: string,
): Step<boolean> {
  try {
    return !isFailed(yield* steps(context).sendMail({ id, notice, to }));
  } catch (spent) {
    if (!context.df.isReplaying) context.warn(`mail to a recipient of ${id} was given up: ${String(spent)}`);
    return false;
  }
}
