import { createVerifier } from '../../shared/journal/verify.ts';
import { hex, utf8 } from '../activities/text.ts';
import type { World } from '../world.ts';

/** Walks the whole chain in a stream. The same walk runs offline: `npm run journal:verify`. */
export async function verifyJournal(world: World) {
  const verifier = createVerifier((text) => hex(world.crypto.digest('SHA-256', utf8(text))));
  for await (const { blob, line } of world.journal.lines()) {
    if (!verifier.feed(blob, line)) break;
  }
  return { status: 200, body: verifier.finish() };
}
