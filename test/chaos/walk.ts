import { expect } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { killAt } from '../e2e/support.ts';

export interface Walk {
  estate: RunningEstate;
  look: Observer;
  /** Ids of the instances whose activities are walked: timers of the app may do other work meanwhile. */
  instances: RegExp;
  /** Asks for the work once; called anew for each walk, and repeated while the host is down. */
  begin(): Promise<void>;
  /** Goes on with what needs a person; called whenever the app waits for time, until nothing is under way. */
  accompany?(): Promise<void>;
  /** What must hold after the work was done once more. */
  holds(round: number): void | Promise<void>;
  /** Instances that may go on when a round is over: they wait for people. */
  except?: RegExp;
}

/**
 * Does the work once to learn its activities, then again with the host killed when each of them starts, and again with the
 * host killed when each of them has ended: before and after every effect. After each round everything must hold.
 */
export async function walkEveryStep(walk: Walk): Promise<string[]> {
  const { estate, look, instances, begin, holds, accompany, except } = walk;
  const activities: string[] = [];
  const stop = estate.onHappening((happening) => {
    if (happening.kind !== 'host' || happening.change.kind !== 'told') return;
    const { message } = happening.change;
    if (message.type !== 'invocation' || message.kind !== 'activity' || activities.includes(message.name)) return;
    if (!instances.test(message.instanceId ?? '')) return;
    activities.push(message.name);
  });
  const finish = async () => {
    do {
      await look.still();
      await accompany?.().catch(() => undefined);
    } while (await look.moveOn(except && { except }));
  };
  await begin();
  await finish();
  stop();
  await holds(1);
  for (const [index, phase] of (['start', 'end'] as const).entries()) {
    const killed = killAt(estate, activities, phase);
    await patiently(look, begin);
    await finish();
    await killed.done();
    await finish();
    expect(killed.steps.toSorted(), `killed at the ${phase} of every activity`).toEqual(activities.toSorted());
    await holds(index + 2);
  }
  return activities;
}

/** A request to a host that is being killed may get no answer: it is sent again, as any client would. */
export async function patiently(look: Observer, act: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      if (attempt === 50) throw error;
      await look.pause(150);
    }
  }
}
