import type { EstateClock } from '../clock.ts';
import { inSchema, type TakenEvent } from './events.ts';
import { afterFailure, DEAD_LETTER_DELAY_MS, DEAD_LETTER_PATIENCE_MS } from './retry.ts';
import { type Subscription, wants } from './subscription.ts';

/** Success, or an answer that was none. No status: nothing came back. */
export interface Outcome {
  ok: boolean;
  status?: number;
  detail: string;
}

export interface Attempt extends Outcome {
  /** Estate time. */
  time: string;
}

/** One event on its way to one subscription. */
export interface Delivery {
  subscription: string;
  state: 'pending' | 'delivered' | 'deadLettered' | 'dropped';
  attempts: Attempt[];
  /** Estate time of the next attempt, or of dead-lettering. */
  next?: string;
  reason?: string;
}

/** An event as `GET /events` shows it. */
export interface RecordedEvent extends TakenEvent {
  /** Estate time of the publishing. */
  publishTime: string;
  publisher: string;
  deliveries: Delivery[];
}

/** How the post office treats the mail: set through the control surface. */
export interface Handling {
  /** Each event is delivered this many times more. */
  duplicates: number;
  /** Events of the same moment leave in reverse order. */
  reorder: boolean;
  /** Nothing leaves until this is false again. */
  hold: boolean;
}

export interface Deliveries {
  take(event: TakenEvent, publisher: string): RecordedEvent;
  readonly events: RecordedEvent[];
  handling(change?: Partial<Handling>): Handling;
  /** Takes up every pending delivery again: after a restart, or when a destination has come up. */
  resume(): void;
  restore(events: RecordedEvent[]): void;
  clear(): void;
}

/** Publisher of events that the control surface put in. */
export const CONTROL = 'control';

/** How long events gather before they leave in reverse order, in real milliseconds. */
const GATHER_MS = 150;

/**
 * At-least-once delivery with Event Grid's schedule, in estate time. `send` tries once; `deadLetter` writes the event
 * to its container.
 */
