import type { HttpRequest } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import type { World } from '../world.ts';
import { type Answer, answerTo } from './answer.ts';
import type { Authorise, Caller } from './authorise.ts';
import { parseRequest } from './request.ts';
import { type OperationName, type OperatorRoute, operatorRoutes } from './routes.ts';

/**
 * Who asks, what is asked, the answer. Platform authentication stands in front of it in Azure; the token is verified here as
 * well, before the request is looked at any further. Throws ProblemError, or AppError from the world.
 */
export async function answerRequest(
  { world, authorise, client }: { world: () => Promise<World>; authorise: Authorise; client: DurableClient },
  operation: OperationName,
  request: HttpRequest,
): Promise<{ answer: Answer; caller: Caller }> {
  const route = operatorRoutes.find((each) => each.operation === operation) as OperatorRoute;
  const caller = await authorise(request.headers.get('authorization'), route.anyOf);
  const parsed = await parseRequest(route, request);
  return { answer: await answerTo(await world(), client, operation, parsed, caller), caller };
}
