import type { OrchestrationContext, Task } from 'durable-functions';
import type { OrchestrationInputs } from '../contracts/inputs.ts';
import { isFailed } from '../contracts/outcomes.ts';
import { type Step, steps } from '../steps.ts';
import { firstLine } from './tell.ts';

type Relayed = { kind: 'delivered' | 'gone' } | { kind: 'undelivered'; why: string; nextStep: string };

/** One call to one webhook, tried over hours, and then kept for a person to have it sent again. */
export function* relayWebhook(context: OrchestrationContext): Generator<Task, Relayed, unknown> {
  const { webhook, message } = context.df.getInput<OrchestrationInputs['relayWebhook']>();
  const relayed = yield* send(context, webhook, message);
  if (relayed.kind === 'gone') return relayed;
  const undelivered =
    relayed.kind === 'undelivered' ? { undelivered: { why: relayed.why, nextStep: relayed.nextStep } } : {};
  yield* steps(context).settleWebhook({ webhook, message, ...undelivered });
  return relayed;
}

function* send(context: OrchestrationContext, webhook: string, message: string): Step<Relayed> {
  try {
    const sent = yield* steps(context).sendWebhook({ webhook, message });
    if (isFailed(sent)) return { kind: 'undelivered', why: sent.message, nextStep: sent.nextStep };
    return { kind: sent.kind === 'gone' ? 'gone' : 'delivered' };
  } catch (spent) {
    return {
      kind: 'undelivered',
      why: firstLine(spent),
      nextStep: 'Look at the receiver, then send it again: POST /api/notifications/{id}/redelivery.',
    };
  }
}
