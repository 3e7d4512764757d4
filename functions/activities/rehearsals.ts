import type { Runbook } from '../../shared/recovery/runbook.ts';
import type { World } from '../world.ts';
import { changeRecovery, type RehearsalEnd, type StoredRecovery } from './recovery-records.ts';
import { stageCopy } from './restore-staging.ts';

/** Until when a creation may still take effect after it was sent: a request and its repeats are over by then. */
const CREATION_SETTLES_MS = 5 * 60_000;

export const creationSettlesOn = (world: World, { creationSentOn, hsm }: StoredRecovery): string | undefined =>
  creationSentOn === undefined
    ? undefined
    : new Date(Date.parse(creationSentOn) + Math.max(CREATION_SETTLES_MS, world.settleMs(hsm))).toISOString();

/**
 * Writes down that the creation is sent, unless the rehearsal is over: of the two, whichever is written first counts. So
 * whoever removes the HSM either sees that one may come, or knows that none will.
 */
export async function mayCreate(world: World, { id }: StoredRecovery): Promise<boolean> {
  const creationSentOn = world.clock.now().toISOString();
  const { closing } = await changeRecovery(world, id, (current) =>
    current.closing ? current : { ...current, creationSentOn },
  );
  return closing === undefined;
}

/** Ends a rehearsal; the first end stands. */
export async function closeRehearsal(
  world: World,
  { id, hsm, by: cause }: StoredRecovery,
  end: Omit<RehearsalEnd, 'at'>,
): Promise<RehearsalEnd> {
  const at = world.clock.now().toISOString();
  const { closing = { at, ...end } } = await changeRecovery(world, id, (current) =>
    current.closing ? current : { ...current, closing: { at, ...end } },
  );
  await world.journal.append({
    id: `${id}:closed`,
    kind: 'note',
    class: 'drill.rehearsalClosed',
    at: closing.at,
    hsm,
    target: `recoveries/${id}`,
    identity: world.identities.restore ?? world.identities.observe,
    cause,
    instance: id,
    detail: { reason: closing.reason, explanation: closing.explanation, by: closing.by },
  });
  return closing;
}

/** Whether the rehearsal goes no further, and why. A recovery never ends by itself. */
export async function endOfRehearsal(
  world: World,
  recovery: StoredRecovery,
  runbook: Runbook,
): Promise<RehearsalEnd | undefined> {
  const { rehearsal, closing } = recovery;
  if (!rehearsal || closing) return closing;
  const close = (reason: string, explanation: string) =>
    closeRehearsal(world, recovery, { by: 'automation', reason, explanation, result: 'skipped' });
  const approval = runbook.steps.find(({ name }) => name === 'approveCost');
  if (approval?.state === 'failed') {
    const { by = 'another person', evidence } = approval.report ?? {};
    return close('ApprovalDenied', `${by} did not approve the cost${evidence === undefined ? '.' : `: ${evidence}`}`);
  }
  if (world.clock.now().getTime() < Date.parse(rehearsal.until)) return undefined;
  const open = runbook.steps.filter(({ name }) => runbook.ready.includes(name));
  const text = open.map(({ title, who }) => `${title} (${who})`).join(', ');
  return close('NotInTime', `The drill waited until ${rehearsal.until} for: ${text}.`);
}

/** Hashes the verified copy, and lays it where the new HSM reads it. */
export async function stageForRehearsal(world: World, { id, newHsm, backup = '', by }: StoredRecovery) {
  const staged = await stageCopy(world, { hsm: newHsm, instance: id, backup, by });
  return staged.kind === 'staged'
    ? { kind: 'done' as const, evidence: `${staged.blobs} blobs as they were sealed, ${staged.putBack} put back` }
    : { kind: 'refused' as const, explanation: staged.explanation, final: staged.reason };
}
