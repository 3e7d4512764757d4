import type { Finding } from '../../shared/detection/finding.ts';
import { AppError } from '../../shared/errors.ts';
import { type Incident, roundOf, subjectOf } from '../../shared/incident/incident.ts';
import { joinFinding, openIncident } from '../../shared/incident/join.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import { changeIncident, createIncident, findBySubject, idOf, pointSubject, readFinding } from './incident-records.ts';

/** Two writers of one subject meet seldom, and each of them has one finding at a time. */
const MOST_TRIES = 20;

export const incidentJoiningActivities = (world: World) =>
  ({
    /**
     * Joins findings to the incidents of their subjects, opens those that are missing, and starts or wakes their response. A
     * repeat finds everything done, and starts what an earlier run did not come to start.
     */
    async joinIncidents({ hsm, findings, openedBy = 'detection' }, { starter, log }) {
      const touched = new Map<string, { id: string; opened: boolean; raised: boolean }>();
      for (const { id, day } of findings) {
        const finding = await readFinding(world.documents, hsm, day, id);
        if (!finding) {
          // Detection stores before it hands on, so this is a finding that somebody removed.
          log.warn('FindingMissing', { hsm, finding: id, day });
          continue;
        }
        const joined = await joinOne(world, finding, openedBy);
        if (!joined) continue;
        const before = touched.get(joined.incident.id);
        touched.set(joined.incident.id, {
          id: joined.incident.id,
          opened: joined.opened || before?.opened === true,
          raised: joined.raised || before?.raised === true,
        });
        await respondTo(starter, joined.incident, joined.changed);
      }
      return { kind: 'joined', incidents: [...touched.values()] };
    },
  }) satisfies Partial<ActivityHandlers>;

export interface Joined {
  incident: Incident;
  opened: boolean;
  raised: boolean;
  changed: boolean;
}

/** One finding into the incident where it belongs; undefined where it is worth none. */
export async function joinOne(world: World, finding: Finding, openedBy: string): Promise<Joined | undefined> {
  const subject = subjectOf(finding);
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const { pointer, incident } = await findBySubject(world, finding.hsm, subject);
    const now = world.clock.now();
    const joining = joinFinding(incident, finding, now);
    switch (joining.kind) {
      case 'none':
        return undefined;
      case 'known':
        return { incident: joining.incident, opened: false, raised: false, changed: false };
      case 'extend':
      case 'reopen': {
        let raised = joining.raised;
        const next = await changeIncident(world, joining.incident.id, (current) => {
          // Somebody wrote since: what they wrote decides anew.
          const again = joinFinding(current, finding, now);
          if (again.kind !== 'extend' && again.kind !== 'reopen') return current;
          raised = again.raised;
          return again.incident;
        });
        if (!next.findings.some(({ id }) => id === finding.id)) continue;
        return { incident: next, opened: joining.kind === 'reopen', raised, changed: true };
      }
      case 'open': {
        // Pointed at first: of two writers one wins, and the other joins what the first opened.
        const dangling = pointer && !incident;
        const id = dangling ? pointer.value.incident : idOf(world, finding.hsm, subject, finding.id);
        if (!dangling && !(await pointSubject(world, finding.hsm, subject, pointer, id))) continue;
        const created = await createIncident(world, openIncident(id, openedBy, finding));
        if (!created.findings.some((each) => each.id === finding.id)) continue;
        return { incident: created, opened: true, raised: false, changed: true };
      }
    }
  }
  throw new AppError(
    'ERR_TRANSIENT',
    `The finding ${finding.id} of ${finding.hsm} could not be joined: others write.`,
    {
      nextStep: 'Nothing: it is tried again.',
    },
  );
}

/** Outcomes after which a response is not run again for the same round. */
export const RESPONSE_ENDS = ['closed'] as const;

/** Starts the response of an incident, or wakes the one that runs. Safe to repeat. */
export async function respondTo(starter: Starter, incident: Incident, changed: boolean): Promise<void> {
  if (incident.status === 'closed') return;
  const outcome = await starter.startOnce('respondToCompromise', incident.id, { incident: incident.id });
  if (outcome !== 'running') return;
  if ((incident.begun ?? 0) < roundOf(incident) && roundOf(incident) > 1) {
    // The response of the round before is ending. It looks once more before it does; if it missed this, it is started anew.
    throw new AppError('ERR_TRANSIENT', `The response to ${incident.id} is just ending.`, {
      nextStep: 'Nothing: it is started again in a moment.',
    });
  }
  if (changed) await starter.wake(incident.id);
}
