import type { CustomRole, RoleGrant } from '../../shared/detection/detection-facts.ts';
import type { DiagnosticSetting } from '../../shared/detection/diagnostic-setting.ts';
import type { DetectionMemory } from '../../shared/detection/memory.ts';
import type { Seen } from '../../shared/detection/seen.ts';
import type { Judged, JudgedActs } from '../../shared/detection/windows.ts';
import type { Documents } from '../../shared/ports/documents.ts';
import type { HsmResource } from '../../shared/ports/hsm-resources.ts';

/** Which judgement of an HSM's log counts. Moves last, by compare-and-swap, after everything else was done. */
export interface DetectionState {
  schema: 1;
  judgement: string;
  /** Up to where the log was judged, by ingestion time; absent while the baseline is being learnt. */
  watermark?: string;
  at: string;
}

/** How the HSM was configured when it was last looked at: what changed is told against it. */
export interface Sighted {
  assignments?: RoleGrant[];
  definitions?: CustomRole[];
  settings?: Record<string, string>;
  /** What its network and the places of its log were, since when, and until which look. */
  network?: Seen<HsmResource['network']>[];
  diagnostics?: Seen<DiagnosticSetting[]>[];
}

/** What one judgement leaves to the next. Written under a name of its own before the state points at it. */
export interface Judgement {
  schema: 1;
  /** The judgement that it was made after; absent: none. */
  after?: string;
  /** Absent while the baseline is being learnt. */
  watermark?: string;
  /** Full hours up to which volumes were learnt. */
  hoursTo: string;
  memory: DetectionMemory;
  judged: Judged;
  /** Acts on the resource that were judged; absent before the first of them. */
  acts?: JudgedActs;
  sighted: Sighted;
  /** Findings of the last days by id, with the day they are stored under. */
  stored: Record<string, string>;
}

const statePath = (hsm: string) => `detection/${hsm}/state.json`;
/** How many cycles in a row failed; gone after one that did not. */
export const blindnessPath = (hsm: string): string => `detection/${hsm}/blind.json`;

const judgementPath = (hsm: string, id: string) => `detection/${hsm}/judgements/${id}.json`;

export interface Standing {
  state: DetectionState;
  etag: string;
  judgement: Judgement;
}

/** What was judged of the HSM's log; undefined: nothing yet. */
export async function readStanding(documents: Documents, hsm: string): Promise<Standing | undefined> {
  const stored = await documents.read<DetectionState>('state', statePath(hsm));
  if (!stored) return undefined;
  const judgement = await documents.read<Judgement>('state', judgementPath(hsm, stored.value.judgement));
  if (!judgement) throw new Error(`the judgement ${stored.value.judgement} of ${hsm} is gone`);
  return { state: stored.value, etag: stored.etag, judgement: judgement.value };
}

export const propose = (documents: Documents, hsm: string, id: string, judgement: Judgement): Promise<void> =>
  documents.put('state', judgementPath(hsm, id), judgement);

/**
 * Lets the state point at a proposed judgement, if it still points at the one that was before. Memory and watermark move in
 * this one write, so a crash leaves both as they were or both moved.
 */
export async function commitJudgement(
  documents: Documents,
  hsm: string,
  id: string,
  at: string,
): Promise<'committed' | 'superseded'> {
  const stored = await documents.read<DetectionState>('state', statePath(hsm));
  if (stored?.value.judgement === id) return 'committed';
  const proposed = await documents.read<Judgement>('state', judgementPath(hsm, id));
  if (!proposed || proposed.value.after !== stored?.value.judgement) return 'superseded';
  const { watermark } = proposed.value;
  const next: DetectionState = { schema: 1, judgement: id, ...(watermark === undefined ? {} : { watermark }), at };
  const written = stored
    ? await documents.replace('state', statePath(hsm), next, stored.etag)
    : await documents.create('state', statePath(hsm), next);
  if (typeof written === 'string') return 'superseded';
  await dropOthers(documents, hsm, id);
  return 'committed';
}

/** Judgements that nobody points at: the one before, and proposals whose cycle failed. */
async function dropOthers(documents: Documents, hsm: string, id: string): Promise<void> {
  for await (const path of documents.list('state', `detection/${hsm}/judgements/`)) {
    if (path !== judgementPath(hsm, id)) await documents.remove('state', path);
  }
}
