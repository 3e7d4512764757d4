import { composeMessage } from '../../shared/notification/compose-message.ts';
import type { ComposeContext } from '../../shared/notification/notice.ts';
import { renderHtml } from '../../shared/notification/render-html.ts';
import { renderText } from '../../shared/notification/render-text.ts';
import { routeMessage } from '../../shared/notification/route-message.ts';
import { concerning, noticePayload } from '../../shared/notification/webhook-payload.ts';
import { addDuration } from '../../shared/time.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { queueCalls, startRelay } from './outbox.ts';
import { policyInForce } from './policy-in-force.ts';
import { hex, utf8 } from './text.ts';
import { forgetUndelivered, keepUndelivered, safeName, undeliveredMailId } from './undelivered.ts';

/** One notice as it stands: who has had it, and when it may be told again. */
interface NoticeRecord {
  schema: 1;
  id: string;
  /** Absent while nobody has had it. */
  lastToldOn?: string;
  sent: Record<string, string>;
  undelivered: string[];
}

const path = (id: string) => `notices/${safeName(id)}.json`;

export const notificationActivities = (world: World) =>
  ({
    /** Who is told, or that the same was told recently and still holds. */
    async routeNotice({ id, notice, repeatAfter }) {
      const told = (await world.documents.read<NoticeRecord>('state', path(id)))?.value;
      if (told?.lastToldOn !== undefined) {
        const again = repeatAfter === undefined ? undefined : addDuration(new Date(told.lastToldOn), repeatAfter);
        if (again === undefined || again > world.clock.now()) return { kind: 'toldRecently', on: told.lastToldOn };
      }
      const { policy } = await policyInForce(world);
      const message = composeMessage(notice, contextOf(world));
      return {
        kind: 'routed',
        recipients: routeMessage(message, notice, policy.owners),
        ...(told?.lastToldOn === undefined ? {} : { lastToldOn: told.lastToldOn }),
        webhooks: world.webhooks.names.length > 0,
      };
    },

    /** Into the outboxes of the webhooks that want it, and their relays are started; those that are not, a timer finds. */
    async queueNotice({ id, notice, lastToldOn }, { starter }) {
      const message = composeMessage(notice, contextOf(world));
      const { hsm } = concerning(notice);
      const { severity } = message;
      const what = { kind: 'notice', type: notice.kind, severity, ...(hsm === undefined ? {} : { hsm }) } as const;
      const fact = [id, ...(lastToldOn === undefined ? [] : [lastToldOn])];
      const { policy } = await policyInForce(world);
      const payload = noticePayload(world.installation, id, notice, message);
      const queued = await queueCalls(world, policy.owners, what, fact, payload);
      for (const each of queued) await startRelay(starter, each.webhook, each.message);
      return { kind: 'queued', webhooks: queued.map(({ webhook }) => webhook) };
    },

    /**
     * Hands one mail over. A crash between handing over and recording makes it go out again: with the same Message-ID, by
     * which mail systems know a repeat. What is told again a week later has another one, or they would swallow it.
     */
    async sendMail({ id, notice, to, lastToldOn }) {
      const message = composeMessage(notice, contextOf(world));
      const digest = world.crypto.digest('SHA-256', utf8([id, to, ...(lastToldOn ? [lastToldOn] : [])].join(' ')));
      await world.mailer.send({
        messageId: `${hex(digest).slice(0, 32)}@${world.installation}.managed-hsm-lifecycle`,
        to: [to],
        subject: message.subject,
        text: renderText(message),
        html: renderHtml(message),
        headers: {
          'X-Mhsm-Installation': world.installation,
          'X-Mhsm-Notice': notice.kind,
          'X-Mhsm-Severity': message.severity,
        },
      });
      return { kind: 'sent' };
    },

    async settleNotice({ id, delivered, undelivered, notice, lastToldOn: round }) {
      const now = world.clock.now().toISOString();
      const before = (await world.documents.read<NoticeRecord>('state', path(id)))?.value;
      const sent = { ...before?.sent, ...Object.fromEntries(delivered.map((to) => [to, now])) };
      const lastToldOn = delivered.length > 0 ? now : before?.lastToldOn;
      const record: NoticeRecord = {
        schema: 1,
        id,
        ...(lastToldOn === undefined ? {} : { lastToldOn }),
        sent,
        undelivered,
      };
      await world.documents.put('state', path(id), record);
      if (undelivered.length === 0) await forgetUndelivered(world, undeliveredMailId(id));
      else if (notice) {
        await keepUndelivered(world, {
          channel: 'mail',
          notice: id,
          told: notice,
          to: undelivered,
          ...(round === undefined ? {} : { lastToldOn: round }),
          why: 'The mail system did not take it.',
          nextStep: 'Look at the mail system and at the addresses, then send it again.',
        });
      }
      return { kind: 'settled' };
    },
  }) satisfies Partial<ActivityHandlers>;

const contextOf = ({ installation, hsms }: World): ComposeContext => ({
  installation,
  hsmUris: Object.fromEntries(hsms.map(({ name, uri }) => [name, uri])),
});
