import type { Notice } from '../../shared/notification/notice.ts';
import type { World } from '../world.ts';
import type { Queued } from './outbox.ts';

/** What did not reach somebody, with all that is needed to send it again. */
export type Undelivered = {
  schema: 1;
  id: string;
  /** When it was given up. */
  since: string;
  why: string;
  nextStep: string;
} & UndeliveredCall;

type UndeliveredCall =
  | { channel: 'webhook'; queued: Queued }
  | {
      channel: 'mail';
      /** Id of the notice. */
      notice: string;
      told: Notice;
      to: string[];
      /** When it was told before: a reminder is a message of its own. */
      lastToldOn?: string;
    };

const FOLDER = 'undelivered/';

export const undeliveredPath = (id: string): string => `${FOLDER}${id}.json`;

/** Names may carry characters that neither a blob path nor a route may. */
export const safeName = (text: string): string => text.replaceAll(/[^0-9A-Za-z._-]/g, '_');

export const undeliveredMailId = (notice: string): string => `mail-${safeName(notice)}`;
export const undeliveredCallId = ({ webhook, message }: Queued): string => `webhook-${webhook}-${message}`;

export async function keepUndelivered(
  { documents, clock }: World,
  call: UndeliveredCall & { why: string; nextStep: string },
): Promise<void> {
  const id = call.channel === 'mail' ? undeliveredMailId(call.notice) : undeliveredCallId(call.queued);
  const record: Undelivered = { schema: 1, id, since: clock.now().toISOString(), ...call };
  await documents.put('state', undeliveredPath(id), record);
}

export const forgetUndelivered = ({ documents }: World, id: string): Promise<void> =>
  documents.remove('state', undeliveredPath(id));

export const readUndelivered = async ({ documents }: World, id: string): Promise<Undelivered | undefined> =>
  (await documents.read<Undelivered>('state', undeliveredPath(id)))?.value;

/** At most `limit` of them, and whether there are more. */
export async function listUndelivered(
  world: World,
  limit: number,
): Promise<{ undelivered: Undelivered[]; more: boolean }> {
  const undelivered: Undelivered[] = [];
  for await (const path of world.documents.list('state', FOLDER)) {
    if (undelivered.length >= limit) return { undelivered, more: true };
    const found = await world.documents.read<Undelivered>('state', path);
    if (found) undelivered.push(found.value);
  }
  return { undelivered, more: false };
}
