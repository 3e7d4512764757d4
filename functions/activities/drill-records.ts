import type { CostEstimate } from '../../shared/drill/cost-guard.ts';
import type { SentinelResult } from '../../shared/drill/report.ts';
import type { DrillTarget } from '../../shared/policy/hsm-rule.ts';
import type { Documents } from '../../shared/ports/documents.ts';
import type { RestoreComparison } from '../../shared/restore/compare-with-manifest.ts';
import type { DrillEnd } from '../contracts/drill-outcomes.ts';

/** A drill as it began. Written once. */
export interface StoredDrill {
  schema: 1;
  id: string;
  hsm: string;
  /** The HSM that is restored to; of a temporary one, the region it is made in. */
  target: { hsm: string; kind: DrillTarget['kind']; region?: string };
  backup: string;
  by: string;
  note: string;
  startedOn: string;
  cost: CostEstimate;
}

/** Which versions have something to try, kept in the store of sentinels before the restore. */
export interface KeptSentinel {
  key: string;
  version: string;
  operation: string;
}

/** A temporary HSM of which nothing runs any more. Written once, when that was seen. */
export interface TornDown {
  hsm: string;
  seenOn: string;
  /** Absent where nothing was made, or the service lists it no more. */
  deleted?: { deletedOn: string; purgedOn: string; purgeProtection: boolean };
}

const path = (hsm: string, id: string, what: string) => `drills/${hsm}/${id}/${what}.json`;
/** What a person types to remove a temporary HSM. */
export const deletionCommand = (recovery: { newHsm: string }, resourceId?: string): string => {
  const group = /\/resourceGroups\/([^/]+)\//i.exec(resourceId ?? '')?.[1];
  return `az keyvault delete --hsm-name ${recovery.newHsm}${group === undefined ? '' : ` --resource-group ${group}`}`;
};

/** Of both reports of a drill in the container `evidence`, without its ending. */
export const drillReportPath = (hsm: string, id: string): string => `drills/${hsm}/${id}/report`;

interface Parts {
  drill: StoredDrill;
  sentinels: KeptSentinel[];
  comparison: RestoreComparison;
  tried: SentinelResult[];
  tornDown: TornDown;
  end: DrillEnd;
}

export const readDrillPart = async <N extends keyof Parts>(
  documents: Documents,
  hsm: string,
  id: string,
  what: N,
): Promise<Parts[N] | undefined> => (await documents.read<Parts[N]>('state', path(hsm, id, what)))?.value;

/** The first one stays: what was found once is not found again differently. */
export async function keepDrillPart<N extends keyof Parts>(
  documents: Documents,
  hsm: string,
  id: string,
  what: N,
  part: Parts[N],
): Promise<Parts[N]> {
  const written = await documents.create('state', path(hsm, id, what), part);
  return written === 'exists' ? ((await readDrillPart(documents, hsm, id, what)) ?? part) : part;
}

/** Drills of one HSM, or of all, the newest first; `end` is absent while one is under way. */
export async function readDrills(
  documents: Documents,
  hsm?: string,
): Promise<{ drill: StoredDrill; end?: DrillEnd }[]> {
  const found: { drill: StoredDrill; end?: DrillEnd }[] = [];
  for await (const listed of documents.list('state', hsm === undefined ? 'drills/' : `drills/${hsm}/`)) {
    if (!listed.endsWith('/drill.json')) continue;
    const drill = (await documents.read<StoredDrill>('state', listed))?.value;
    if (!drill) continue;
    const end = await readDrillPart(documents, drill.hsm, drill.id, 'end');
    found.push({ drill, ...(end ? { end } : {}) });
  }
  return found.sort((a, b) => Date.parse(b.drill.startedOn) - Date.parse(a.drill.startedOn));
}
