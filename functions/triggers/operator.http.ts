import { app, type HttpRequest, type HttpResponseInit, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { createLog } from '../../shared/log.ts';
import type { Authorise } from '../operator/authorise.ts';
import { asProblem, problemResponse } from '../operator/problem.ts';
import type { OperationName } from '../operator/routes.ts';
import type { World } from '../world.ts';

/** Registered without loading what the routes need: schemas and handlers are loaded by the first request. */
export const ROUTES: { operation: OperationName; method: 'GET' | 'POST'; path: string }[] = [
  { operation: 'requestRotation', method: 'POST', path: 'keys/{hsm}/{name}/rotation' },
  { operation: 'showKey', method: 'GET', path: 'keys/{hsm}/{name}' },
  { operation: 'showOperation', method: 'GET', path: 'operations/{id}' },
  { operation: 'showCustody', method: 'GET', path: 'custody' },
  { operation: 'recordCertificates', method: 'POST', path: 'custody/{hsm}/certificates' },
  { operation: 'recordCustodyFact', method: 'POST', path: 'custody/{hsm}/facts' },
  { operation: 'listBackups', method: 'GET', path: 'backups' },
  { operation: 'showBackup', method: 'GET', path: 'backups/{hsm}/{id}' },
  { operation: 'requestBackup', method: 'POST', path: 'backups' },
  { operation: 'previewRetention', method: 'POST', path: 'backups/retention' },
  { operation: 'listRestores', method: 'GET', path: 'restores' },
  { operation: 'showRestore', method: 'GET', path: 'restores/{id}' },
  { operation: 'requestRestore', method: 'POST', path: 'restores' },
  { operation: 'decideRestore', method: 'POST', path: 'restores/{id}/decision' },
  { operation: 'listDrills', method: 'GET', path: 'drills' },
  { operation: 'showDrill', method: 'GET', path: 'drills/{id}' },
  { operation: 'requestDrill', method: 'POST', path: 'drills' },
  { operation: 'cancelDrill', method: 'POST', path: 'drills/{id}/cancellation' },
  { operation: 'listNotifications', method: 'GET', path: 'notifications' },
  { operation: 'redeliverNotification', method: 'POST', path: 'notifications/{id}/redelivery' },
  { operation: 'receiveAlert', method: 'POST', path: 'alerts' },
  { operation: 'declareIncident', method: 'POST', path: 'incidents' },
  { operation: 'listIncidents', method: 'GET', path: 'incidents' },
  { operation: 'showIncident', method: 'GET', path: 'incidents/{id}' },
  { operation: 'decideIncident', method: 'POST', path: 'incidents/{id}/decisions' },
  { operation: 'listFindings', method: 'GET', path: 'findings' },
  { operation: 'showFinding', method: 'GET', path: 'findings/{id}' },
  { operation: 'requestRetirement', method: 'POST', path: 'keys/{hsm}/{name}/versions/{version}/retirement' },
  { operation: 'listRetirements', method: 'GET', path: 'retirements' },
  { operation: 'showRetirement', method: 'GET', path: 'retirements/{id}' },
  { operation: 'decideRetirement', method: 'POST', path: 'retirements/{id}/decision' },
  { operation: 'requestRecovery', method: 'POST', path: 'recoveries' },
  { operation: 'showRecovery', method: 'GET', path: 'recoveries/{id}' },
  { operation: 'reportRecoveryStep', method: 'POST', path: 'recoveries/{id}/steps/{step}' },
  { operation: 'showPolicy', method: 'GET', path: 'policy' },
  { operation: 'verifyJournal', method: 'GET', path: 'journal/verification' },
  { operation: 'showHealth', method: 'GET', path: 'health' },
  { operation: 'describeApi', method: 'GET', path: 'openapi.json' },
];

/** The operator API. Who asks and what is asked are judged behind this door, by what the first request loads. */
export function operatorHttp(world: () => Promise<World>, authorise: Authorise): void {
  for (const { operation, method, path } of ROUTES) {
    app.http(operation, {
      methods: [method],
      authLevel: 'anonymous',
      route: path,
      extraInputs: [df.input.durableClient()],
      handler: async (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> => {
        const log = createLog(context);
        try {
          const { answerRequest } = await import('../operator/answer-request.ts');
          const client = df.getClient(context);
          const { answer, caller } = await answerRequest({ world, authorise, client }, operation, request);
          log.info('OperatorAnswered', { operation, caller: caller.oid, status: answer.status });
          return { status: answer.status, headers: { ...answer.headers }, jsonBody: answer.body };
        } catch (error) {
          const problem = asProblem(error);
          if (problem.code === 'Faulted') log.error('OperatorFaulted', { operation, error });
          else log.warn('OperatorRefused', { operation, code: problem.code, detail: problem.detail });
          return problemResponse(problem, context.invocationId);
        }
      },
    });
  }
}
