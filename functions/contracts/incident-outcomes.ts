import type { Turn } from '../../shared/incident/turn.ts';
import type { Failed } from './outcomes.ts';

/** What the activities of an incident answer when nothing failed. */
export interface IncidentActivityOutcomes {
  joinIncidents: {
    kind: 'joined';
    /** `opened`: new, or opened again. `raised`: its severity rose a band. */
    incidents: { id: string; opened: boolean; raised: boolean }[];
  };
  nextIncidentStep: Turn;
  beginIncident: Performed;
  collectEvidence: Performed;
  planIncident: Performed;
  watchHarder: Performed;
  expireIncidentStep: Performed;
  revokeAssignment: Performed;
  startIncidentRotation: Performed;
  followIncidentRotation: Performed;
  settleContainment: Performed;
  verifyContainment: Performed;
  closeIncident: Performed;
  deferIncidentStep: Performed;
  publishIncidentFacts: Performed;
  tellIncident: Performed;
}

/** What came of it stands in the incident. */
export interface Performed {
  kind: 'done';
}

export type RespondToCompromiseOutcome = { kind: 'closed'; incident: string } | { kind: 'goesOn' } | Failed;
