import type { LifecycleEvent } from '../../shared/events/lifecycle-event.ts';
import { containmentOf } from '../../shared/incident/containment.ts';
import { describeSubject, type Incident, keysByWeight, roundOf } from '../../shared/incident/incident.ts';
import { isPlain } from '../../shared/incident/plan-keys.ts';
import { CLASS_WORDS } from '../../shared/incident/report.ts';
import { approvalsNeeded, type PlannedStep } from '../../shared/incident/step.ts';
import { type Circle, raisedStage, type Telling, waitingFor } from '../../shared/incident/turn.ts';
import type { HsmNotice, NoticeStep } from '../../shared/notification/hsm-notice.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import { effectiveRule } from '../../shared/policy/effective-rule.ts';
import type { HsmRule } from '../../shared/policy/hsm-rule.ts';
import type { NoticeRule } from '../../shared/policy/rule.ts';
import type { ActivityHandlers } from '../implement.ts';
import { noticeId } from '../instance-ids.ts';
import type { World } from '../world.ts';
import { changeIncident, incidentOf } from './incident-records.ts';
import { known, noted, US } from './incident-world.ts';
import { policyInForce } from './policy-in-force.ts';
import { presentKeys } from './present-keys.ts';

/** The same stage is told once; its id says so for ever. */
const NEVER_AGAIN = 'P10Y';
const MOST_OWNERS = 10;

const EVENT: Partial<Record<Telling, NonNullable<Incident['unpublished']>[number]['type']>> = {
  opened: 'IncidentOpened',
  contained: 'IncidentContained',
  closed: 'IncidentClosed',
};

export const incidentNoticeActivities = (world: World) =>
  ({
    /** One mail a stage, to whoever cares for the HSM and the keys. Delivery goes on by itself, with retries of its own. */
    async tellIncident({ incident: id, telling, stage, circle }, { starter }) {
      const incident = await incidentOf(world, id);
      if (incident.told?.[stage] !== undefined) return { kind: 'done' };
      const at = world.clock.now().toISOString();
      const notice = await noticeOf(world, incident, telling, at, circle);
      const input = { id: `${id}-${stage}`, notice, repeatAfter: NEVER_AGAIN };
      await starter.startOnce('deliverNotification', noticeId(id, stage), input, ['told', 'toldRecently']);
      await changeIncident(world, id, (current) => {
        if (current.told?.[stage] !== undefined) return current;
        const told = { ...current.told, [stage]: at, ...(telling === 'opened' ? { [raisedStage(incident)]: at } : {}) };
        // That nothing was taken away is told to people, and is no containment.
        const type = telling === 'contained' && containmentOf(current).kind === 'none' ? undefined : EVENT[telling];
        const text = circle === undefined ? `Told: ${telling}.` : `Called: ${circle}.`;
        return {
          ...noted(current, { at, kind: 'notice', by: US, text }),
          told,
          ...(type ? { unpublished: [...(current.unpublished ?? []), { type, stage, at }] } : {}),
        };
      });
      return { kind: 'done' };
    },

    async publishIncidentFacts({ incident: id }) {
      const incident = await incidentOf(world, id);
      const facts = incident.unpublished ?? [];
      if (facts.length === 0) return { kind: 'done' };
      await world.events.publish(facts.map((fact) => eventOf(world, incident, fact)));
      const sent = new Set(facts.map(({ stage }) => stage));
      await changeIncident(world, id, ({ publishAfter: _, ...current }) => ({
        ...current,
        unpublished: (current.unpublished ?? []).filter(({ stage }) => !sent.has(stage)),
      }));
      return { kind: 'done' };
    },
  }) satisfies Partial<ActivityHandlers>;

function eventOf(
  world: World,
  incident: Incident,
  { type, stage, at }: NonNullable<Incident['unpublished']>[number],
): LifecycleEvent {
  const { id, hsm, severity, score, keys } = incident;
  const settings = world.hsms.find(({ name }) => name === hsm);
  if (!settings) throw new Error(`no HSM named ${hsm} in the settings`);
  const subject = describeSubject(incident.subject, hsm);
  const contained = incident.containment?.kind ?? 'none';
  const summary = {
    IncidentOpened: `${CLASS_WORDS[incident.class]}: ${incident.findings[0]?.title ?? ''}`,
    IncidentContained: contained === 'full' ? `${subject} was kept out.` : `${subject} was kept out in part.`,
    IncidentClosed: `Closed, ${incident.verdict?.verdict ?? 'without a verdict'}.`,
  }[type];
  return {
    id: `${type}/${hsm}/${id}/${stage}`,
    type,
    source: settings.resourceId,
    subject: `incidents/${id}`,
    time: at,
    data: {
      hsm,
      summary,
      reference: id,
      severity,
      score,
      class: incident.class,
      round: roundOf(incident),
      keys,
      about: subject,
      contained,
      verdict: incident.verdict?.verdict ?? null,
    },
  };
}

