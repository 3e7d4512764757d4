import type { DurableClient } from 'durable-functions';
import type * as z from 'zod';
import { lookedAfter } from '../looked-after.ts';
import { createStarter } from '../start-once.ts';
import type { World } from '../world.ts';
import { answerToBackups } from './answer-backups.ts';
import { answerToDrills } from './answer-drills.ts';
import { answerToIncidents } from './answer-incidents.ts';
import { answerToRetirements } from './answer-retirements.ts';
import type { Caller } from './authorise.ts';
import { listFindings, showFinding } from './findings.ts';
import { listNotifications, redeliverNotification } from './notifications.ts';
import { describeApi } from './openapi.ts';
import { ProblemError } from './problem.ts';
import { recordCertificates, recordCustodyFact } from './record-custody.ts';
import { requestRecovery, showRecovery } from './recoveries.ts';
import { reportRecoveryStep } from './report-recovery.ts';
import type { ParsedRequest } from './request.ts';
import { requestRotation } from './request-rotation.ts';
import type {
  custodyCertificates,
  custodyFact,
  OperationName,
  recoveryRequest,
  recoveryStepReport,
  rotationRequest,
} from './routes.ts';
import { showCustody } from './show-custody.ts';
import { showHealth } from './show-health.ts';
import { showKey } from './show-key.ts';
import { showOperation } from './show-operation.ts';
import { showPolicy } from './show-policy.ts';
import { verifyJournal } from './verify-journal.ts';

/** What a route answers when it does not refuse. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body: unknown;
}

/** Does what a parsed and authorised request asks for. Throws ProblemError, or AppError from the world. */
export async function answerTo(
  world: World,
  client: DurableClient,
  operation: OperationName,
  request: ParsedRequest,
  caller: Caller,
): Promise<Answer> {
  const { params, query, body, idempotencyKey } = request;
  const hsm = params.hsm ?? '';
  const name = params.name ?? '';
  if (params.hsm !== undefined) knownHsm(world, hsm, 'path hsm');
  if (query.hsm !== undefined) knownHsm(world, query.hsm, 'query hsm');
  const inBody = (body as { hsm?: unknown } | undefined)?.hsm;
  if (typeof inBody === 'string') knownHsm(world, inBody, 'body hsm');
  switch (operation) {
    case 'requestRotation': {
      const { expectedVersion, ...asked } = body as z.infer<typeof rotationRequest>;
      return requestRotation(world, createStarter(client), caller, {
        hsm,
        name,
        ...asked,
        ...(expectedVersion === undefined ? {} : { expectedVersion }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        dryRun: query.dryRun === 'true',
      });
    }
    case 'showKey':
      return showKey(world, hsm, name);
    case 'showOperation':
      return showOperation(client, params.id ?? '');
    case 'requestRecovery': {
      const asked = body as z.infer<typeof recoveryRequest>;
      return requestRecovery(world, createStarter(client), caller, { ...asked, dryRun: query.dryRun === 'true' });
    }
    case 'showRecovery':
      return showRecovery(world, params.id ?? '');
    case 'reportRecoveryStep':
      return reportRecoveryStep(world, client, caller, {
        ...(body as z.infer<typeof recoveryStepReport>),
        id: params.id ?? '',
        step: params.step ?? '',
      });
    case 'showCustody':
      return showCustody(world);
    case 'recordCertificates': {
      const { pem } = body as z.infer<typeof custodyCertificates>;
      return recordCertificates(world, caller, { hsm, pem, dryRun: query.dryRun === 'true' });
    }
    case 'recordCustodyFact':
      return recordCustodyFact(world, caller, {
        hsm,
        fact: body as z.infer<typeof custodyFact>,
        dryRun: query.dryRun === 'true',
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      });
    case 'listBackups':
    case 'showBackup':
    case 'requestBackup':
    case 'previewRetention':
    case 'listRestores':
    case 'showRestore':
    case 'requestRestore':
    case 'decideRestore':
      return answerToBackups(world, client, operation, request, caller);
    case 'listDrills':
    case 'showDrill':
    case 'requestDrill':
    case 'cancelDrill':
      return answerToDrills(world, client, operation, request, caller);
    case 'listNotifications':
      return listNotifications(world);
    case 'redeliverNotification':
      return redeliverNotification(world, createStarter(client), params.id ?? '', query.dryRun === 'true');
    case 'receiveAlert':
    case 'declareIncident':
    case 'listIncidents':
    case 'showIncident':
    case 'decideIncident':
      return answerToIncidents(world, client, operation, request, caller);
    case 'listFindings':
      return listFindings(world, query);
    case 'showFinding':
      return showFinding(world, params.id ?? '');
    case 'requestRetirement':
    case 'listRetirements':
    case 'showRetirement':
    case 'decideRetirement':
      return answerToRetirements(world, client, operation, request, caller);
    case 'showPolicy':
      return showPolicy(world, query.hsm);
    case 'verifyJournal':
      return verifyJournal(world);
    case 'showHealth':
      return showHealth(world);
    case 'describeApi':
      return { status: 200, body: describeApi(world.installation) };
  }
}

function knownHsm(world: World, hsm: string, field: string): void {
  if (lookedAfter(world.hsms).some((each) => each.name === hsm)) return;
  throw new ProblemError({
    status: 404,
    code: 'UnknownHsm',
    title: 'No such HSM in this installation',
    detail: `${hsm} is not one of ${lookedAfter(world.hsms)
      .map((each) => each.name)
      .join(', ')}.`,
    nextStep: 'Use a name from the setting MHSM_HSMS.',
    errors: [
      { field, rule: 'must be an HSM of this installation', example: lookedAfter(world.hsms)[0]?.name ?? 'contoso' },
    ],
  });
}
