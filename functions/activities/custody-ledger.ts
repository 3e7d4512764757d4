import { type Custody, type CustodyFact, foldCustody } from '../../shared/custody/ledger.ts';
import type { Documents } from '../../shared/ports/documents.ts';
import type { World } from '../world.ts';
import { lineagePath, securityDomainOf } from './security-domain-lineage.ts';

/** The facts of one security domain, in the order in which they were recorded. Facts are added, never changed or removed. */
export interface CustodyLedger {
  schema: 1;
  securityDomain: string;
  facts: CustodyFact[];
}

/** Lineages are named after HSMs, so what stands between letters and digits tells nothing apart. */
export const lineageSlug = (securityDomain: string): string => securityDomain.replaceAll(/[^0-9A-Za-z]+/g, '-');

const ledgerPath = (securityDomain: string): string => `custody/${lineageSlug(securityDomain)}/ledger.json`;

export async function readCustodyFacts(documents: Documents, securityDomain: string): Promise<CustodyFact[]> {
  const stored = await documents.read<CustodyLedger>('state', ledgerPath(securityDomain));
  return stored?.value.facts ?? [];
}

/** What is known of the security domain of an HSM. */
export async function custodyOf(world: World, hsm: string): Promise<Custody> {
  const securityDomain = await securityDomainOf(world, hsm);
  return foldCustody(securityDomain, await readCustodyFacts(world.documents, securityDomain));
}

/** Adds facts whose ids are not known yet, and names the HSMs that share the domain. Answers with the facts it added. */
export async function appendCustodyFacts(
  world: World,
  securityDomain: string,
  facts: readonly CustodyFact[],
): Promise<CustodyFact[]> {
  const added = await addToLedger(world.documents, securityDomain, facts);
  for (const fact of facts) {
    if (fact.kind !== 'SecurityDomainRecorded') continue;
    for (const hsm of fact.hsms) {
      await world.documents.put('state', lineagePath(hsm), { schema: 1, lineage: securityDomain });
    }
  }
  return added;
}

async function addToLedger(documents: Documents, securityDomain: string, facts: readonly CustodyFact[]) {
  const path = ledgerPath(securityDomain);
  for (;;) {
    const stored = await documents.read<CustodyLedger>('state', path);
    const held = stored?.value.facts ?? [];
    const known = new Set(held.map(({ id }) => id));
    const added = facts.filter(({ id }) => !known.has(id));
    if (added.length === 0) return [];
    const next: CustodyLedger = { schema: 1, securityDomain, facts: [...held, ...added] };
    const written = stored
      ? await documents.replace('state', path, next, stored.etag)
      : await documents.create('state', path, next);
    if (written !== 'changed' && written !== 'exists') return added;
  }
}
