import { app, type InvocationContext, type Timer } from '@azure/functions';
import * as df from 'durable-functions';
import { createLog } from '../../shared/log.ts';
import { reconciliationId } from '../instance-ids.ts';
import { lookedAfter } from '../looked-after.ts';
import { createStarter } from '../start-once.ts';

/** Starts the comparison of every key's own rotation policy with the policy document. */
export function policyReconcileTimer(hsms: { name: string; drill?: string }[]): void {
  app.timer('policyReconcileTimer', {
    schedule: '%MHSM_RECONCILE_SCHEDULE%',
    extraInputs: [df.input.durableClient()],
    handler: async (_timer: Timer, context: InvocationContext) => {
      const starter = createStarter(df.getClient(context));
      for (const { name: hsm } of lookedAfter(hsms)) {
        const outcome = await starter.startOnce('reconcileRotationPolicies', reconciliationId(hsm), { hsm });
        createLog(context).info('ReconciliationAsked', { hsm, outcome });
      }
    },
  });
}
