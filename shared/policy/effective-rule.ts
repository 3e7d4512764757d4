import type { Tags } from '../keys/key.ts';
import { ruleFaults } from './check-rule.ts';
import { BUILT_IN_ROTATION, type KeyEntry, type PartialRule, type PolicyDocument } from './document.ts';
import { drillHsmBy, isSameHsm } from './drill-hsm.ts';
import { type ExplainedField, explainField } from './explain.ts';
import { literalLength, matchesGlob } from './glob.ts';
import { looksLikeMail, readTags, type TagWishes } from './key-tags.ts';
import { mergeRotation } from './merge-rule.ts';
import type { EffectiveRule, NoticeRule, RotationRule } from './rule.ts';

/** Optional fields show as `none` until someone sets them. */
const ROTATION_FIELDS = [
  'mode',
  'before',
  'maximumAge',
  'validity',
  'backstop',
  'jitter',
  'windows',
  'blackouts',
  'proof',
  'backupFirst',
  'drift',
  'plannedLife',
  'budgetWarning',
  'adoption',
  'retirement',
] as const satisfies readonly (keyof RotationRule)[];

interface Layer {
  /** What `origin` says of the fields that it sets. */
  from: string;
  rule: PartialRule;
}

/**
 * The rule of one key: built in, then defaults, then its class (by tag, else by the most specific entry that names one),
 * then the matching entries, most literal last, then its tags. Tags that cannot be read or would contradict the rule become
 * notes. Rotation is off on a standing drill HSM, whose keys are copies with the tags of another HSM, unless an entry that
 * names it says otherwise. Never throws, whatever the tags hold.
 */
export function effectiveRule(
  policy: PolicyDocument,
  hsm: string,
  name: string,
  tags: Tags,
  policyVersion: string,
): EffectiveRule {
  const wishes = readTags(tags);
  const notes = [...wishes.notes];
  const entries = matchingEntries(policy, hsm, name);
  const origin: Record<string, string> = {};
  const className = chooseClass(policy, wishes, entries, origin, notes);
  const layers = layersOf(policy, className, entries);

  for (const field of ROTATION_FIELDS) origin[`rotation.${field}`] = 'built in';
  let rotation = BUILT_IN_ROTATION;
  for (const { from, rule } of layers) {
    rotation = mergeRotation(rotation, rule.rotation);
    for (const field of Object.keys(rule.rotation ?? {})) origin[`rotation.${field}`] = from;
  }
  rotation = applyTags(rotation, wishes, origin, notes);
  const drillHsm = drillHsmBy(policy, hsm);
  const saysOtherwise = entries.some(({ entry }) => isSameHsm(entry.hsm, hsm) && entry.rotation?.mode !== undefined);
  if (drillHsm !== undefined && !saysOtherwise) {
    rotation = { ...rotation, mode: 'off' };
    origin['rotation.mode'] = drillHsm;
  }
  const notice = resolveNotice(policy, layers, wishes, origin, notes);
  if (wishes.hold !== undefined) origin.hold = 'tag hold';

  return {
    rule: { rotation, notice },
    ...(wishes.hold === undefined ? {} : { hold: wishes.hold }),
    ...(className === undefined ? {} : { class: className }),
    origin,
    notes,
    policyVersion,
  };
}

/** For people: `rotation.before`, `P30D`, `class tier0`. */
export function explainRule(effective: EffectiveRule): ExplainedField[] {
  const { rule, hold, origin, class: className } = effective;
  const rows = (field: string, value: unknown) => explainField(field, value, origin[field] ?? 'not set');
  return [
    ...(className === undefined ? [] : rows('class', className)),
    ...ROTATION_FIELDS.flatMap((field) => rows(`rotation.${field}`, rule.rotation[field])),
    ...rows('notice.notify', rule.notice.notify),
    ...rows('notice.owner', rule.notice.owner),
    ...(hold === undefined ? [] : rows('hold', hold.until === undefined ? 'until removed' : `until ${hold.until}`)),
  ];
}

function matchingEntries(policy: PolicyDocument, hsm: string, name: string): { index: number; entry: KeyEntry }[] {
  const specificity = (entry: KeyEntry) => literalLength(entry.match) + literalLength(entry.hsm ?? '');
  return (policy.keys ?? [])
    .map((entry, index) => ({ entry, index }))
    .filter(({ entry }) => matchesGlob(entry.match, name) && matchesGlob(entry.hsm ?? '*', hsm))
    .sort((a, b) => specificity(a.entry) - specificity(b.entry) || a.index - b.index);
}

