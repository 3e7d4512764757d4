import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import type { HsmSettings } from '../../shared/config.ts';
import { judgeKeyEvent } from '../../shared/events/judge-key-event.ts';
import { createLog } from '../../shared/log.ts';
import { rotationId } from '../instance-ids.ts';
import { createStarter } from '../start-once.ts';

export interface EventRules {
  hsms: HsmSettings[];
  /** Resource ids that may send key events, beside those of the HSMs. */
  sources: string[];
}

/**
 * The one handler behind both event doors. Events are hints at least once, in any order and from anywhere: what is not
 * accepted has no effect and says why in the log; what is accepted starts the path that looks at the key again.
 */
export const onKeyEvent = (rules: EventRules) => async (event: unknown, context: InvocationContext) => {
  const log = createLog(context);
  const verdict = judgeKeyEvent(event, rules);
  if (verdict.kind === 'ignored') {
    log.warn('KeyEventIgnored', { reason: verdict.reason, explanation: verdict.explanation });
    return;
  }
  const key = { hsm: verdict.hsm, name: verdict.name };
  const outcome = await createStarter(df.getClient(context)).startOnce(
    'rotateKey',
    rotationId(key, verdict.version),
    {
      key,
      version: verdict.version,
      cause: { kind: 'Event', eventId: verdict.eventId, eventType: verdict.eventType },
    },
    ['rotated'],
  );
  log.info('KeyEventAccepted', { ...key, version: verdict.version, eventId: verdict.eventId, outcome });
};
