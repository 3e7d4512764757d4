import type { Tags } from '../keys/key.ts';
import { addDuration, parseDay, parseDuration, parseInstant, toIso } from '../time.ts';
import type { Hold, RotationRule } from './rule.ts';

/** What a key's tags ask for, as far as they can be read. */
export interface TagWishes {
  before?: string;
  mode?: RotationRule['mode'];
  modeTag?: 'rotate' | 'origin';
  hold?: Hold;
  class?: string;
  owner?: string;
  notify?: string[];
  notes: string[];
}

const MAIL = /^[^\s@<>,;"]+@[^\s@<>,;"]+\.[^\s@<>,;"]+$/;

/** Loose on purpose: the mail system decides, and a mistaken refusal would leave an owner without word. */
export const looksLikeMail = (text: string): boolean => text.length <= 254 && MAIL.test(text);

/** Reads the tags that carry policy; their names compare without case. What cannot be read becomes a note. Never throws. */
export function readTags(tags: Tags): TagWishes {
  const [className, owner] = [tagValue(tags, 'class'), tagValue(tags, 'owner')];
  const wishes: TagWishes = {
    ...(className === undefined ? {} : { class: className }),
    ...(owner === undefined ? {} : { owner }),
    notes: [],
  };
  for (const [name, read] of READERS) {
    const value = tagValue(tags, name);
    if (value !== undefined) read(wishes, value);
  }
  return wishes;
}

type Reader = (wishes: TagWishes, value: string) => void;

/** In this order: `origin` yields to `rotate = off`, because a key that is left alone is not reminded of either. */
const READERS: readonly (readonly [string, Reader])[] = [
  ['rotate-before', readBefore],
  ['rotate', readMode],
  ['origin', readOrigin],
  ['hold', readHold],
  ['notify', readNotify],
];

function tagValue(tags: Tags, wanted: string): string | undefined {
  const name = Object.hasOwn(tags, wanted)
    ? wanted
    : Object.keys(tags).find((tag) => tag.trim().toLowerCase() === wanted);
  const value = name === undefined ? undefined : String(tags[name]).trim();
  return value === '' ? undefined : value;
}

function readBefore(wishes: TagWishes, value: string): void {
  if (parseDuration(value.toUpperCase()) === undefined) {
    wishes.notes.push(`Tag rotate-before is no ISO 8601 duration and was ignored: ${quoted(value)}. Example: P30D.`);
  } else {
    wishes.before = value.toUpperCase();
  }
}

function readMode(wishes: TagWishes, value: string): void {
  const mode = value.toLowerCase();
  if (mode === 'off' || mode === 'remind') {
    wishes.mode = mode;
    wishes.modeTag = 'rotate';
  } else {
    wishes.notes.push(`Tag rotate is neither off nor remind and was ignored: ${quoted(value)}.`);
  }
}

function readOrigin(wishes: TagWishes, value: string): void {
  if (value.toLowerCase() !== 'imported' || wishes.mode !== undefined) return;
  wishes.mode = 'remind';
  wishes.modeTag = 'origin';
}

/** A hold that cannot be read still holds: whoever wrote it wanted the key left alone. A bare day holds to its end in UTC. */
function readHold(wishes: TagWishes, value: string): void {
  const tag = `hold=${shortened(value)}`;
  const word = value.toLowerCase();
  if (word === 'false' || word === 'no') return;
  if (word === 'true' || word === 'yes') {
    wishes.hold = { tag };
    return;
  }
  const day = parseDay(value);
  const until = day === undefined ? parseInstant(value) : new Date(addDuration(day, 'P1D'));
  if (until === undefined) {
    wishes.hold = { tag };
    wishes.notes.push(
      `Tag hold is neither true nor a date, so the key is held until the tag is corrected: ${quoted(value)}.`,
    );
  } else {
    wishes.hold = { tag, until: toIso(until) };
  }
}

function readNotify(wishes: TagWishes, value: string): void {
  const parts = value.split(/[\s,;]+/).filter((part) => part !== '');
  const mails = parts.filter(looksLikeMail);
  for (const part of parts) {
    if (!mails.includes(part))
      wishes.notes.push(`Tag notify names no mail address and was ignored there: ${quoted(part)}.`);
  }
  if (mails.length > 0) wishes.notify = [...new Set(mails)];
}

const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);
const quoted = (text: string): string => JSON.stringify(shortened(text));
