/** What the activities of an incident answer when nothing failed. */
export interface IncidentActivityOutcomes {
  joinIncidents: {
    kind: 'joined';
    /** `opened`: new, or opened again. `raised`: its severity rose a band. */
    incidents: { id: string; opened: boolean; raised: boolean }[];
  };
}