function chooseClass(
  policy: PolicyDocument,
  wishes: TagWishes,
  entries: { index: number; entry: KeyEntry }[],
  origin: Record<string, string>,
  notes: string[],
): string | undefined {
  if (wishes.class !== undefined && Object.hasOwn(policy.classes ?? {}, wishes.class)) {
    origin.class = 'tag class';
    return wishes.class;
  }
  const naming = entries.findLast(({ entry }) => entry.class !== undefined);
  const byEntry = naming?.entry.class;
  if (naming !== undefined) origin.class = entryLabel(naming);
  if (wishes.class !== undefined) {
    const instead = byEntry === undefined ? 'no class applies' : `class ${byEntry} applies`;
    const given = JSON.stringify(wishes.class);
    notes.push(`Tag class names a class that the policy does not describe, so ${instead}: ${given}.`);
  }
  return byEntry;
}

const entryLabel = ({ index, entry }: { index: number; entry: KeyEntry }): string => `keys[${index}] ${entry.match}`;

function layersOf(
  policy: PolicyDocument,
  className: string | undefined,
  entries: { index: number; entry: KeyEntry }[],
): Layer[] {
  const ofClass = className === undefined ? undefined : policy.classes?.[className];
  return [
    ...(policy.defaults === undefined ? [] : [{ from: 'defaults', rule: policy.defaults }]),
    ...(ofClass === undefined ? [] : [{ from: `class ${className}`, rule: ofClass }]),
    ...entries.map((found) => ({ from: entryLabel(found), rule: found.entry })),
  ];
}

function applyTags(
  rotation: RotationRule,
  wishes: TagWishes,
  origin: Record<string, string>,
  notes: string[],
): RotationRule {
  let tagged = rotation;
  // A key that the policy leaves alone stays alone: its origin is no wish to be reminded.
  const yields = wishes.modeTag === 'origin' && rotation.mode === 'off';
  if (wishes.mode !== undefined && !yields) {
    tagged = { ...tagged, mode: wishes.mode };
    origin['rotation.mode'] = `tag ${wishes.modeTag}`;
  }
  if (wishes.before === undefined) return tagged;
  const earlier = { ...tagged, before: wishes.before };
  const present = new Set(ruleFaults(tagged).map((fault) => fault.field));
  const added = ruleFaults(earlier).find((fault) => !present.has(fault.field));
  if (added !== undefined) {
    notes.push(`Tag rotate-before=${wishes.before} was ignored: ${added.field} ${added.rule}.`);
    return tagged;
  }
  origin['rotation.before'] = 'tag rotate-before';
  return earlier;
}

/** Recipients: the tag `notify`, else the tag `owner`, else the most specific layer that names any, else the fallback. */
function resolveNotice(
  policy: PolicyDocument,
  layers: Layer[],
  wishes: TagWishes,
  origin: Record<string, string>,
  notes: string[],
): NoticeRule {
  const byLayer = layers.findLast(({ rule }) => rule.notice?.owner !== undefined);
  const owner = wishes.owner ?? byLayer?.rule.notice?.owner;
  const ownerFrom = wishes.owner === undefined ? byLayer?.from : 'tag owner';
  if (ownerFrom !== undefined) origin['notice.owner'] = ownerFrom;

  const tagged = wishes.owner === undefined ? undefined : mailsOf(policy, wishes.owner);
  if (wishes.owner !== undefined && tagged === undefined) {
    notes.push(
      `Tag owner is neither a name of the policy's owners nor a mail address: ${JSON.stringify(wishes.owner)}.`,
    );
  }
  const [notify, from] = recipients();
  origin['notice.notify'] = from;
  return { notify: [...notify], ...(owner === undefined ? {} : { owner }) };

  function recipients(): [string[], string] {
    if (wishes.notify !== undefined) return [wishes.notify, 'tag notify'];
    if (tagged !== undefined) return [tagged, 'tag owner'];
    for (const { from, rule } of layers.toReversed()) {
      const named = rule.notice?.notify ?? (rule.notice?.owner && mailsOf(policy, rule.notice.owner));
      if (named) return [named, from];
    }
    return [policy.owners.fallback, 'owners.fallback'];
  }
}

/** An owner is a name of the document, without regard to case, or an address of their own. */
function mailsOf(policy: PolicyDocument, owner: string): string[] | undefined {
  const wanted = owner.toLowerCase();
  const named = Object.entries(policy.owners.names ?? {}).find(([name]) => name.toLowerCase() === wanted);
  return named?.[1] ?? (looksLikeMail(owner) ? [owner] : undefined);
}
