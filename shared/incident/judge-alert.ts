import type { CompromiseClass, Finding, ResponseMode } from '../detection/finding.ts';
import { severityOf } from '../detection/score.ts';

/** What the app reads of a common alert. https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema */
export interface CommonAlert {
  essentials: {
    alertId: string;
    alertRule: string;
    alertRuleId?: string;
    severity?: string;
    signalType: string;
    monitorCondition: 'Fired' | 'Resolved';
    monitoringService: string;
    alertTargetIDs: string[];
    originAlertId: string;
    firedDateTime: string;
    resolvedDateTime?: string;
    description?: string;
  };
  context: Record<string, unknown>;
}

/** A rule of the settings; `hsms`: which it speaks of where its target is a workspace. */
export interface KnownRule {
  rule: string;
  hsms?: string[];
}

/** Public: why an alert is refused. */
export type AlertReason = 'UnknownRule' | 'UnknownTarget' | 'AlertReplayed' | 'AlertFromTheFuture' | 'TooManyAlerts';

export type AlertVerdict =
  | { kind: 'refused'; reason: AlertReason; explanation: string; nextStep: string }
  /** An alert only hints: the HSMs are looked at. `facts`: what it states that no row of the log can. */
  | { kind: 'accepted'; rule: string; hsms: string[]; resolved: boolean; facts: AlertFact[] };

/** Something that Azure knows and the HSM's own log does not hold. */
export interface AlertFact {
  hsm: string;
  what: 'hsmDeleted' | 'diagnosticsDeleted' | 'unavailable';
  at: string;
  caller?: { oid: string; upn?: string };
  correlationId?: string;
}

/** Action groups repeat for minutes; what is older was recorded by somebody and sent again. */
const OLDEST_MS = 6 * 3_600_000;
const SKEW_MS = 5 * 60_000;
/** So many alerts of one rule count in an hour. Detection reads the log anyhow, so nothing is lost with the rest. */
export const MOST_AN_HOUR = 30;

