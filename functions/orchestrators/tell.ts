import type { OrchestrationContext } from 'durable-functions';
import { canonicalName, type KeyRef } from '../../shared/keys/key.ts';
import type { Notice, NoticeKey } from '../../shared/notification/notice.ts';
import type { Refusal, Reminder } from '../../shared/rotation/decision.ts';
import type { ActivityInput } from '../contracts/inputs.ts';
import { type Compared, type Failed, type Inspected, isFailed, type Proof } from '../contracts/outcomes.ts';
import { noticeId } from '../instance-ids.ts';
import { run, type Step, steps } from '../steps.ts';
import type { Delivery } from './deliver-notification.ts';
import type { NewVersion } from './finish-version.ts';

/** What there is to tell about a key, in the words of the orchestrations. */
export type Telling =
  | { kind: 'rotated'; made: NewVersion; compared: Compared; proof: Proof }
  | { kind: 'notCounted'; made: NewVersion; compared: Compared; proof: Proof; refusal: Refusal }
  | { kind: 'refused'; seen: Inspected; decision: Refusal }
  | { kind: 'reminder'; seen: Inspected; decision: Reminder }
  | { kind: 'failed'; version: string; failed: Failed; seen?: Inspected };

/** While the same still holds, it is told again after so long: often enough to be heard, seldom enough to be read. */
const REPEAT = { refused: 'P7D', reminder: 'P7D', failed: 'P1D' } as const;

/** Tells the owner, and publishes what went wrong. The same fact is told once, or once in a while; never fails its caller. */
export function* tell(context: OrchestrationContext, key: KeyRef, telling: Telling): Step<void> {
  const at = context.df.currentUtcDateTime.toISOString();
  const { id, notice } = asNotice(key, telling, at);
  const repeatAfter = telling.kind in REPEAT ? { repeatAfter: REPEAT[telling.kind as keyof typeof REPEAT] } : {};
  const delivery = yield* run<Delivery, 'deliverNotification'>(
    context,
    'deliverNotification',
    { id, notice, ...repeatAfter },
    noticeId(context.df.instanceId, telling.kind),
  );
  if (delivery.kind === 'toldRecently') return;
  if (telling.kind === 'refused') {
    const { facts } = telling.seen;
    const expiresOn = facts.expiresOn === undefined ? {} : { expiresOn: facts.expiresOn };
    const detail = { reason: telling.decision.reason };
    const { version } = facts;
    yield* publishIfPossible(context, { key, type: 'KeyRotationRefused', version, at, ...expiresOn, detail });
  }
  if (telling.kind === 'failed') {
    const detail = { reason: telling.failed.code };
    yield* publishIfPossible(context, { key, type: 'KeyRotationFailed', version: telling.version, at, detail });
  }
}

/**
 * Publishes a fact, or says why it could not be: people have been told, and a topic that is down must neither hide the fault
 * that is being told nor undo what was done.
 */
export function* publishIfPossible(
  context: OrchestrationContext,
  fact: ActivityInput<'publishKeyFact'>,
): Step<string | undefined> {
  try {
    const published = yield* steps(context).publishKeyFact(fact);
    if (!isFailed(published)) return undefined;
    return `The event ${fact.type} was not published. ${published.message} ${published.nextStep}`;
  } catch (spent) {
    if (!context.df.isReplaying) context.warn(`the event ${fact.type} was given up: ${firstLine(spent)}`);
    return `The event ${fact.type} was not published: ${firstLine(spent)}`;
  }
}

/** A fault that outlived its retries: told before it is thrown on, so that the instance shows Failed and somebody knows. */
export function* tellFault(context: OrchestrationContext, key: KeyRef, version: string, fault: unknown): Step<void> {
  yield* tell(context, key, { kind: 'failed', version, failed: spentRetries(fault) });
}

/** What is told of a fault that every retry met. */
export const spentRetries = (fault: unknown): Failed => ({
  kind: 'failed',
  code: 'ERR_TRANSIENT',
  message: firstLine(fault),
  nextStep:
    'Nothing at once: the next sweep tries again. If this is told again tomorrow, look at the health of the HSM and of the app.',
});

function asNotice(key: KeyRef, telling: Telling, at: string): { id: string; notice: Notice } {
  const named = `${key.hsm}-${canonicalName(key)}`;
  switch (telling.kind) {
    case 'rotated': {
      const { made, compared, proof } = telling;
      const { version, by, reason, explanation, warnings } = made;
      return {
        id: `rotated-${named}-${version}`,
        notice: {
          kind: 'KeyRotated',
          ...about(key, made.seen, at, compared.facts.expiresOn),
          version,
          ...(made.previous === undefined ? {} : { previous: made.previous }),
          by,
          reason,
          explanation,
          proof: proof.verdict === 'proven' ? 'proven' : 'unproven',
          proofExplanation: proof.explanation,
          checks: proof.checks,
          differences: compared.differences,
          warnings: [...warnings, ...made.seen.effective.notes],
        },
      };
    }
    case 'notCounted': {
      const { made, compared, proof, refusal } = telling;
      return {
        id: `not-counted-${named}-${made.version}`,
        notice: {
          kind: 'RotationNotCounted',
          ...about(key, made.seen, at, compared.facts.expiresOn),
          version: made.version,
          ...(made.previous === undefined ? {} : { previous: made.previous }),
          refusal,
          checks: proof.checks,
          differences: compared.differences,
        },
      };
    }
    case 'refused': {
      const { seen, decision } = telling;
      return {
        id: `refused-${named}-${seen.facts.version}-${decision.reason}`,
        notice: {
          kind: 'RotationRefused',
          ...about(key, seen, at, seen.facts.expiresOn),
          version: seen.facts.version,
          expired: hasExpired(seen, at),
          refusal: decision,
        },
      };
    }
    case 'reminder': {
      const { seen, decision } = telling;
      return {
        id: `reminder-${named}-${seen.facts.version}`,
        notice: {
          kind: 'RotationReminder',
          ...about(key, seen, at, seen.facts.expiresOn),
          version: seen.facts.version,
          expired: hasExpired(seen, at),
          reminder: decision,
        },
      };
    }
    case 'failed': {
      const { version, failed, seen } = telling;
      const { code, message, nextStep, denial } = failed;
      return {
        id: `failed-${named}-${version}-${code}`,
        notice: {
          kind: 'RotationFailed',
          ...about(key, seen, at, seen?.facts.expiresOn),
          version,
          failure: { code, message, nextStep, ...(denial ? { denial } : {}) },
        },
      };
    }
  }
}

function about(key: KeyRef, seen: Inspected | undefined, at: string, expiresOn: string | undefined) {
  const known: NoticeKey = {
    ...key,
    ...(seen ? { keyType: seen.facts.keyType, tags: seen.facts.tags } : {}),
    ...(expiresOn === undefined ? {} : { expiresOn }),
  };
  return { at, key: known, notify: seen?.effective.rule.notice ?? { notify: [] } };
}

const hasExpired = ({ facts }: Inspected, at: string): boolean =>
  facts.expiresOn !== undefined && facts.expiresOn <= at;

/** What the engine reports starts with the message and goes on with the details of the exception. */
export const firstLine = (fault: unknown): string =>
  (fault instanceof Error ? fault.message : String(fault)).split('\n')[0]?.trim() ?? '';
