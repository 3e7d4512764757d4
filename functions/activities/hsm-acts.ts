import type { JournalEntry } from '../../shared/journal/entry.ts';
import type { World } from '../world.ts';

export interface HsmAct {
  /** `hsm.backup`, `hsm.restore`, `backup.copy`, … */
  act: string;
  duty: keyof World['identities'];
  hsm: string;
  target: string;
  instance: string;
  cause: string;
  /** HSM calls by operation class, at most. */
  count?: Record<string, number>;
  /** How long log rows may match, in minutes. */
  lastsMinutes?: number;
  step?: string;
  detail?: NonNullable<JournalEntry['detail']>;
}

/** Clocks of the HSM, the log and this app may differ by so much on either side. */
const SKEW_MS = 5 * 60_000;

/** As `announce` for acts on a key: the intent before an act on an HSM as a whole, and how to write its outcome. */
export async function announceOnHsm(world: World, act: HsmAct) {
  const id = [act.instance, act.act, ...(act.step === undefined ? [] : [act.step])].join(':');
  const now = world.clock.now();
  const identity = world.identities[act.duty];
  if (!identity) throw new Error(`no identity serves the duty ${act.duty}`);
  const common = {
    class: act.act,
    hsm: act.hsm,
    target: act.target,
    identity,
    cause: act.cause,
    instance: act.instance,
  };
  await world.journal.append({
    ...common,
    id: `${id}:intent`,
    kind: 'intent',
    at: now.toISOString(),
    window: {
      from: new Date(now.getTime() - SKEW_MS).toISOString(),
      to: new Date(now.getTime() + (act.lastsMinutes ?? 15) * 60_000 + SKEW_MS).toISOString(),
    },
    count: act.count ?? {},
    ...(act.detail ? { detail: act.detail } : {}),
  });
  return (result: NonNullable<JournalEntry['result']>, more: NonNullable<JournalEntry['detail']> = {}) =>
    world.journal.append({
      ...common,
      id: `${id}:outcome`,
      kind: 'outcome',
      at: world.clock.now().toISOString(),
      intent: `${id}:intent`,
      result,
      detail: { ...act.detail, ...more },
    });
}
