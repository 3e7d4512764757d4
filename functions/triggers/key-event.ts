import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import type { HsmSettings } from '../../shared/config.ts';
import { judgeKeyEvent } from '../../shared/events/judge-key-event.ts';
import { createLog, type Log } from '../../shared/log.ts';
import { rotationId } from '../instance-ids.ts';
import { createStarter, type Starter } from '../start-once.ts';

export interface EventRules {
  hsms: HsmSettings[];
  /** Resource ids that may send key events, beside those of the HSMs. */
  sources: string[];
}

/** The one handler behind both event doors. */
export const onKeyEvent = (rules: EventRules) => (event: unknown, context: InvocationContext) =>
  takeKeyEvent(rules, event, createStarter(df.getClient(context)), createLog(context));

/**
 * Events are hints at least once, in any order and from anywhere: what is not accepted has no effect and says why in the
 * log; what is accepted starts the path that looks at the key again.
 */
export async function takeKeyEvent(rules: EventRules, event: unknown, starter: Starter, log: Log): Promise<void> {
  const verdict = judgeKeyEvent(event, rules);
  if (verdict.kind === 'ignored') {
    log.warn('KeyEventIgnored', { reason: verdict.reason, explanation: verdict.explanation });
    return;
  }
  const { version, eventId, eventType } = verdict;
  const key = { hsm: verdict.hsm, name: verdict.name };
  const cause = { kind: 'Event' as const, eventId, eventType };
  const outcome = await starter.startOnce('rotateKey', rotationId(key, version), { key, version, cause }, ['rotated']);
  log.info('KeyEventAccepted', { ...key, version, eventId, outcome });
}
