import type { DurableClient } from 'durable-functions';
import type * as z from 'zod';
import { RETIREMENT_DECIDED } from '../instance-ids.ts';
import { createStarter, wakeInstance } from '../start-once.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './authorise.ts';
import type { ParsedRequest } from './request.ts';
import type { retirementDecision, retirementRequest } from './retirement-routes.ts';
import {
  decideRetirement,
  listRetirements,
  type RetirementOperation,
  requestRetirement,
  showRetirement,
} from './retirements.ts';

/** Retirements of old versions. The HSM that a path names was found to be one of this installation. */
export async function answerToRetirements(
  world: World,
  client: DurableClient,
  operation: RetirementOperation,
  { params, query, body, idempotencyKey }: ParsedRequest,
  caller: Caller,
): Promise<Answer> {
  const { hsm = '', name = '', version = '', id = '' } = params;
  switch (operation) {
    case 'requestRetirement':
      return requestRetirement(world, createStarter(client), caller, {
        ...{ hsm, name, version },
        ...(body as z.infer<typeof retirementRequest>),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        dryRun: query.dryRun === 'true',
      });
    case 'listRetirements':
      return listRetirements(world);
    case 'showRetirement':
      return showRetirement(world, id);
    case 'decideRetirement': {
      const wake = (instance: string) => wakeInstance(client, instance, RETIREMENT_DECIDED);
      return decideRetirement(world, wake, caller, { id, ...(body as z.infer<typeof retirementDecision>) });
    }
  }
}
