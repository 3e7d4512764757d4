import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import type { CreationSlots } from '../../ports/creation-slots.ts';
import type { Documents } from '../../ports/documents.ts';

/** One document for each HSM: the reservations that still matter. */
interface SlotDocument {
  schema: 1;
  slots: Slot[];
}

interface Slot {
  holder: string;
  /** ISO instant. */
  at: string;
}

/** One creation a second. https://learn.microsoft.com/azure/key-vault/managed-hsm/scaling-guidance */
const SPACING_MS = 1000;
/** A reservation is remembered so long after its instant, so that a repeat of its holder's step gets it again. */
const REMEMBERED_MS = 600_000;
const RACES = 30;

/** Creation slots in the `state` container, by compare-and-swap: instances need no other agreement. */
export function createCreationSlots(documents: Documents): CreationSlots {
  /** The last call for each HSM: calls of one instance wait for each other, so that only instances race. */
  const turns = new Map<string, Promise<unknown>>();
  return {
    reserve(hsm, holder, now) {
      const mine = () => reserveSlot(documents, hsm, holder, now);
      const turn = (turns.get(hsm) ?? Promise.resolve()).then(mine, mine);
      turns.set(hsm, turn);
      return turn;
    },
  };
}

async function reserveSlot(documents: Documents, hsm: string, holder: string, now: Date): Promise<{ at: string }> {
  const path = `creation-slots/${hsm}.json`;
  for (let round = 0; round < RACES; round++) {
    const found = await documents.read<SlotDocument>('state', path);
    const slots = found?.value.slots ?? [];
    const given = slots.find((slot) => slot.holder === holder);
    if (given) return { at: given.at };
    const added = nextSlot(slots, holder, now);
    const next: SlotDocument = { schema: 1, slots: [...slots.filter(({ at }) => isRemembered(at, now)), added] };
    const written = found
      ? await documents.replace('state', path, next, found.etag)
      : await documents.create('state', path, next);
    if (typeof written === 'object') return { at: added.at };
    await pause(randomInt(5, 50));
  }
  throw new AppError('ERR_THROTTLED', `Too many creations on ${hsm} are being planned at once.`, {
    nextStep: 'Nothing to do: it is tried again.',
  });
}

/** The first free instant from `now` on, a second after the last one given out. */
function nextSlot(slots: Slot[], holder: string, now: Date): Slot {
  const last = Math.max(...slots.map(({ at }) => Date.parse(at) + SPACING_MS), now.getTime());
  return { holder, at: new Date(last).toISOString() };
}

const isRemembered = (at: string, now: Date): boolean => Date.parse(at) > now.getTime() - REMEMBERED_MS;
