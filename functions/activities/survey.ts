import { AppError, hasCode, isTransient } from '../../shared/errors.ts';
import { canonicalName, type KeyFacts, type KeySummary } from '../../shared/keys/key.ts';
import { effectiveRule } from '../../shared/policy/effective-rule.ts';
import { type Candidate, type InventoryEntry, surveyPage } from '../../shared/rotation/survey.ts';
import type { NoticeDue } from '../contracts/outcomes.ts';
import type { ActivityHandlers } from '../implement.ts';
import { confirmationId, rotationId } from '../instance-ids.ts';
import type { World } from '../world.ts';
import { beat } from './heartbeats.ts';
import {
  type DueWork,
  dropSurvey,
  entryOf,
  type Inventory,
  readInventory,
  readSurvey,
  writeInventory,
  writeSurvey,
} from './inventory.ts';
import { keyEvent } from './key-facts.ts';
import { readLedger } from './ledger.ts';
import { type PolicyInForce, policyInForce } from './policy-in-force.ts';
import { holdsForAll, isOfOneKey, type SetAside, unreadableNotices } from './set-aside.ts';

/** Work that one activity starts: small enough to lose little when it is repeated. */
const BATCH = 50;
/** Reads at once, far below what the HSM serves. */
const AT_ONCE = 8;
/** A version of ours that is not proven so long after it was made has lost its orchestration, and is confirmed anew. */
const PROVEN_WITHIN_MS = 3_600_000;

export const surveyActivities = (world: World) =>
  ({
    /**
     * Streams the list pages past the inventory. Only keys that are due or have changed are read, because a list page carries
     * no version. A key that cannot be read is set aside and told, and the others are swept. Changes nothing but its own
     * proposal, so it may be repeated at any time.
     */
    async surveyKeys({ hsm, survey }) {
      const [inForce, before] = await Promise.all([policyInForce(world), readInventory(world.documents, hsm)]);
      const now = world.clock.now();
      const inventory: Inventory = { schema: 1, hsm, surveyedOn: now.toISOString(), keys: {}, announced: {} };
      const work: DueWork[] = [];
      const asides: SetAside[] = [];
      let answered = 0;
      const ruleOf = (name: string, tags: KeySummary['tags']) =>
        effectiveRule(inForce.policy, hsm, name, tags, inForce.version);
      for await (const page of world.keys.observe.pages(hsm)) {
        const found = surveyPage({ hsm, page, known: (name) => entryOf(before, name), ruleOf, now });
        Object.assign(inventory.keys, found.entries);
        for (const group of groupsOf(found.candidates)) {
          const looked = await Promise.all(
            group.map((candidates) => lookAt(world, hsm, candidates, before, inventory)),
          );
          for (const each of looked) {
            if (Array.isArray(each)) {
              work.push(...each);
              answered += 1;
            } else {
              const tags = page.find(({ name }) => name === each.name)?.tags ?? {};
              const notify = ruleOf(each.name, tags).rule.notice;
              asides.push({ key: { hsm, name: each.name }, notify, fault: each.fault });
            }
          }
          holdsForAll(asides, answered);
        }
      }
      if (asides.length > 0) inventory.unread = asides.map(({ key }) => key.name);
      await writeSurvey(world.documents, hsm, survey, { schema: 1, work, inventory });
      return {
        kind: 'surveyed',
        keys: Object.keys(inventory.keys).length,
        due: work.filter(({ kind }) => kind === 'due').length,
        newVersions: work.filter(({ kind }) => kind === 'newVersion').length,
        batches: Math.ceil(work.length / BATCH),
        notices: [...noticesOf(inForce, now), ...unreadableNotices(hsm, asides.filter(isToTell(before)), now)],
      };
    },

    /**
     * Starts and publishes one batch: what is due does not wait for a topic that is down. Events and instances carry ids of
     * their facts, so a repeat is the same again.
     */
    async startDueWork({ hsm, survey, batch, withoutEvents }, { starter, log }) {
      const proposed = await readSurvey(world.documents, hsm, survey);
      if (!proposed) throw new Error(`the survey ${survey} of ${hsm} is gone`);
      const work = proposed.work.slice(batch * BATCH, (batch + 1) * BATCH);
      const at = proposed.inventory.surveyedOn;
      const events = work.flatMap((each) => {
        if (each.kind !== 'due' || each.announced) return [];
        const { name, version, expired, expiresOn, notBefore } = each;
        const validity = {
          ...(expiresOn === undefined ? {} : { expiresOn }),
          ...(notBefore === undefined ? {} : { notBefore }),
        };
        return [
          keyEvent(world, {
            key: { hsm, name },
            type: expired ? 'KeyExpired' : 'KeyNearExpiry',
            version,
            at,
            ...validity,
          }),
        ];
      });
      const counts = { started: 0, running: 0 };
      for (const each of work) {
        const key = { hsm, name: each.name };
        const outcome =
          each.kind === 'due'
            ? await starter.startOnce(
                'rotateKey',
                rotationId(key, each.version),
                { key, version: each.version, cause: { kind: 'Sweep' } },
                ['rotated'],
              )
            : await starter.startOnce(
                'confirmKeyVersion',
                confirmationId(key, each.version),
                { key, version: each.version, by: each.by, reason: each.reason },
                ['rotated', 'refused', 'kept'],
              );
        if (outcome === 'started') counts.started += 1;
        if (outcome === 'running') counts.running += 1;
      }
      if (events.length > 0 && !withoutEvents) await world.events.publish(events);
      log.info('DueWorkStarted', { hsm, batch, events: events.length, ...counts });
      return { kind: 'started', ...counts };
    },

    async commitSurvey({ hsm, survey }) {
      const proposed = await readSurvey(world.documents, hsm, survey);
      // Gone: an earlier run of this very step wrote the inventory and then lost its answer.
      if (!proposed) return { kind: 'committed' };
      await writeInventory(world.documents, proposed.inventory);
      const keys = Object.keys(proposed.inventory.keys).length;
      await beat(world, 'sweep', hsm, undefined, { keys });
      await dropSurvey(world.documents, hsm, survey);
      return { kind: 'committed' };
    },
  }) satisfies Partial<ActivityHandlers>;

