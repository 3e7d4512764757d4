import { withStep } from '../../shared/incident/decide-step.ts';
import type { Incident } from '../../shared/incident/incident.ts';
import { renderIncidentHtml } from '../../shared/incident/render-report-html.ts';
import { buildIncidentReport, type IncidentReport } from '../../shared/incident/report.ts';
import { decideTurn } from '../../shared/incident/turn.ts';
import { isWatched } from '../../shared/incident/watch.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { evidencePath } from './incident-evidence.ts';
import { endWatch } from './incident-planning.ts';
import { changeIncident, incidentOf } from './incident-records.ts';
import { noted, ruleOf, US } from './incident-world.ts';
import { utf8 } from './text.ts';

/** How long a step that could not be done is left alone. A person who mends the cause may approve it again at once. */
const RETRY_MS = 15 * 60_000;
/** So often it is tried; then it has failed, which is said, and waits for a person. */
const MOST_ATTEMPTS = 6;

export const incidentActivities = (world: World) =>
  ({
    async nextIncidentStep({ incident: id }) {
      const incident = await incidentOf(world, id);
      const { response } = await ruleOf(world, incident);
      return decideTurn(incident, response, world.clock.now());
    },

    /** A fault that outlived its retries. Nothing else of the response waits for it. */
    async deferIncidentStep({ incident: id, act, step, why }) {
      const now = world.clock.now();
      const retryAt = new Date(now.getTime() + RETRY_MS).toISOString();
      await changeIncident(world, id, (current) => {
        const line = { at: now.toISOString(), kind: 'fault', by: US, text: `${step ?? act} could not be done: ${why}` };
        const next = noted(current, line);
        if (act === 'publish') return { ...next, publishAfter: retryAt };
        if (step === undefined) return { ...next, tired: [...new Set([...(current.tired ?? []), act])] };
        return withStep(next, step, (each) => {
          const attempts = (each.attempts ?? 0) + 1;
          if (attempts < MOST_ATTEMPTS) return { ...each, attempts, retryAt, detail: why };
          return { ...each, attempts, state: 'failed', endedAt: line.at, detail: why, nextStep: AGAIN };
        });
      });
      return { kind: 'done' };
    },

    /** Writes the report, then closes: a crash in between finds the report that stands. */
    async closeIncident({ incident: id }) {
      const incident = await incidentOf(world, id);
      if (incident.status === 'closed') return { kind: 'done' };
      const path = incidentReportPath(incident);
      const closed = {
        at: world.clock.now().toISOString(),
        by: incident.closeAsked?.by ?? US,
        note: incident.closeAsked?.note ?? 'Everything was settled, and the watch had passed.',
        report: path,
      };
      const stands = await world.documents.read<IncidentReport>('evidence', `${path}.json`);
      const report = stands?.value ?? buildIncidentReport(incident, { installation: world.installation, closed });
      await world.documents.create('evidence', `${path}.json`, report);
      const html = renderIncidentHtml(report);
      await world.documents.keep('evidence', `${path}.html`, utf8(html), { hsm: incident.hsm, incident: id });
      await world.journal.append({
        id: `${id}:incident.close:${report.round}`,
        kind: 'note',
        class: 'incident.close',
        at: report.closedAt,
        hsm: incident.hsm,
        target: `incidents/${id}`,
        identity: world.identities.respond ?? world.identities.observe,
        cause: closed.by,
        instance: id,
        detail: { verdict: report.verdict, severity: report.severity, report: path },
      });
      // Before the end: a crash in between closes again, and nobody would come back for a watch that was left.
      if (!isWatched({ ...incident, status: 'closed' }, world.clock.now())) await endWatch(world, incident);
      await changeIncident(world, id, (current) => {
        if (current.status === 'closed') return current;
        const line = { at: report.closedAt, kind: 'closed', by: closed.by, text: closed.note };
        return { ...noted(current, line), status: 'closed', closed: { ...closed, at: report.closedAt } };
      });
      return { kind: 'done' };
    },
  }) satisfies Partial<ActivityHandlers>;

/** Of both reports of a round in the container `evidence`, without its ending. */
export const incidentReportPath = (incident: Pick<Incident, 'hsm' | 'id' | 'round'>): string =>
  `${evidencePath(incident)}/report`;

const AGAIN = 'Mend what is out of reach, then approve the step again.';
