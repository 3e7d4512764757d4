import type { LifecycleEvent } from '../events/lifecycle-event.ts';

/** Publishes facts to the Event Grid topic. Throws ERR_TRANSIENT, ERR_DENIED, ERR_REFUSED_BY_SERVICE. */
export interface EventPublisher {
  publish(events: LifecycleEvent[]): Promise<void>;
}
