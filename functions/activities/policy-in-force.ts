import type { PolicyDocument, PolicyFault } from '../../shared/policy/document.ts';
import type { Documents } from '../../shared/ports/documents.ts';
import { lookedAfter } from '../looked-after.ts';
import type { World } from '../world.ts';

export interface PolicyInForce {
  policy: PolicyDocument;
  /** ETag of the document in force; `built in` while there is none. */
  version: string;
  /** Set when a newer document does not parse: the last good one stays in force, and this is told. */
  rejected?: { version: string; faults: PolicyFault[] };
  /** There was a document and there is none now: the last good one stays in force, and this is told. */
  missing?: true;
}

const LAST_GOOD = 'policy/last-good.json';

interface LastGood {
  schema: 1;
  version: string;
  text: string;
}

/**
 * The policy document, or the last one that parsed. A document that does not parse, or is deleted, changes nothing. It is
 * read at every use: a person who corrects a rule must not wait for an instance of the app to be recycled.
 */
export async function policyInForce(
  world: Pick<World, 'documents' | 'fallbackRecipients' | 'hsms'>,
): Promise<PolicyInForce> {
  const { parsePolicy } = await import('../../shared/policy/schema.ts');
  const current = await world.documents.readText('policy', 'policy.json');
  const hsms = lookedAfter(world.hsms).map(({ name }) => name);
  const parsed = current ? parsePolicy(current.value, hsms) : undefined;
  if (current && parsed?.kind === 'valid') {
    await remember(world.documents, { schema: 1, version: current.etag, text: current.value });
    return { policy: parsed.policy, version: current.etag };
  }
  const lastGood = await world.documents.read<LastGood>('state', LAST_GOOD);
  const news =
    current && parsed?.kind === 'invalid'
      ? { rejected: { version: current.etag, faults: parsed.faults } }
      : { ...(lastGood ? { missing: true as const } : {}) };
  const again = lastGood ? parsePolicy(lastGood.value.text) : undefined;
  // It was good once. Should an earlier build or other settings have let pass what is a contradiction now, it stays as it is.
  return again?.policy && lastGood
    ? { policy: again.policy, version: lastGood.value.version, ...news }
    : { policy: { version: 1, owners: { fallback: world.fallbackRecipients } }, version: 'built in', ...news };
}

/** What each store is known to hold, to spare a read at every use. */
const remembered = new WeakMap<Documents, string>();

/** Written only when the document changed; a second writer writes the same. */
async function remember(documents: Documents, good: LastGood): Promise<void> {
  if (remembered.get(documents) === good.version) return;
  const stored = await documents.read<LastGood>('state', LAST_GOOD);
  if (stored?.value.version !== good.version) await documents.put('state', LAST_GOOD, good);
  remembered.set(documents, good.version);
}
