import { detectionFields, mergeDetection } from './detection-section.ts';
import type { HsmEntry, HsmSections, PartialNotice, PolicyDocument } from './document.ts';
import { drillHsmBy, isSameHsm } from './drill-hsm.ts';
import { type ExplainedField, explainField } from './explain.ts';
import { literalLength, matchesGlob } from './glob.ts';
import { BUILT_IN_HSM_RULE, type HsmRule } from './hsm-rule.ts';
import { mergeResponse } from './response-rule.ts';
import type { NoticeRule } from './rule.ts';

/** A rule with the place where each field came from: `backup.rpo` -> `policy`, `hsms[1] contoso-*`, `built in`. */
export interface EffectiveHsmRule {
  rule: HsmRule;
  origin: Record<string, string>;
  policyVersion: string;
  /** Set for a standing drill HSM of others: where the document names it so. */
  drillHsmBy?: string;
}

export const HSM_SECTIONS = ['backup', 'drills', 'custody', 'recovery', 'geography', 'response', 'detection'] as const;

/**
 * The rule of one HSM: built in, then the sections of the document, then the matching `hsms` entries, most literal last. A
 * field replaces what was inherited, `retention` member by member. A standing drill HSM has no scheduled backups and
 * drills of its own, unless an entry that names it says otherwise.
 */
export function effectiveHsmRule(policy: PolicyDocument, hsm: string, policyVersion: string): EffectiveHsmRule {
  const origin: Record<string, string> = {};
  for (const section of HSM_SECTIONS) {
    for (const { field } of fieldsOf(section, BUILT_IN_HSM_RULE[section])) origin[`${section}.${field}`] = 'built in';
  }
  const layers = [
    { from: 'policy', sections: policy as HsmSections },
    ...matchingEntries(policy, hsm).map(({ index, entry }) => ({
      from: `hsms[${index}] ${entry.match}`,
      sections: entry as HsmSections,
    })),
  ];
  let rule = BUILT_IN_HSM_RULE;
  for (const { from, sections } of layers) {
    rule = mergeHsmSections(rule, sections);
    for (const section of HSM_SECTIONS) {
      for (const { field } of fieldsOf(section, sections[section] ?? {})) origin[`${section}.${field}`] = from;
    }
  }
  const drillHsm = drillHsmBy(policy, hsm);
  for (const section of ['backup', 'drills'] as const) {
    const saysOtherwise = (policy.hsms ?? []).some(
      (entry) => isSameHsm(entry.match, hsm) && entry[section]?.mode !== undefined,
    );
    if (drillHsm === undefined || saysOtherwise) continue;
    rule = { ...rule, [section]: { ...rule[section], mode: 'off' } };
    origin[`${section}.mode`] = drillHsm;
  }
  const { notice, from } = noticeOf(policy, hsm);
  origin['notice.notify'] = from;
  return {
    rule: { ...rule, notice },
    origin,
    policyVersion,
    ...(drillHsm === undefined ? {} : { drillHsmBy: drillHsm }),
  };
}

/** For people: `backup.rpo`, `P2D`, `hsms[0] contoso-*`. */
export function explainHsmRule({ rule, origin }: EffectiveHsmRule): ExplainedField[] {
  const fields = HSM_SECTIONS.flatMap((section) =>
    fieldsOf(section, rule[section]).map(({ field, value }) => ({ field: `${section}.${field}`, value })),
  );
  return [...fields, { field: 'notice.notify', value: rule.notice.notify }].flatMap(({ field, value }) =>
    explainField(field, value, origin[field] ?? 'built in'),
  );
}

/** The rule with what the sections set. */
export function mergeHsmSections(
  rule: Omit<HsmRule, 'notice'>,
  { backup, drills, custody, recovery, geography, response, detection }: HsmSections,
): Omit<HsmRule, 'notice'> {
  return {
    backup: {
      ...rule.backup,
      ...backup,
      // A schedule that names whole days afresh must not inherit a time of day meant for another rhythm.
      schedule: backup?.schedule === undefined ? rule.backup.schedule : { ...SCHEDULE_BASE, ...backup.schedule },
      retention: { ...rule.backup.retention, ...backup?.retention },
    },
    drills: { ...rule.drills, ...drills },
    custody: { ...rule.custody, ...custody },
    recovery: { ...rule.recovery, ...recovery },
    geography: { ...rule.geography, ...geography },
    response: mergeResponse(rule.response, response),
    detection: mergeDetection(rule.detection, detection),
  };
}

/** Detection has groups within groups, of which each member has an origin of its own. */
const fieldsOf = (section: (typeof HSM_SECTIONS)[number], fields: object): { field: string; value: unknown }[] =>
  section === 'detection'
    ? detectionFields(fields)
    : Object.entries(fields).map(([field, value]) => ({ field, value }));

const SCHEDULE_BASE = {
  timeZone: BUILT_IN_HSM_RULE.backup.schedule.timeZone,
  starts: BUILT_IN_HSM_RULE.backup.schedule.starts,
};

function matchingEntries(policy: PolicyDocument, hsm: string): { index: number; entry: HsmEntry }[] {
  return (policy.hsms ?? [])
    .map((entry, index) => ({ entry, index }))
    .filter(({ entry }) => matchesGlob(entry.match, hsm))
    .sort((a, b) => literalLength(a.entry.match) - literalLength(b.entry.match) || a.index - b.index);
}

function noticeOf(policy: PolicyDocument, hsm: string): { notice: NoticeRule; from: string } {
  const named = matchingEntries(policy, hsm).findLast(({ entry }) => addressesOf(policy, entry.notice) !== undefined);
  const owner = named?.entry.notice?.owner;
  const notify = addressesOf(policy, named?.entry.notice) ?? policy.owners.fallback;
  return {
    notice: { notify: [...notify], ...(owner === undefined ? {} : { owner }) },
    from: named === undefined ? 'owners.fallback' : `hsms[${named.index}] ${named.entry.match}`,
  };
}

const addressesOf = (policy: PolicyDocument, notice: PartialNotice | undefined): string[] | undefined =>
  notice?.notify ?? (notice?.owner === undefined ? undefined : policy.owners.names?.[notice.owner]);
