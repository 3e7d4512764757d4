import * as z from 'zod';

const hsm = z.string();
/** Instance id of whoever asks. */
const instance = z.string();

/** Id of the incident, which is the instance of its response. */
const incident = z.string();
/** One thing that a response does; `step`: which step of the plan, where it is one. */
const act = z.strictObject({ incident, step: z.string().exactOptional() });

/** Inputs of the activities that answer a compromise; part of the vocabulary of inputs.ts. */
export const incidentInputs = {
  /** Findings that detection stored: `state/detection/{hsm}/findings/{day}/{id}.json`. */
  joinIncidents: z.strictObject({
    hsm,
    findings: z.array(z.strictObject({ id: z.string(), day: z.string() })),
    instance,
    /** Who found them; absent: detection. */
    openedBy: z.string().exactOptional(),
  }),
  /** What comes next, read from what is stored. */
  nextIncidentStep: z.strictObject({ incident }),
  beginIncident: act,
  collectEvidence: act,
  planIncident: act,
  watchHarder: act,
  expireIncidentStep: act,
  revokeAssignment: act,
  startIncidentRotation: act,
  followIncidentRotation: act,
  settleContainment: act,
  verifyContainment: act,
  closeIncident: act,
  /** A fault that asking again did not cure: noted, and tried again later. */
  deferIncidentStep: z.strictObject({ incident, act: z.string(), step: z.string().exactOptional(), why: z.string() }),
  publishIncidentFacts: act,
  /** Hands a notice over; its delivery has retries of its own, for which containment does not wait. */
  tellIncident: z.strictObject({
    incident,
    telling: z.enum(['opened', 'raised', 'approval', 'contained', 'escalated', 'closed']),
    stage: z.string(),
    circle: z.enum(['owner', 'deputy', 'lead']).exactOptional(),
  }),
} as const;