async function noticeOf(
  world: World,
  incident: Incident,
  telling: Telling,
  at: string,
  circle: Circle = 'owner',
): Promise<HsmNotice> {
  const inForce = await policyInForce(world);
  const { rule } = effectiveHsmRule(inForce.policy, incident.hsm, inForce.version);
  const about = {
    at,
    hsm: incident.hsm,
    notify: await readersOf(world, incident, rule),
    incident: incident.id,
    severity: incident.severity,
    subject: describeSubject(incident.subject, incident.hsm),
    gained: CLASS_WORDS[incident.class],
    findings: incident.findings
      .slice(-5)
      .toReversed()
      .map(({ title }) => title),
    findingsInAll: incident.findingsInAll ?? incident.findings.length,
    keys: incident.keys,
  };
  const { plan = [], closed, verdict, verification } = incident;
  switch (telling) {
    case 'opened':
      return { kind: 'IncidentOpened', ...about, openedBy: incident.openedBy, willDo: [] };
    case 'raised':
      return { kind: 'IncidentRaised', ...about };
    case 'approval':
      return { kind: 'IncidentApprovalWanted', ...about, steps: waitingFor(incident).map(asTold) };
    case 'contained': {
      const { kind, remains } = containmentOf(incident);
      const tookAway = incident.removed?.some(({ putBackAt }) => putBackAt === undefined);
      const canPutBack = tookAway ? { canPutBack: true as const } : {};
      const done = plan.flatMap(({ kind: of, state, title, detail = 'it was gone already.' }) =>
        state === 'done' ? [title] : of === 'revoke' && state === 'skipped' ? [`${title}: ${detail}`] : [],
      );
      return { kind: 'IncidentContained', ...about, result: kind, ...canPutBack, done, remains };
    }
    case 'escalated': {
      const steps = waitingFor(incident);
      const since = steps.map(({ waitingSince = at }) => waitingSince).sort()[0] ?? at;
      const called = { owner: about.notify.notify, deputy: rule.response.deputies, lead: rule.response.leads }[circle];
      const notify = called.length > 0 ? { ...about.notify, notify: [...called] } : rule.notice;
      const nobody = called.length === 0 ? { nobodyNamed: true as const } : {};
      return { kind: 'IncidentEscalated', ...about, notify, circle, ...nobody, since, steps: steps.map(asTold) };
    }
    case 'closed':
      return {
        kind: 'IncidentClosed',
        ...about,
        verdict: verdict?.verdict ?? 'none',
        by: closed?.by === US || closed === undefined ? 'The automation' : (incident.closeAsked?.name ?? closed.by),
        note: closed?.note ?? '',
        contained: incident.containment?.kind ?? 'none',
        ...(verification ? { keptOut: verification.result } : {}),
        report: `${closed?.report ?? ''}.html`,
      };
  }
}

const asTold = ({ id, title, why, mode, until, shown }: PlannedStep): NoticeStep => ({
  id,
  title,
  why,
  approvals: approvalsNeeded(mode),
  ...(until === undefined ? {} : { until }),
  shown,
});

/** Whoever cares for the HSM, and the owners of the keys. A key that cannot be read is told to the owners of the HSM. */
async function readersOf(world: World, incident: Incident, { notice }: HsmRule): Promise<NoticeRule> {
  const { hsm } = incident;
  const { policy, version } = await policyInForce(world);
  const notify = [...notice.notify];
  const names = keysByWeight(incident).filter(isPlain).slice(0, MOST_OWNERS);
  const present = await presentKeys(world, hsm, names, true);
  for (const name of names) {
    const facts = present.has(name) ? await known(world.keys.observe.read({ hsm, name }), undefined, true) : undefined;
    const rule = effectiveRule(policy, hsm, name, facts?.tags ?? {}, version).rule.notice;
    notify.push(...rule.notify);
  }
  return { ...notice, notify: [...new Set(notify)] };
}
