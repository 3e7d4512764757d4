import type { RotationRule } from '../policy/rule.ts';
import { addDuration, subtractDuration } from '../time.ts';
import { jitterOffset } from './jitter.ts';

export interface Due {
  on: Date;
  reason: 'NearExpiry' | 'MaximumAge';
}

/** What dueness depends on. Without a version the jitter is unknown, and the latest instant it could leave is taken. */
export interface DueFacts {
  hsm: string;
  name: string;
  version?: string;
  createdOn: string;
  expiresOn?: string;
}

/** When a version becomes due, by expiry or by age, whichever is first; undefined when neither ever makes it due. */
export function dueOn(facts: DueFacts, rule: RotationRule): Due | undefined {
  const jitter = facts.version === undefined ? 0 : jitterOffset(facts.hsm, facts.name, facts.version, rule.jitter);
  const earlier = (instant: Date) => new Date(instant.getTime() - jitter);
  const byExpiry: Due | undefined =
    facts.expiresOn === undefined
      ? undefined
      : { on: earlier(subtractDuration(new Date(facts.expiresOn), rule.before)), reason: 'NearExpiry' };
  const byAge: Due | undefined =
    rule.maximumAge === undefined
      ? undefined
      : { on: earlier(addDuration(new Date(facts.createdOn), rule.maximumAge)), reason: 'MaximumAge' };
  if (byExpiry === undefined || byAge === undefined) return byExpiry ?? byAge;
  return byAge.on < byExpiry.on ? byAge : byExpiry;
}
