import type { OrchestrationContext } from 'durable-functions';
import type { Step } from '../steps.ts';
import { firstLine } from './tell.ts';

/**
 * What to tell, from an activity that publishes an event before it answers. A topic that is down must neither keep it from
 * people nor undo what was done: when the retries are spent it is asked for without the event, and given up after that.
 */
export function* toldAnyway<T>(
  context: OrchestrationContext,
  describe: (more: { withoutEvent?: true }) => Step<T>,
): Step<T | undefined> {
  try {
    return yield* describe({});
  } catch (spent) {
    if (!context.df.isReplaying) context.warn(`an event was given up: ${firstLine(spent)}`);
  }
  try {
    return yield* describe({ withoutEvent: true });
  } catch (spent) {
    if (!context.df.isReplaying) context.warn(`a notice was given up: ${firstLine(spent)}`);
    return undefined;
  }
}
