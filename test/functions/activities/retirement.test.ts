import type { DurableClient } from 'durable-functions';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { retirementActivities } from '../../../functions/activities/retirement.ts';
import { requestRetirement } from '../../../functions/operator/retirements.ts';
import type { VersionUse } from '../../../shared/adoption/judge-adoption.ts';
import { AppError } from '../../../shared/errors.ts';
import { APPROVER, ask, OPERATOR } from '../../support/operator.ts';
import { createFakeStarter } from '../../support/starter.ts';
import { protectedWith, withVersionUse } from '../../support/version-use.ts';
import { aKey, createFakeWorld } from '../../support/world.ts';

const OLD = 'a'.repeat(32);
const NEW = 'b'.repeat(32);
const SINCE = '2030-01-01T00:00:00.000Z';
const target = { hsm: 'contoso', name: 'orders', version: OLD };

/** A key that was rotated a year ago and whose users have moved; a person asks for the old version to be disabled. */
async function aRetirement(use: VersionUse[] = [], fails?: () => Error | undefined) {
  const world = createFakeWorld({
    orders: {
      versions: [
        aKey({ version: OLD, createdOn: '2028-01-01T00:00:00.000Z' }),
        aKey({ version: NEW, createdOn: '2029-01-01T00:00:00.000Z' }),
      ],
    },
  });
  const rows = [protectedWith(NEW, '2029-12-31T00:00:00.000Z'), ...use];
  withVersionUse(world, rows, fails);
  const starter = createFakeStarter();
  const asked = { ...target, reason: 'nobody uses it', dryRun: false };
  const request = () => requestRetirement(world, starter, OPERATOR, asked);
  const woken: string[] = [];
  const client = { raiseEvent: async (id: string) => void woken.push(id) } as unknown as DurableClient;
  const decide = (id: string, decision: 'approve' | 'reject', caller = APPROVER) =>
    ask(world, 'decideRetirement', { params: { id }, body: { decision }, caller, client });
  const enabled = () => world.fakeKeys.get('orders')?.versions.map((each) => each.enabled);
  const disables = () => world.calls.filter((call) => call === 'disable').length;
  return { world, rows, starter, request, decide, woken, enabled, disables, ...retirementActivities(world) };
}

async function approved(use?: VersionUse[]) {
  const found = await aRetirement(use);
  const { id: instance } = (await found.request()).body as { id: string };
  await found.decide(instance, 'approve');
  return { ...found, instance };
}

