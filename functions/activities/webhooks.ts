import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { outboxPath, type Queued, startRelay } from './outbox.ts';
import { keepUndelivered } from './undelivered.ts';

/** So many calls are handed to relays in one turn; the rest waits for the next. */
const MOST_RELAYS = 200;

export const webhookActivities = (world: World) =>
  ({
    /** Starts a relay for every call that waits and has none. Whatever crashed before is found here. */
    async startRelays(_, { starter }) {
      let [waiting, started] = [0, 0];
      for await (const path of world.documents.list('state', 'outbox/')) {
        const [, webhook, file] = path.split('/');
        if (webhook === undefined || file === undefined) continue;
        waiting += 1;
        if (started >= MOST_RELAYS) break;
        if ((await startRelay(starter, webhook, file.replace(/\.json$/, ''))) === 'started') started += 1;
      }
      return { kind: 'started', started, waiting };
    },

    async sendWebhook({ webhook, message }) {
      const queued = (await world.documents.read<Queued>('state', outboxPath(webhook, message)))?.value;
      if (!queued) return { kind: 'gone' };
      await world.webhooks.call(webhook, { id: message, body: queued.body });
      return { kind: 'sent' };
    },

    /** Takes a call out of the outbox; one that was given up is kept first, so that a crash between loses nothing. */
    async settleWebhook({ webhook, message, undelivered }) {
      const path = outboxPath(webhook, message);
      if (undelivered) {
        const queued = (await world.documents.read<Queued>('state', path))?.value;
        if (queued) await keepUndelivered(world, { channel: 'webhook', queued, ...undelivered });
      }
      await world.documents.remove('state', path);
      return { kind: 'settled' };
    },
  }) satisfies Partial<ActivityHandlers>;
