import { decideRotation } from '../../shared/rotation/decide-rotation.ts';
import type { RotationCause } from '../../shared/rotation/decision.ts';
import { inspectKey } from '../activities/inspect-key.ts';
import { hex, utf8 } from '../activities/text.ts';
import { rotationId } from '../instance-ids.ts';
import { ROTATION_ENDINGS } from '../outcomes.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import type { Caller } from './authorise.ts';
import { ProblemError } from './problem.ts';

export interface RotationRequest {
  hsm: string;
  name: string;
  reason: string;
  overrides: ('window' | 'blackout' | 'hold')[];
  expectedVersion?: string;
  dryRun: boolean;
  idempotencyKey?: string;
}

/** The third door of rotation. A request with the same Idempotency-Key is the same request, however often it is sent. */
export async function requestRotation(world: World, starter: Starter, caller: Caller, request: RotationRequest) {
  const key = { hsm: request.hsm, name: request.name };
  const receipt = request.idempotencyKey
    ? `requests/${hex(world.crypto.digest('SHA-256', utf8(`${caller.oid} ${request.idempotencyKey}`)))}.json`
    : undefined;
  const earlier = receipt ? await world.documents.read<Receipt>('state', receipt) : undefined;
  const cause: RotationCause = {
    kind: 'Operator',
    by: caller.oid,
    note: request.reason,
    overrides: [...request.overrides, 'notDue'],
  };
  if (earlier) return resume(starter, sameRequest(earlier.value, request), cause);

  const seen = await inspectKey(world, key);
  if (request.expectedVersion !== undefined && request.expectedVersion !== seen.facts.version) {
    throw new ProblemError({
      status: 409,
      code: 'InvalidRequest',
      title: 'The key has moved on',
      detail: `The current version of ${key.hsm}/${key.name} is ${seen.facts.version}, not ${request.expectedVersion}.`,
      nextStep: 'Look at the key again, and ask again only if it still needs a rotation.',
      errors: [{ field: 'body expectedVersion', rule: 'must be the current version', example: seen.facts.version }],
    });
  }
  if (request.dryRun) {
    const { hsmPolicy, ...facts } = seen;
    const decision = decideRotation({
      key,
      facts: seen.facts,
      expectedVersion: seen.facts.version,
      versionsUsed: facts.versionsUsed,
      versionsCreatedOn: facts.versionsCreatedOn,
      effective: facts.effective,
      ...(hsmPolicy ? { policyOnHsm: hsmPolicy } : {}),
      cause,
      now: world.clock.now(),
    });
    return { status: 200, body: { dryRun: true, key, version: seen.facts.version, decision } };
  }
  const mine: Receipt = { version: seen.facts.version, hsm: key.hsm, name: key.name, reason: request.reason };
  if (receipt && (await world.documents.create('state', receipt, mine)) === 'exists') {
    const first = await world.documents.read<Receipt>('state', receipt);
    if (first) return resume(starter, sameRequest(first.value, request), cause);
  }
  const id = rotationId(key, mine.version);
  const outcome = await starter.startOnce('rotateKey', id, { key, version: mine.version, cause });
  return accepted(id, outcome === 'running');
}

/** A repeat starts what the first request may not have come to start, and nothing that has ended. */
async function resume(starter: Starter, receipt: Receipt, cause: RotationCause) {
  const key = { hsm: receipt.hsm, name: receipt.name };
  const id = rotationId(key, receipt.version);
  await starter.startOnce('rotateKey', id, { key, version: receipt.version, cause }, ROTATION_ENDINGS);
  return accepted(id, false);
}

interface Receipt {
  version: string;
  hsm: string;
  name: string;
  reason: string;
}

function sameRequest(receipt: Receipt, request: RotationRequest): Receipt {
  if (receipt.hsm === request.hsm && receipt.name === request.name && receipt.reason === request.reason) return receipt;
  throw new ProblemError({
    status: 409,
    code: 'InvalidRequest',
    title: 'This Idempotency-Key was used for another request',
    detail: `The key stands for a rotation of ${receipt.hsm}/${receipt.name}.`,
    nextStep: 'Use a new Idempotency-Key for a new request.',
    errors: [{ field: 'header Idempotency-Key', rule: 'must be new for a new request' }],
  });
}

const accepted = (id: string, joined: boolean) => ({
  status: 202,
  headers: { location: `/api/operations/${id}`, 'retry-after': '5' },
  body: { id, status: 'accepted', joined },
});
