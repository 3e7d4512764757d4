import { DAY, MINUTE } from '../../traffic/calendar.ts';
import type { Strand } from '../../traffic/call.ts';
import type { Site } from '../../traffic/site.ts';
import type { Alert } from '../alert.ts';

const MEMORY = 7 * DAY;
const EVERY = 5 * MINUTE;

/**
 * A caller that used a key for the first time in seven days, as Elastic's new-terms rules have it, by object id so that
 * services are seen too. https://github.com/elastic/detection-rules (credential_access_key_vault_retrieval_from_rare_identity)
 * Told: our own identities, the application that Azure Policy scans with, and keys that an intent named in the last week.
 */
export function newTerms(site: Site, strand: Strand): Alert[] {
  const known = new Set([site.policyScan.caller.oid, ...Object.values(site.own).map(({ caller }) => caller.oid)]);
  const seen = new Map<string, number>();
  const alerts: Alert[] = [];
  for (const call of strand.calls) {
    const { caller, key, arrived, at } = call;
    if (arrived > site.to) break;
    if (key === '' || caller.oid === '' || call.status >= 300 || known.has(caller.oid)) continue;
    const pair = `${key} ${caller.oid}`;
    const last = seen.get(pair) ?? Number.NEGATIVE_INFINITY;
    seen.set(pair, Math.max(last, at));
    if (at - last <= MEMORY || arrived < site.judged) continue;
    const target = `keys/${key}`;
    const onboarded = strand.intents.some(
      (intent) => intent.target === target && intent.at <= at && intent.at > at - MEMORY,
    );
    if (onboarded) continue;
    const found = Math.ceil(arrived / EVERY) * EVERY;
    const who = { callers: [caller.oid, caller.upn], keys: [key] };
    const title = `${caller.upn || caller.oid} on ${key} for the first time in seven days`;
    alerts.push({
      id: `new ${pair} ${Math.floor(at / DAY)}`,
      detector: 'new terms',
      at: found,
      severity: 'High',
      score: 73,
      ...who,
      title,
    });
  }
  return alerts;
}
