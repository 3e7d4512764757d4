import type * as z from 'zod';
import {
  type AlertVerdict,
  type CommonAlert,
  findingOf,
  judgeAlert,
  knownRule,
} from '../../shared/incident/judge-alert.ts';
import { canonicalJson } from '../../shared/journal/canonical.ts';
import { putFinding } from '../activities/finding-places.ts';
import { joinOne, respondTo } from '../activities/incident-joining.ts';
import { hex, utf8 } from '../activities/text.ts';
import { detectionId } from '../instance-ids.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './authorise.ts';
import type { commonAlert } from './incident-routes.ts';
import { ProblemError, refusedBecause } from './problem.ts';

/** An alert as it came, and what was made of it. */
interface StoredAlert {
  schema: 1;
  id: string;
  receivedAt: string;
  by: string;
  rule: string;
  essentials: CommonAlert['essentials'];
  verdict: AlertVerdict;
  /** Written once everything was started: until then a repeat of the alert starts it. */
  handled: boolean;
}

/**
 * Takes an alert. It only hints: the log is read anew, and nothing that it says of callers or keys is believed. What Azure
 * alone can know, such as that the HSM itself was deleted, becomes a finding. The same alert twice is one.
 */
export async function receiveAlert(
  world: World,
  starter: Starter,
  caller: Caller,
  body: z.infer<typeof commonAlert>,
): Promise<Answer> {
  if (
    caller.delegated ||
    !caller.app ||
    !world.alerts.callers.some((app) => app.toLowerCase() === caller.app?.toLowerCase())
  ) {
    throw foreignCaller(caller);
  }
  const alert = read(body);
  const { essentials } = alert;
  const id = digest(world, [essentials.originAlertId, essentials.firedDateTime, essentials.monitorCondition]);
  const path = `alerts/${essentials.firedDateTime.slice(0, 10)}/${id}.json`;
  const known = (await world.documents.read<StoredAlert>('state', path))?.value;
  if (known?.handled) return taken(id, true);
  const now = world.clock.now();
  const verdict = known?.verdict ?? (await judged(world, alert, now));
  if (verdict.kind === 'refused') throw refused(verdict);
  const stored: StoredAlert = known ?? {
    schema: 1,
    id,
    receivedAt: now.toISOString(),
    by: caller.oid,
    rule: verdict.rule,
    essentials,
    verdict,
    handled: false,
  };
  if (!known) await world.documents.create('state', path, stored);
  await handle(world, starter, stored);
  await world.documents.put('state', path, { ...stored, handled: true } satisfies StoredAlert);
  return taken(id, known !== undefined);
}

function read({ data }: z.infer<typeof commonAlert>): CommonAlert {
  const { alertRuleId, severity, resolvedDateTime, description, ...essentials } = data.essentials;
  return {
    essentials: {
      ...essentials,
      ...(alertRuleId === undefined ? {} : { alertRuleId }),
      ...(severity === undefined ? {} : { severity }),
      ...(resolvedDateTime === undefined ? {} : { resolvedDateTime }),
      ...(description === undefined ? {} : { description }),
    },
    context: data.alertContext ?? {},
  };
}

const digest = (world: World, parts: string[]): string =>
  hex(world.crypto.digest('SHA-256', utf8(canonicalJson(parts)))).slice(0, 32);

/** Judges an alert that was never seen, and counts it against its rule. */
async function judged(world: World, alert: CommonAlert, now: Date): Promise<AlertVerdict> {
  const rule = knownRule(world.alerts.rules, alert.essentials);
  const lately = rule ? await count(world, rule.rule, now) : 0;
  return judgeAlert({ alert, rules: world.alerts.rules, hsms: world.hsms, lately, now });
}

interface RuleCount {
  schema: 1;
  hour: string;
  count: number;
}

/** How many alerts of the rule came in this hour before this one. */
async function count(world: World, rule: string, now: Date): Promise<number> {
  const path = `alert-rates/${digest(world, [rule.toLowerCase()])}.json`;
  const hour = now.toISOString().slice(0, 13);
  for (;;) {
    const stored = await world.documents.read<RuleCount>('state', path);
    const before = stored?.value.hour === hour ? stored.value.count : 0;
    const next: RuleCount = { schema: 1, hour, count: before + 1 };
    const written = stored
      ? await world.documents.replace('state', path, next, stored.etag)
      : await world.documents.create('state', path, next);
    if (typeof written !== 'string') return before;
  }
}

async function handle(world: World, starter: Starter, { verdict, receivedAt }: StoredAlert): Promise<void> {
  if (verdict.kind !== 'accepted' || verdict.resolved) return;
  for (const hsm of verdict.hsms) await starter.startOnce('detectAnomalies', detectionId(hsm), { hsm });
  const at = new Date(receivedAt);
  for (const fact of verdict.facts) {
    const finding = findingOf(fact, digest(world, [fact.hsm, fact.what, fact.correlationId ?? fact.at]), at);
    await putFinding(world.documents, finding);
    const joined = await joinOne(world, finding, `alert ${verdict.rule}`);
    if (joined) await respondTo(starter, joined.incident, joined.changed);
  }
}

const taken = (id: string, repeated: boolean): Answer => ({
  status: 202,
  body: { id, status: 'accepted', repeated },
});

const refused = (verdict: Extract<AlertVerdict, { kind: 'refused' }>) =>
  refusedBecause(verdict, {
    status: verdict.reason === 'TooManyAlerts' ? 429 : 409,
    code: 'AlertRefused',
    title: 'This alert is not taken',
  });

const foreignCaller = ({ app, delegated }: Caller) =>
  new ProblemError({
    status: 403,
    code: 'Forbidden',
    title: 'Not allowed',
    detail: `Alerts are taken from the applications of MHSM_ALERT_CALLERS; the token is of ${delegated || app === undefined ? 'a person' : app}.`,
    nextStep: 'Use the secure webhook of an action group, or add the application to the setting.',
  });