export function createDeliveries(options: {
  clock: EstateClock;
  subscriptions: readonly Subscription[];
  send(subscription: Subscription, body: unknown): Promise<Outcome>;
  deadLetter(subscription: Subscription, body: unknown, recorded: RecordedEvent, delivery: Delivery): Promise<void>;
  onChange(event: RecordedEvent, delivery?: Delivery): void;
}): Deliveries {
  const { clock, subscriptions, send, deadLetter, onChange } = options;
  const events: RecordedEvent[] = [];
  const timers = new Map<Delivery, () => void>();
  const handling: Handling = { duplicates: 0, reorder: false, hold: false };
  let waiting: (() => void)[] = [];
  let gathering: NodeJS.Timeout | undefined;

  const at = (delivery: Delivery, time: Date, act: () => Promise<void>) => {
    delivery.next = time.toISOString();
    timers.get(delivery)?.();
    const run = () => {
      timers.delete(delivery);
      act().catch((error: unknown) => console.error('Event Grid topic:', error));
    };
    timers.set(delivery, clock.at(time, run));
  };

  const bury = async (subscription: Subscription, recorded: RecordedEvent, delivery: Delivery): Promise<void> => {
    delete delivery.next;
    if (subscription.deadLetterContainer === undefined) delivery.state = 'dropped';
    else {
      const body = inSchema(recorded, deliverySchema(subscription, recorded));
      const failure = await deadLetter(subscription, body, recorded, delivery).catch(String);
      const since = clock.now().getTime() - Date.parse(delivery.attempts.at(-1)?.time ?? recorded.publishTime);
      if (failure !== undefined && since < DEAD_LETTER_PATIENCE_MS) {
        const later = new Date(clock.now().getTime() + DEAD_LETTER_DELAY_MS);
        return at(delivery, later, () => bury(subscription, recorded, delivery));
      }
      delivery.state = failure === undefined ? 'deadLettered' : 'dropped';
    }
    onChange(recorded, delivery);
  };

  const attempt = async (subscription: Subscription, recorded: RecordedEvent, delivery: Delivery): Promise<void> => {
    if (delivery.state !== 'pending') return;
    if (handling.hold) return void waiting.push(() => void attempt(subscription, recorded, delivery));
    delete delivery.next;
    const outcome = await send(subscription, inSchema(recorded, deliverySchema(subscription, recorded)));
    const now = clock.now();
    delivery.attempts.push({ time: now.toISOString(), ...outcome });
    if (outcome.ok) {
      delivery.state = 'delivered';
      return onChange(recorded, delivery);
    }
    const step = afterFailure(subscription, {
      ...(outcome.status === undefined ? {} : { status: outcome.status }),
      attempts: delivery.attempts.length,
      ageMs: now.getTime() - Date.parse(recorded.publishTime),
    });
    if (step.kind === 'retry') {
      at(delivery, new Date(now.getTime() + step.afterMs), () => attempt(subscription, recorded, delivery));
    } else {
      delivery.reason = step.reason;
      at(delivery, new Date(now.getTime() + DEAD_LETTER_DELAY_MS), () => bury(subscription, recorded, delivery));
    }
    onChange(recorded, delivery);
  };

  const release = () => {
    gathering = undefined;
    const leaving = handling.reorder ? waiting.reverse() : waiting;
    waiting = [];
    for (const leave of leaving) leave();
  };
  const dispatch = (leave: () => void) => {
    if (!handling.hold && !handling.reorder) return leave();
    waiting.push(leave);
    if (!handling.hold) gathering ??= setTimeout(release, GATHER_MS);
  };
  const start = (recorded: RecordedEvent, delivery: Delivery) => {
    const subscription = subscriptions.find((one) => one.name === delivery.subscription);
    if (!subscription) return;
    const copies = 1 + handling.duplicates;
    // A duplicate is a second delivery of the same event, whatever became of the first.
    dispatch(() => void attempt(subscription, recorded, delivery));
    for (let copy = 1; copy < copies; copy++) {
      const again: Delivery = { subscription: delivery.subscription, state: 'pending', attempts: [] };
      recorded.deliveries.push(again);
      dispatch(() => void attempt(subscription, recorded, again));
    }
  };
  const stopTimers = () => {
    for (const cancel of timers.values()) cancel();
    timers.clear();
  };

  return {
    events,
    take(event, publisher) {
      const deliveries = subscriptions
        .filter((one) => wants(one, event))
        .map((one): Delivery => ({ subscription: one.name, state: 'pending', attempts: [] }));
      const recorded: RecordedEvent = { ...event, publishTime: clock.now().toISOString(), publisher, deliveries };
      events.push(recorded);
      onChange(recorded);
      // After the answer to the publisher: Event Grid accepts first and delivers later.
      setImmediate(() => {
        for (const delivery of [...deliveries]) start(recorded, delivery);
      });
      return recorded;
    },
    handling(change = {}) {
      const wasHeld = handling.hold;
      Object.assign(handling, change);
      if (wasHeld && !handling.hold) release();
      return { ...handling };
    },
    resume() {
      stopTimers();
      for (const recorded of events) {
        for (const delivery of recorded.deliveries.filter((one) => one.state === 'pending')) {
          const subscription = subscriptions.find((one) => one.name === delivery.subscription);
          if (!subscription) continue;
          const due = delivery.next === undefined ? clock.now() : new Date(delivery.next);
          at(delivery, due, () => (delivery.reason ? bury : attempt)(subscription, recorded, delivery));
        }
      }
    },
    restore(saved) {
      stopTimers();
      events.splice(0, events.length, ...saved);
    },
    clear() {
      stopTimers();
      clearTimeout(gathering);
      waiting = [];
      events.splice(0);
      Object.assign(handling, { duplicates: 0, reorder: false, hold: false });
    },
  };
}

/** Foreign events put in through the control surface keep their schema: a vault's own topic would send them so. */
const deliverySchema = (subscription: Subscription, recorded: RecordedEvent) =>
  recorded.publisher === CONTROL ? recorded.schema : subscription.schema;