export interface AlertFacts {
  alert: CommonAlert;
  rules: readonly KnownRule[];
  hsms: readonly { name: string; resourceId: string }[];
  /** Alerts of the rule in this hour, this one not counted. */
  lately: number;
  now: Date;
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
const refused = (reason: AlertReason, explanation: string, nextStep: string): AlertVerdict => ({
  kind: 'refused',
  reason,
  explanation,
  nextStep,
});

/** The rule by its id, else by its name: the id is left out of some alerts. */
export const knownRule = (rules: readonly KnownRule[], { alertRuleId, alertRule }: CommonAlert['essentials']) =>
  rules.find(({ rule }) => (alertRuleId !== undefined && same(rule, alertRuleId)) || same(rule, alertRule));

export function judgeAlert({ alert, rules, hsms, lately, now }: AlertFacts): AlertVerdict {
  const { essentials } = alert;
  const known = knownRule(rules, essentials);
  if (!known) {
    const next = 'Add its name or resource id to MHSM_ALERT_RULES if it should be heard.';
    return refused('UnknownRule', 'The alert comes from a rule that the settings do not name.', next);
  }
  const foreign = essentials.alertTargetIDs.find((id) => isHsm(id) && !hsmOf(hsms, id));
  if (foreign !== undefined) {
    const next = 'Add the HSM to MHSM_HSMS, or narrow the scope of the rule.';
    return refused('UnknownTarget', 'The alert speaks of an HSM that this installation does not look after.', next);
  }
  const resolved = essentials.monitorCondition === 'Resolved';
  const at = Date.parse(
    resolved ? (essentials.resolvedDateTime ?? essentials.firedDateTime) : essentials.firedDateTime,
  );
  if (!(now.getTime() - at <= OLDEST_MS)) {
    const next = 'Nothing, if it was a test; otherwise find who sends old alerts again.';
    return refused('AlertReplayed', `The alert is of ${essentials.firedDateTime}, and six hours is the most.`, next);
  }
  if (at - now.getTime() > SKEW_MS) {
    const next = 'Look at the clocks of sender and app.';
    return refused('AlertFromTheFuture', `The alert is of ${essentials.firedDateTime}, which has not come yet.`, next);
  }
  if (lately >= MOST_AN_HOUR) {
    const next = 'Mute the rule or widen its window; the log is read on schedule whatever it says.';
    return refused('TooManyAlerts', `The rule has sent ${lately} alerts in this hour.`, next);
  }
  const targets = essentials.alertTargetIDs.flatMap((id) => hsmOf(hsms, id)?.name ?? []);
  const configured = (known.hsms ?? []).filter((name) => hsms.some((each) => each.name === name));
  const found = [...new Set([...targets, ...configured])];
  const all = found.length > 0 ? found : hsms.map(({ name }) => name);
  const facts = resolved ? [] : targets.flatMap((hsm) => factOf(alert, hsm, now) ?? []);
  return { kind: 'accepted', rule: known.rule, hsms: all, resolved, facts: distinct(facts) };
}

const isHsm = (id: string): boolean => /\/managedhsms\/[^/]+/i.test(id);

/** A target may be the HSM, or something below it. */
const hsmOf = (hsms: AlertFacts['hsms'], id: string) =>
  hsms.find(({ resourceId }) => same(id, resourceId) || id.toLowerCase().startsWith(`${resourceId.toLowerCase()}/`));

const distinct = (facts: AlertFact[]): AlertFact[] => [...new Map(facts.map((fact) => [fact.hsm, fact])).values()];

function factOf({ essentials, context }: CommonAlert, hsm: string, now: Date): AlertFact | undefined {
  const told = textOf(context.eventTimestamp);
  const at = told !== undefined && Date.parse(told) <= now.getTime() ? new Date(told).toISOString() : now.toISOString();
  const caller = callerOf(textOf(context.caller));
  const correlationId = textOf(context.correlationId);
  const fact = (what: AlertFact['what']): AlertFact => ({
    hsm,
    what,
    at,
    ...(caller ? { caller } : {}),
    ...(correlationId === undefined ? {} : { correlationId }),
  });
  const operation = (textOf(context.operationName) ?? '').toLowerCase();
  const succeeded = same(textOf(context.status) ?? '', 'Succeeded');
  if (operation === 'microsoft.keyvault/managedhsms/delete' && succeeded) return fact('hsmDeleted');
  if (operation === 'microsoft.insights/diagnosticsettings/delete' && succeeded) return fact('diagnosticsDeleted');
  const health = isObject(context.properties) ? textOf(context.properties.currentHealthStatus) : undefined;
  if (same(essentials.monitoringService, 'Resource Health') && health !== undefined && same(health, 'Unavailable')) {
    return fact('unavailable');
  }
  return measuresAvailability(context) ? fact('unavailable') : undefined;
}

function measuresAvailability({ condition }: Record<string, unknown>): boolean {
  const all = isObject(condition) && Array.isArray(condition.allOf) ? condition.allOf : [];
  return all.some(
    (each) =>
      isObject(each) &&
      same(textOf(each.metricName) ?? '', 'Availability') &&
      /managedhsms$/i.test(textOf(each.metricNamespace) ?? ''),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value.slice(0, 200) : undefined);

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** The activity log names people by mail address, and applications by object id. */
function callerOf(caller: string | undefined): AlertFact['caller'] | undefined {
  if (caller === undefined || caller === '') return undefined;
  return GUID.test(caller) ? { oid: caller.toLowerCase() } : { oid: '', upn: caller };
}

const MEANING: Record<
  AlertFact['what'],
  {
    title: string;
    explanation: string;
    nextStep: string;
    score: number;
    class: CompromiseClass;
    response: ResponseMode;
  }
> = {
  hsmDeleted: {
    title: 'was deleted',
    explanation:
      'Azure says that the HSM itself was deleted. Until its retention ends it can be recovered; then it is gone.',
    nextStep: 'Recover the HSM (az keyvault recover --hsm-name), and stop whoever deleted it from purging it.',
    score: 95,
    class: 'destruction',
    response: 'containByApproval',
  },
  diagnosticsDeleted: {
    title: 'lost a diagnostic setting',
    explanation: 'Azure says that a diagnostic setting of the HSM was deleted, so its calls may be written nowhere.',
    nextStep: 'Make the diagnostic setting again first, then look for what was done since.',
    score: 70,
    class: 'controls',
    response: 'notify',
  },
  unavailable: {
    title: 'is not available',
    explanation: 'Azure says that the HSM does not answer as it should. That may be Azure’s own fault.',
    nextStep: 'Read the resource health of the HSM; if nobody at Azure knows of it, look for who changed its network.',
    score: 30,
    class: 'destruction',
    response: 'notify',
  },
};

/** The finding that a fact is; the same fact is the same finding. */
export function findingOf(fact: AlertFact, id: string, now: Date): Finding {
  const { title, explanation, nextStep, score, class: compromise, response } = MEANING[fact.what];
  // An alert may be sent by whoever may send alerts: whom it names is told, and nothing is done to them for it.
  const who = fact.caller?.upn ?? fact.caller?.oid;
  const named = who === undefined ? '' : ` The alert names ${who}; the activity log says who it was.`;
  return {
    version: 1,
    id,
    detector: 'azure-alert',
    detectorVersion: 1,
    hsm: fact.hsm,
    keys: [],
    keysInAll: 0,
    keysUsed: [],
    classes: [],
    from: fact.at,
    until: fact.at,
    foundAt: now.toISOString(),
    title: `${fact.hsm} ${title}`,
    explanation: `${explanation}${named}`,
    nextStep,
    score,
    severity: severityOf(score),
    class: compromise,
    response,
    techniques: fact.what === 'hsmDeleted' ? ['T1485'] : fact.what === 'diagnosticsDeleted' ? ['T1562.008'] : [],
    assignments: [],
    facts: { what: fact.what },
    correlationIds: fact.correlationId === undefined ? [] : [fact.correlationId],
    intents: [],
  };
}