describe('a retirement', () => {
  test('waits for another person, is shown, and then disables the version once, announced before', async () => {
    const { world, starter, request, decide, woken, enabled, judgeRetirement, disableKeyVersion } = await aRetirement();
    const { id } = (await request()).body as { id: string };
    expect(starter.started).toMatchObject([{ name: 'retireKeyVersion', id, input: target }]);
    expect(await judgeRetirement({ instance: id })).toMatchObject({ kind: 'awaitApproval' });
    await expect(disableKeyVersion({ instance: id })).rejects.toThrow('not approved');
    expect(await decide(id, 'approve', { ...OPERATOR, roles: ['Approver'] })).toMatchObject({
      status: 403,
      body: { code: 'Forbidden', reason: 'ApprovedByRequester' },
    });
    expect((await decide(id, 'approve')).status).toBe(202);
    expect((await decide(id, 'reject')).status).toBe(409);
    expect(woken).toEqual([id]);
    expect(await judgeRetirement({ instance: id })).toEqual({ kind: 'proceed' });
    expect(await disableKeyVersion({ instance: id })).toEqual({
      kind: 'disabled',
      at: SINCE,
      watchedUntil: '2030-01-03T00:30:00.000Z',
    });
    expect(enabled()).toEqual([false, true]);
    const { body } = await ask(world, 'showRetirement', { params: { id } });
    expect(body).toMatchObject({ status: 'underWay', by: OPERATOR.oid, decision: { by: APPROVER.oid } });
    const acts = world.journalled.filter((entry) => entry.class === 'key.disable').map(({ kind }) => kind);
    expect(acts).toEqual(['intent', 'outcome']);
  });

  test.each(['before', 'after'] as const)(
    'killed %s the effect disables once, and knows its own deed',
    async (when) => {
      const { world, instance, enabled, disableKeyVersion } = await approved();
      world.onEnable[when] = () => {
        throw new Error('killed');
      };
      await expect(disableKeyVersion({ instance })).rejects.toThrow('killed');
      expect(enabled()).toEqual([when === 'before', true]);
      delete world.onEnable[when];
      world.now.value = new Date('2030-01-01T00:05:00.000Z');
      expect(await disableKeyVersion({ instance })).toMatchObject({ kind: 'disabled' });
      expect(await disableKeyVersion({ instance })).toMatchObject({ kind: 'disabled' });
      expect(enabled()).toEqual([false, true]);
      expect(world.calls.filter((call) => call === 'disable')).toHaveLength(when === 'before' ? 2 : 1);
    },
  );

  test.each([
    ['that was put into the store', undefined],
    ['of a request that was changed afterwards', { version: 'c'.repeat(32) }],
  ])('disables nothing by an approval %s', async (_, change) => {
    const { world, request, decide, disables, judgeRetirement, disableKeyVersion } = await aRetirement();
    const { id: instance } = (await request()).body as { id: string };
    if (change) {
      await decide(instance, 'approve');
      const path = `retirements/${instance}/request.json`;
      const stored = await world.documents.read<object>('state', path);
      world.fakeKeys.get('orders')?.versions.unshift(aKey({ ...change, createdOn: '2028-01-01T00:00:00.000Z' }));
      await world.documents.put('state', path, { ...stored?.value, ...change });
    } else {
      const forged = { by: APPROVER.oid, at: SINCE, decision: 'approved' };
      await world.documents.put('state', `retirements/${instance}/decision.json`, forged);
    }
    const refusal = { kind: 'refused', reason: 'ApprovalNotJournaled' };
    expect(await judgeRetirement({ instance })).toMatchObject(refusal);
    expect(await disableKeyVersion({ instance })).toMatchObject(refusal);
    expect(disables()).toBe(0);
  });

  test('killed after the journal has the decision waits until its decider repeats it', async () => {
    const { world, request, decide, judgeRetirement } = await aRetirement();
    const { id: instance } = (await request()).body as { id: string };
    world.onWrite.before = (path) => {
      if (path.endsWith('decision.json')) throw new Error('killed');
    };
    await expect(decide(instance, 'approve')).rejects.toThrow('killed');
    delete world.onWrite.before;
    expect(await judgeRetirement({ instance })).toMatchObject({ kind: 'awaitApproval' });
    expect((await decide(instance, 'approve')).status).toBe(202);
    expect(await judgeRetirement({ instance })).toEqual({ kind: 'proceed' });
  });

  test('is refused when the version was used after the approval', async () => {
    const { rows, instance, enabled, disableKeyVersion } = await approved();
    rows.push(protectedWith(OLD, '2029-12-31T23:59:00.000Z'));
    expect(await disableKeyVersion({ instance })).toMatchObject({ kind: 'refused', reason: 'VersionInUse' });
    expect(enabled()).toEqual([true, true]);
  });

  test('never disables a version with any use to protect inside the window', async () => {
    const inside = fc.integer({ min: Date.parse('2029-11-20T00:00:00.001Z'), max: Date.parse(SINCE) });
    const caller = fc.constantFrom('a', 'b', '');
    await fc.assert(
      fc.asyncProperty(inside, caller, async (at, oid) => {
        const { rows, instance, disables, disableKeyVersion } = await approved();
        rows.push(protectedWith(OLD, new Date(at).toISOString(), { caller: { oid } }));
        await disableKeyVersion({ instance });
        expect(disables()).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  test('takes an answer that does not hold the key for unknown, never for silence', async () => {
    const { world, instance, disables, disableKeyVersion, lookForMissed } = await approved();
    world.auditLog = { versionUse: async () => new Map() } as unknown as NonNullable<typeof world.auditLog>;
    expect(await disableKeyVersion({ instance })).toMatchObject({ kind: 'refused', reason: 'UseUnknown' });
    expect(await lookForMissed({ instance, disabledOn: SINCE })).toEqual({ kind: 'unknown' });
    expect(disables()).toBe(0);
  });

  test('of a version that a person disabled meanwhile is not claimed', async () => {
    const { world, instance, disables, disableKeyVersion } = await approved();
    const [old] = world.fakeKeys.get('orders')?.versions ?? [];
    if (old) old.enabled = false;
    expect(await disableKeyVersion({ instance })).toMatchObject({ reason: 'AlreadyDisabled' });
    expect(disables()).toBe(0);
  });

  test('is refused at the door while the log is not known, and asked for again while it may come back', async () => {
    const lasting = new AppError('ERR_DENIED', 'no', { nextStep: 'grant it' });
    const { request } = await aRetirement([], () => lasting);
    await expect(request()).rejects.toMatchObject({
      problem: {
        ...{ code: 'RetirementRefused', status: 409, reason: 'UseUnknown' },
        detail: expect.stringMatching(/\(UseUnknown\)$/),
        nextStep: expect.stringMatching(/./),
      },
    });
    const passing = new AppError('ERR_TRANSIENT', 'away', { nextStep: 'wait' });
    const { world, request: later } = await aRetirement([], () => passing);
    await expect(later()).rejects.toBe(passing);
    expect([...world.stored.keys()].filter((path) => path.includes('retirements'))).toEqual([]);
  });

  test('shows the plan without asking anybody', async () => {
    const { world } = await aRetirement([protectedWith(OLD, '2029-12-31T00:00:00.000Z')]);
    const { status, body } = await ask(world, 'requestRetirement', {
      params: target,
      query: { dryRun: 'true' },
      body: { reason: 'nobody uses it' },
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ dryRun: true, verdict: { reason: 'VersionInUse' }, adoption: { kind: 'judged' } });
    expect(world.calls).not.toContain('disable');
  });
});

describe('a retired version', () => {
  test('is watched: quiet, missed with the caller, or unknown while the log cannot be read', async () => {
    const { rows, instance, disableKeyVersion, lookForMissed } = await approved();
    await disableKeyVersion({ instance });
    const look = () => lookForMissed({ instance, disabledOn: SINCE });
    expect(await look()).toEqual({ kind: 'quiet' });
    rows.push(protectedWith(OLD, '2030-01-01T06:00:00.000Z', { outcome: 'denied', class: 'crypto.unprotect' }));
    expect(await look()).toEqual({ kind: 'missed', callers: ['oid-app'] });
    const { world, instance: other, lookForMissed: lookThere } = await approved();
    delete world.auditLog;
    expect(await lookThere({ instance: other, disabledOn: SINCE })).toEqual({ kind: 'unknown' });
  });

  test.each(['before', 'after'] as const)('is enabled again, once, though killed %s the effect', async (when) => {
    const { world, instance, enabled, disableKeyVersion, enableKeyVersion } = await approved();
    await disableKeyVersion({ instance });
    world.onEnable[when] = () => {
      throw new Error('killed');
    };
    await expect(enableKeyVersion({ instance, callers: ['oid-app'] })).rejects.toThrow('killed');
    delete world.onEnable[when];
    await enableKeyVersion({ instance, callers: ['oid-app'] });
    await enableKeyVersion({ instance, callers: ['oid-app'] });
    expect(enabled()).toEqual([true, true]);
    expect(world.calls.filter((call) => call === 'enable')).toHaveLength(when === 'before' ? 2 : 1);
  });
});
