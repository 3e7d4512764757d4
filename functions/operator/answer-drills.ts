import type { DurableClient } from 'durable-functions';
import type * as z from 'zod';
import { createStarter } from '../start-once.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './authorise.ts';
import type { drillCancellation, drillRequest } from './drill-routes.ts';
import { cancelDrill, listDrills, requestDrill, showDrill } from './drills.ts';
import type { ParsedRequest } from './request.ts';

export type DrillOperation = 'listDrills' | 'showDrill' | 'requestDrill' | 'cancelDrill';

/** Restore drills. The HSM that a body names was found to be one of this installation. */
export async function answerToDrills(
  world: World,
  client: DurableClient,
  operation: DrillOperation,
  { params, query, body, idempotencyKey }: ParsedRequest,
  caller: Caller,
): Promise<Answer> {
  switch (operation) {
    case 'listDrills':
      return listDrills(world);
    case 'showDrill':
      return showDrill(world, params.id ?? '');
    case 'cancelDrill':
      return cancelDrill(world, client, caller, params.id ?? '', (body as z.infer<typeof drillCancellation>).reason);
    case 'requestDrill': {
      const { backup, ...asked } = body as z.infer<typeof drillRequest>;
      return requestDrill(world, createStarter(client), caller, {
        ...asked,
        ...(backup === undefined ? {} : { backup }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        dryRun: query.dryRun === 'true',
      });
    }
  }
}
