import type { OrchestrationContext, Task } from 'durable-functions';
import type { ActivityInput, OrchestrationInputs } from '../contracts/inputs.ts';
import { isFailed } from '../contracts/outcomes.ts';
import { type Step, steps } from '../steps.ts';

interface Told {
  kind: 'told';
  delivered: string[];
  undelivered: string[];
}

export type Delivery = Told | { kind: 'toldRecently'; on: string };

/** One notice to everybody whom it concerns, each with retries of their own. Never fails its caller. */
export function* deliverNotification(context: OrchestrationContext): Generator<Task, Delivery, unknown> {
  const delivery: Told = { kind: 'told', delivered: [], undelivered: [] };
  try {
    return yield* deliver(context, delivery);
  } catch (spent) {
    // The state account has been away for longer than the retries. What came of it so far is the answer.
    if (!context.df.isReplaying) context.error(`a notice was not delivered whole: ${String(spent)}`);
    return delivery;
  }
}

function* deliver(context: OrchestrationContext, delivery: Told): Step<Delivery> {
  const { routeNotice, queueNotice, settleNotice } = steps(context);
  const { id, notice, repeatAfter, again } = context.df.getInput<OrchestrationInputs['deliverNotification']>();
  const routed = again
    ? { kind: 'routed' as const, recipients: again.to, webhooks: false, ...roundOf(again) }
    : yield* routeNotice({ id, notice, ...(repeatAfter === undefined ? {} : { repeatAfter }) });
  if (isFailed(routed)) return delivery;
  if (routed.kind === 'toldRecently') return routed;

  const { delivered, undelivered } = delivery;
  const round = roundOf(routed);
  if (routed.webhooks) {
    // Before the mails, whose retries take a while. What is in an outbox counts as handed over.
    const queued = yield* queueNotice({ id, notice, ...round });
    if (!isFailed(queued)) delivered.push(...queued.webhooks.map((name) => `webhook ${name}`));
  }
  for (const to of routed.recipients) {
    const sent = yield* sendPatiently(context, { id, notice, to, ...round });
    (sent ? delivered : undelivered).push(to);
  }
  // Instances of builds that knew no webhooks go on with what they asked then.
  const kept = routed.webhooks !== undefined && undelivered.length > 0 ? { notice, ...round } : {};
  yield* settleNotice({ id, delivered, undelivered, ...kept });
  return delivery;
}

const roundOf = ({ lastToldOn }: { lastToldOn?: string }) => (lastToldOn === undefined ? {} : { lastToldOn });

/** A mail that cannot be handed over is a fact to record, not a reason to lose the notices of the others. */
function* sendPatiently(context: OrchestrationContext, mail: ActivityInput<'sendMail'>): Step<boolean> {
  try {
    return !isFailed(yield* steps(context).sendMail(mail));
  } catch (spent) {
    if (!context.df.isReplaying) context.warn(`mail to a recipient of ${mail.id} was given up: ${String(spent)}`);
    return false;
  }
}
