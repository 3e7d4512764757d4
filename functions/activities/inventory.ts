import type { Documents } from '../../shared/ports/documents.ts';
import type { RotateReason } from '../../shared/rotation/decision.ts';
import type { InventoryEntry } from '../../shared/rotation/survey.ts';

/** What the last sweep that ended saw of each key, by name. */
export interface Inventory {
  schema: 1;
  hsm: string;
  surveyedOn: string;
  keys: Record<string, InventoryEntry>;
  /** Which fact of which version was published last, by key. */
  announced: Record<string, string>;
  /** Keys that could not be read; absent: none. */
  unread?: string[];
}

/** Work that a sweep found for one key. */
export type DueWork =
  | {
      kind: 'due';
      name: string;
      version: string;
      expired: boolean;
      expiresOn?: string;
      notBefore?: string;
      /** The event was published by an earlier sweep: only the rotation is asked for again. */
      announced: boolean;
    }
  | { kind: 'newVersion'; name: string; version: string; by: 'us' | 'hsm'; reason: RotateReason };

/** What a sweep proposes: written first, started next, committed last. */
export interface Survey {
  schema: 1;
  work: DueWork[];
  inventory: Inventory;
}

const inventoryPath = (hsm: string) => `inventory/${hsm}.json`;
const surveyPath = (hsm: string, survey: string) => `surveys/${hsm}/${survey}.json`;

export const readInventory = async (documents: Documents, hsm: string): Promise<Inventory | undefined> =>
  (await documents.read<Inventory>('state', inventoryPath(hsm)))?.value;

/** Own members only: `constructor` is a lawful name for a key. */
export const entryOf = (inventory: Inventory | undefined, name: string): InventoryEntry | undefined =>
  inventory && Object.hasOwn(inventory.keys, name) ? inventory.keys[name] : undefined;

export const writeInventory = (documents: Documents, inventory: Inventory): Promise<void> =>
  documents.put('state', inventoryPath(inventory.hsm), inventory);

/** Takes the place of what sweeps that did not end have left: of each HSM one runs at a time. */
export async function writeSurvey(documents: Documents, hsm: string, id: string, survey: Survey): Promise<void> {
  for await (const path of documents.list('state', `surveys/${hsm}/`)) {
    if (path !== surveyPath(hsm, id)) await documents.remove('state', path);
  }
  await documents.put('state', surveyPath(hsm, id), survey);
}

export const readSurvey = async (documents: Documents, hsm: string, id: string): Promise<Survey | undefined> =>
  (await documents.read<Survey>('state', surveyPath(hsm, id)))?.value;

export const dropSurvey = (documents: Documents, hsm: string, id: string): Promise<void> =>
  documents.remove('state', surveyPath(hsm, id));
