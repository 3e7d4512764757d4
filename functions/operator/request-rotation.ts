import { type KeyRef, keyLabel } from '../../shared/keys/key.ts';
import { decideRotation } from '../../shared/rotation/decide-rotation.ts';
import type { RotationCause } from '../../shared/rotation/decision.ts';
import { inspectKey } from '../activities/inspect-key.ts';
import { hex, utf8 } from '../activities/text.ts';
import type { Inspected } from '../contracts/outcomes.ts';
import { rotationId } from '../instance-ids.ts';
import type { Starter } from '../start-once.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
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
export async function requestRotation(
  world: World,
  starter: Starter,
  caller: Caller,
  request: RotationRequest,
): Promise<Answer> {
  const path = receiptPath(world, caller, request);
  const earlier = path ? await world.documents.read<Receipt>('state', path) : undefined;
  if (path && earlier) return repeat(world, starter, caller, path, sameRequest(earlier.value, request));

  const key = { hsm: request.hsm, name: request.name };
  const seen = await inspectKey(world, key);
  const { version } = seen.facts;
  if (request.expectedVersion !== undefined && request.expectedVersion !== version)
    throw movedOn(key, version, request);
  if (request.dryRun) return plan(world, key, seen, causeOf(caller, request));

  const { hsm, name, reason, overrides, expectedVersion } = request;
  const asked = { hsm, name, reason, overrides, ...(expectedVersion === undefined ? {} : { expectedVersion }) };
  const receipt: Receipt = { schema: 1, ...asked, version, started: false };
  if (path && (await world.documents.create('state', path, receipt)) === 'exists') {
    const first = await world.documents.read<Receipt>('state', path);
    if (first) return repeat(world, starter, caller, path, sameRequest(first.value, request));
  }
  return start(world, starter, caller, path, receipt);
}

/** What an Idempotency-Key stands for: the request as it was first sent, and the version that it speaks of. */
interface Receipt {
  schema: 1;
  hsm: string;
  name: string;
  reason: string;
  overrides: RotationRequest['overrides'];
  expectedVersion?: string;
  version: string;
  /** Written once the rotation was asked for: until then a repeat asks for it. */
  started: boolean;
}

/** None for a dry run: it has no effect, so nothing of it is kept, and no repeat of it may start anything. */
function receiptPath(world: World, caller: Caller, { idempotencyKey, dryRun }: RotationRequest): string | undefined {
  if (idempotencyKey === undefined || dryRun) return undefined;
  return `requests/${hex(world.crypto.digest('SHA-256', utf8(`${caller.oid} ${idempotencyKey}`)))}.json`;
}

const causeOf = (caller: Caller, { reason, overrides }: Pick<Receipt, 'reason' | 'overrides'>): RotationCause => ({
  kind: 'Operator',
  by: caller.oid,
  note: reason,
  overrides: [...overrides, 'notDue'],
});

/** Asks for the rotation, then says so in the receipt: a crash in between asks again, which starts nothing twice. */
async function start(world: World, starter: Starter, caller: Caller, path: string | undefined, receipt: Receipt) {
  const key = { hsm: receipt.hsm, name: receipt.name };
  const id = rotationId(key, receipt.version);
  const cause = causeOf(caller, receipt);
  const outcome = await starter.startOnce('rotateKey', id, { key, version: receipt.version, cause }, ['rotated']);
  if (path) await world.documents.put('state', path, { ...receipt, started: true } satisfies Receipt);
  return accepted(id, outcome === 'running');
}

/** A repeat starts what the first request did not come to start, and nothing that it did. */
async function repeat(world: World, starter: Starter, caller: Caller, path: string, receipt: Receipt) {
  if (!receipt.started) return start(world, starter, caller, path, receipt);
  return accepted(rotationId(receipt, receipt.version), false);
}

function plan(world: World, key: KeyRef, seen: Inspected, cause: RotationCause) {
  const decision = decideRotation({
    key,
    facts: seen.facts,
    expectedVersion: seen.facts.version,
    versionsUsed: seen.versionsUsed,
    versionsCreatedOn: seen.versionsCreatedOn,
    effective: seen.effective,
    ...(seen.hsmPolicy ? { policyOnHsm: seen.hsmPolicy } : {}),
    cause,
    now: world.clock.now(),
  });
  return { status: 200, body: { dryRun: true, key, version: seen.facts.version, decision } };
}

const movedOn = (key: KeyRef, version: string, { expectedVersion }: RotationRequest) =>
  new ProblemError({
    status: 409,
    code: 'InvalidRequest',
    title: 'The key has moved on',
    detail: `The current version of ${keyLabel(key)} is ${version}, not ${expectedVersion}.`,
    nextStep: 'Look at the key again, and ask again only if it still needs a rotation.',
    errors: [{ field: 'body expectedVersion', rule: 'must be the current version', example: version }],
  });

function sameRequest(receipt: Receipt, request: RotationRequest): Receipt {
  const essence = ({ hsm, name, reason, overrides, expectedVersion }: Receipt | RotationRequest) =>
    JSON.stringify([hsm, name, reason, overrides.toSorted(), expectedVersion ?? null]);
  if (essence(receipt) === essence(request)) return receipt;
  throw new ProblemError({
    status: 409,
    code: 'InvalidRequest',
    title: 'This Idempotency-Key was used for another request',
    detail: `The key stands for a rotation of ${keyLabel(receipt)}.`,
    nextStep: 'Use a new Idempotency-Key for a new request.',
    errors: [{ field: 'header Idempotency-Key', rule: 'must be new for a new request' }],
  });
}

const accepted = (id: string, joined: boolean) => ({
  status: 202,
  headers: { location: `/api/operations/${id}`, 'retry-after': '5' },
  body: { id, status: 'accepted', joined },
});
