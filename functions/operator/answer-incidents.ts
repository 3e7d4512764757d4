import type { DurableClient } from 'durable-functions';
import type * as z from 'zod';
import { createStarter } from '../start-once.ts';
import type { World } from '../world.ts';
import { receiveAlert } from './alerts.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './authorise.ts';
import { decideIncident } from './decide-incident.ts';
import type { commonAlert, incidentDecision, incidentDeclaration } from './incident-routes.ts';
import { declareIncident, listIncidents, showIncident } from './incidents.ts';
import type { ParsedRequest } from './request.ts';

export type IncidentOperation =
  | 'receiveAlert'
  | 'declareIncident'
  | 'listIncidents'
  | 'showIncident'
  | 'decideIncident';

/** Incidents, and the alerts that may become some. The HSM that a body names was found to be one of this installation. */
export async function answerToIncidents(
  world: World,
  client: DurableClient,
  operation: IncidentOperation,
  { params, query, body, idempotencyKey }: ParsedRequest,
  caller: Caller,
): Promise<Answer> {
  const more = { dryRun: query.dryRun === 'true', ...(idempotencyKey === undefined ? {} : { idempotencyKey }) };
  switch (operation) {
    case 'receiveAlert':
      return receiveAlert(world, createStarter(client), caller, body as z.infer<typeof commonAlert>);
    case 'declareIncident':
      return declareIncident(world, createStarter(client), caller, body as z.infer<typeof incidentDeclaration>, more);
    case 'listIncidents':
      return listIncidents(world);
    case 'showIncident':
      return showIncident(world, params.id ?? '');
    case 'decideIncident': {
      const decision = body as z.infer<typeof incidentDecision>;
      return decideIncident(world, createStarter(client), caller, params.id ?? '', decision, more);
    }
  }
}
