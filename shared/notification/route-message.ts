import type { Owners } from '../policy/document.ts';
import { looksLikeMail } from '../policy/key-tags.ts';
import { oneLine } from './clean.ts';
import type { Message } from './message.ts';
import type { Notice } from './notice.ts';

/**
 * Who is told: those whom the key's rule names; the fallback as well when it is critical, and the fallback alone when
 * nobody usable is named or no key is concerned. Each address once, whatever its case, as first written.
 */
export function routeMessage(message: Pick<Message, 'severity'>, notice: Notice, { fallback }: Owners): string[] {
  const named = 'notify' in notice ? distinct(notice.notify?.notify ?? []) : [];
  if (named.length === 0) return distinct(fallback);
  return message.severity === 'critical' ? distinct([...named, ...fallback]) : named;
}

/** An address that could not stand in a header is nobody's: it is left out, never repaired into somebody else's. */
function distinct(addresses: readonly string[]): string[] {
  const usable = addresses.map((address) => address.trim()).filter(isUsable);
  return [...new Map(usable.toReversed().map((address) => [address.toLowerCase(), address])).values()].toReversed();
}

const isUsable = (address: string): boolean => looksLikeMail(address) && oneLine(address, address.length) === address;
