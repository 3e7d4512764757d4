import { type Containment, type Incident, stepsOfRound } from './incident.ts';
import type { PlannedStep } from './step.ts';

const isRevoke = ({ kind }: PlannedStep): boolean => kind === 'revoke';

/** Ways in that are not the app's to close. */
const isWayIn = ({ id }: PlannedStep): boolean => /person-(roles|group)$/.test(id);

/** Whether something is to be taken away now. */
export const containmentMoves = (incident: Incident): boolean =>
  stepsOfRound(incident).some(
    (step) =>
      isRevoke(step) &&
      (step.state === 'approved' || step.state === 'underWay' || (step.offered !== true && step.state === 'planned')),
  );

/** Whether something is taken away as soon as people say so. */
export const containmentWaits = (incident: Incident): boolean =>
  stepsOfRound(incident).some((step) => isRevoke(step) && step.offered !== true && step.state === 'waiting');

/** Whether something was to be taken away and was not, though nobody said no. */
export const containmentFailed = (incident: Incident): boolean =>
  stepsOfRound(incident).some(
    (step) =>
      isRevoke(step) &&
      step.offered !== true &&
      (step.state === 'failed' || step.state === 'refused' || step.state === 'expired'),
  );

/** What was taken away and what remains, so that nothing is left half contained without being said. */
export function containmentOf(incident: Incident): Omit<Containment, 'at'> {
  const plan = stepsOfRound(incident);
  const revokes = plan.filter(isRevoke);
  const gone = revokes.filter(({ state }) => state === 'done' || state === 'skipped');
  const remains = [
    ...revokes
      .filter(({ state }) => state !== 'done' && state !== 'skipped')
      .map((step) => `${step.title}: ${whyNot(step)}`),
    ...plan
      .filter((step) => isWayIn(step) && step.state !== 'done')
      .map(({ title }) => `${title}: nobody has said it is done.`),
  ];
  const kind = gone.length === 0 ? 'none' : remains.length === 0 ? 'full' : 'partial';
  return { kind, remains };
}

function whyNot({ state, detail, offered }: PlannedStep): string {
  switch (state) {
    case 'waiting':
      return offered ? 'offered, and nobody asked for it.' : 'waits for an approval.';
    case 'undone':
      return 'it was put back.';
    default:
      return detail === undefined ? `${state}.` : `${state}. ${detail}`;
  }
}