/** All candidates of one key belong together; keys go in groups that are read at once. */
function groupsOf(candidates: Candidate[]): Candidate[][][] {
  const byKey = new Map<string, Candidate[]>();
  for (const candidate of candidates) byKey.set(candidate.name, [...(byKey.get(candidate.name) ?? []), candidate]);
  const keys = [...byKey.values()];
  const groups: Candidate[][][] = [];
  for (let start = 0; start < keys.length; start += AT_ONCE) groups.push(keys.slice(start, start + AT_ONCE));
  return groups;
}

/** A fault that may pass by itself is told when it is there at the next sweep as well. */
const isToTell =
  (before: Inventory | undefined) =>
  ({ key, fault }: SetAside): boolean =>
    !isTransient(fault) || (before?.unread ?? []).includes(key.name);

/** What is to be done about one key, and what the inventory may say of it from now on. */
async function lookAt(
  world: World,
  hsm: string,
  candidates: Candidate[],
  before: Inventory | undefined,
  inventory: Inventory,
): Promise<DueWork[] | { name: string; fault: AppError }> {
  const name = candidates[0]?.name ?? '';
  const entry = inventory.keys[name];
  const changed = candidates.some(({ kind }) => kind === 'newVersion');
  const due = candidates.some(({ kind }) => kind === 'due' || kind === 'expired');
  if (!entry || (!changed && !due)) return [];
  if (!changed && entry.version !== undefined) {
    return [dueWork(candidates, { ...entry, name, version: entry.version }, before, inventory)];
  }

  const facts = await world.keys.observe.read({ hsm, name }).catch((error: unknown) => {
    // Deleted since it was listed: the next sweep will not see it.
    if (hasCode(error, 'ERR_NOT_FOUND')) return undefined;
    if (isOfOneKey(error)) return error;
    throw error;
  });
  if (!facts) return [];
  if (facts instanceof AppError) {
    // As it was known before, so that what is new about it is still new at the next sweep.
    const last = entryOf(before, name);
    if (last) inventory.keys[name] = last;
    return { name, fault: facts };
  }
  entry.version = facts.version;
  const found = changed ? await foundVersion(world, hsm, facts, entryOf(before, name), inventory) : [];
  return due ? [...found, dueWork(candidates, facts, before, inventory)] : found;
}

/**
 * A version that was not there at the last sweep. One that is recorded has been told. One that is not is confirmed, and stays
 * new in the inventory until it is recorded, so that a confirmation that is lost is asked for again.
 */
async function foundVersion(
  world: World,
  hsm: string,
  facts: KeyFacts,
  last: InventoryEntry | undefined,
  inventory: Inventory,
): Promise<DueWork[]> {
  const { ledger } = await readLedger(world.documents, { hsm, name: facts.name });
  const recorded = ledger.versions.find(({ version }) => version === facts.version);
  if (recorded && recorded.proof !== 'pending') return [];
  if (last) inventory.keys[facts.name] = last;
  const settling = ledger.attempt ?? (recorded?.by === 'us' ? recorded : undefined);
  if (settling && Date.parse(settling.at) + PROVEN_WITHIN_MS > world.clock.now().getTime()) return [];
  const { by = 'hsm', reason = 'Native' } = recorded ?? {};
  return [{ kind: 'newVersion', name: facts.name, version: facts.version, by, reason }];
}

function dueWork(
  candidates: Candidate[],
  { name, version, expiresOn, notBefore }: Pick<KeyFacts, 'name' | 'version' | 'expiresOn' | 'notBefore'>,
  before: Inventory | undefined,
  inventory: Inventory,
): DueWork {
  const expired = candidates.some(({ kind }) => kind === 'expired');
  const fact = `${version} ${expired ? 'expired' : 'near expiry'}`;
  const announced = before?.announced[canonicalName({ name })] === fact;
  inventory.announced[canonicalName({ name })] = fact;
  return {
    kind: 'due',
    name,
    version,
    expired,
    announced,
    ...(expiresOn === undefined ? {} : { expiresOn }),
    ...(notBefore === undefined ? {} : { notBefore }),
  };
}

function noticesOf({ rejected, missing, version: inForce }: PolicyInForce, now: Date): NoticeDue[] {
  const at = now.toISOString();
  if (rejected) {
    const { version: rejectedVersion, faults } = rejected;
    const notice = { kind: 'PolicyDocumentFault' as const, at, rejectedVersion, inForce, faults };
    return [{ id: `policy-fault-${rejectedVersion}`, notice, repeatAfter: 'P1D' }];
  }
  if (!missing) return [];
  const notice = { kind: 'PolicyDocumentMissing' as const, at, inForce };
  return [{ id: `policy-missing-${inForce}`, notice, repeatAfter: 'P365D' }];
}
