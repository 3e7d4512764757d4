import { beforeEach, describe, expect, test } from 'vitest';
import { changeIncident } from '../../../functions/activities/incident-records.ts';
import type { Caller } from '../../../functions/operator/authorise.ts';
import { withStep } from '../../../shared/incident/decide-step.ts';
import type { PlannedStep } from '../../../shared/incident/step.ts';
import { MALLORY } from '../../shared/incident/builders.ts';
import { ADMIN_ROLE, aRole, createIncidentWorld, drive, type IncidentWorld } from '../../support/incident-world.ts';
import { APPROVER, ask, OPERATOR } from '../../support/operator.ts';
import { everyKey } from '../../support/version-use.ts';

const SECOND: Caller = { oid: 'oid-mona', name: 'Mona Manager', roles: ['Operator', 'Approver'] };
const STEP = `revoke-keys-orders-${aRole().id}`;
const NOTE = 'spoken with the owner';

let world: IncidentWorld;
let id: string;
/** The starter that the door makes of this client has started and woken everything before. */
const client = {
  getStatus: async () => ({ runtimeStatus: 'Running' }),
  startNew: async () => undefined,
  raiseEvent: async () => undefined,
} as never;

const decide = (decision: Record<string, unknown>, caller: Caller = APPROVER, more: Record<string, unknown> = {}) =>
  ask(world, 'decideIncident', { params: { id }, body: { note: NOTE, ...decision }, caller, client, ...more });

async function opened(finding = {}) {
  world = createIncidentWorld();
  ({ id } = await world.open(finding));
  await drive(world);
}

describe('decisions about an incident', () => {
  beforeEach(() => opened());

  test('an approved step is done, and put back by one call it works again', async () => {
    expect((await decide({ kind: 'approve', step: STEP })).status).toBe(202);
    await drive(world);
    expect(world.roles).toEqual([]);
    expect((await decide({ kind: 'putBack', step: STEP })).status).toBe(202);
    expect(world.roles).toEqual([expect.objectContaining(aRole())]);
    expect((await decide({ kind: 'putBack', step: STEP })).body.detail).toContain('NothingToPutBack');
    expect((await world.incident()).plan?.[0]?.state).toBe('undone');
  });

  test('put back is refused with the command where no identity may grant', async () => {
    await decide({ kind: 'approve', step: STEP });
    await drive(world);
    if (world.response) world.response = { access: world.response.access };
    const { status, body } = await decide({ kind: 'putBack', step: STEP });
    expect(status).toBe(409);
    expect(body.nextStep).toContain(`az keyvault role assignment create --hsm-name contoso --scope /keys/orders`);
  });

  test('a step that people do is reported, and not approved: an approval would leave it open for ever', async () => {
    await opened({ class: 'keyMaterial', keys: ['orders'] });
    const step = 'newKey-orders';
    const { status, body } = await decide({ kind: 'approve', step });
    expect([status, body.detail]).toEqual([409, expect.stringContaining('StepIsForPeople')]);
    expect(body.nextStep).toContain('kind done');
    expect((await decide({ kind: 'done', step }, OPERATOR)).status).toBe(202);
    expect((await world.incident()).plan?.find(({ id: each }) => each === step)?.state).toBe('done');
  });

  test('what a guard refused is decided again once its cause is mended, and guarded again', async () => {
    const admin = aRole({ scope: '/', roleDefinitionId: ADMIN_ROLE });
    world = createIncidentWorld([admin]);
    ({ id } = await world.open());
    await drive(world);
    const step = `revoke-all-${admin.id}`;
    const state = async () => (await world.incident()).plan?.find(({ id: each }) => each === step)?.state;
    expect(await state()).toBe('refused');
    await decide({ kind: 'approve', step });
    await drive(world);
    expect([await state(), world.changes]).toEqual(['refused', []]);
    for (const other of ['1', '2'])
      world.roles.push(aRole({ id: other, principalId: other, scope: '/', roleDefinitionId: ADMIN_ROLE }));
    await decide({ kind: 'approve', step });
    await drive(world);
    expect([await state(), world.changes]).toEqual(['done', [`unassign ${admin.id}`]]);
  });

  test('a step that nobody decided in time can still be said no to', async () => {
    await drive(world, { forMs: 30 * 3_600_000 });
    expect((await world.incident()).plan?.[0]?.state).toBe('expired');
    expect((await decide({ kind: 'deny', step: STEP })).status).toBe(202);
    const [step] = (await world.incident()).plan ?? [];
    expect(step).toMatchObject({ state: 'denied', reason: 'ApprovalDenied' });
    expect(step).not.toHaveProperty('nextStep');
  });

  test('whoever looks sees whom detection watches harder, and until when', async () => {
    const { body } = await ask(world, 'showIncident', { params: { id }, caller: APPROVER, client });
    expect(body.watch).toEqual({
      ...{ until: '2030-01-04T00:00:00.000Z', of: [MALLORY.upn, 'key orders'] },
      ...{ raised: 0, active: true },
    });
  });

  test('only an approver decides, whoever else may look', async () => {
    expect((await decide({ kind: 'approve', step: STEP }, OPERATOR)).status).toBe(403);
    expect((await decide({ kind: 'verdict', verdict: 'benign' }, OPERATOR)).status).toBe(403);
  });

  test('the intruder approves nothing, not even to say that it was benign', async () => {
    const intruder: Caller = { oid: MALLORY.oid, name: 'Mallory', roles: ['Approver'] };
    for (const decision of [
      { kind: 'approve', step: STEP },
      { kind: 'verdict', verdict: 'benign' },
      { kind: 'close' },
    ]) {
      const { status, body } = await decide(decision, intruder);
      expect(status).toBe(403);
      expect(body.detail).toContain('ApproverIsSubject');
    }
  });

  test('two approvals are those of two people', async () => {
    await changeIncident(world, id, (current) => ({
      ...current,
      plan: (current.plan ?? []).map((step) => ({ ...step, mode: 'twoApprovals' as const })),
    }));
    await decide({ kind: 'approve', step: STEP });
    expect((await decide({ kind: 'approve', step: STEP })).body.detail).toContain('ApproverTwice');
    expect((await world.incident()).plan?.[0]?.state).toBe('waiting');
    await decide({ kind: 'approve', step: STEP }, SECOND);
    expect((await world.incident()).plan?.[0]?.state).toBe('approved');
  });

  /** Changes what is stored of the step, as whoever can write the store can. */
  const forge = (change: (step: PlannedStep) => Partial<PlannedStep>) =>
    changeIncident(world, id, (current) => withStep(current, STEP, (step) => ({ ...step, ...change(step) })));
  const yes = { by: APPROVER.oid, name: 'Ana', at: '2030-01-01T00:00:00.000Z', decision: 'approve', note: '' } as const;
  const found = async () => (await world.incident()).plan?.find((step) => step.id === STEP);

  test.each<[string, PlannedStep['mode'], (step: PlannedStep) => Partial<PlannedStep>]>([
    ['in the name of an approver', 'approval', () => ({ state: 'approved', decisions: [yes] })],
    ['in nobody’s name', 'approval', () => ({ state: 'approved' })],
    ['as a step that the policy does alone', 'approval', () => ({ state: 'approved', mode: 'auto' })],
    ['as under way', 'approval', () => ({ state: 'underWay', decisions: [yes] })],
    ['by one of two', 'twoApprovals', ({ decisions }) => ({ state: 'approved', mode: 'approval', decisions })],
  ])('a step that was forged %s takes nothing away, is told, and can be approved', async (_, mode, change) => {
    await forge(() => ({ mode }));
    if (mode === 'twoApprovals') await decide({ kind: 'approve', step: STEP });
    await forge(change);
    await drive(world);
    expect(world.changes).toEqual([]);
    expect(await found()).toMatchObject({ state: 'failed', reason: 'ApprovalNotJournaled' });
    expect((await world.incident()).containment?.remains).toEqual([expect.stringContaining('journal')]);
    await forge(() => ({ mode: 'approval' }));
    await decide({ kind: 'approve', step: STEP }, SECOND);
    await drive(world);
    expect(world.changes).toEqual([`unassign ${aRole().id}`]);
    const intent = world.journalled.find((entry) => entry.class === 'access.revoke' && entry.kind === 'intent');
    expect(intent?.detail).toMatchObject({ approvedBy: SECOND.oid });
  });

  test('an approval of another assignment than is stored now takes nothing away', async () => {
    const other = aRole({ id: '00000000-0000-4000-8000-0000000f0002' });
    world.roles.push(other);
    await decide({ kind: 'approve', step: STEP });
    await forge(() => ({ assignment: other }));
    await drive(world);
    expect(world.changes).toEqual([]);
    expect(await found()).toMatchObject({ reason: 'ApprovalNotJournaled' });
  });

  test('a no that the journal holds is not turned into a yes by the store', async () => {
    await decide({ kind: 'approve', step: STEP });
    const approved = await found();
    await forge(() => ({ state: 'waiting', decisions: [] }));
    await decide({ kind: 'deny', step: STEP }, SECOND);
    await forge(() => ({ ...approved }));
    await drive(world);
    expect(world.changes).toEqual([]);
    expect(await found()).toMatchObject({ detail: expect.stringContaining('said no') });
  });

  test('an approval that was killed after the journal has it counts once it is repeated', async () => {
    world.onWrite.before = (path) => {
      if (path.includes('/incidents/')) throw new Error('killed');
    };
    const same = { idempotencyKey: 'decision-0002' };
    await expect(decide({ kind: 'approve', step: STEP }, APPROVER, same)).rejects.toThrow('killed');
    delete world.onWrite.before;
    await drive(world);
    expect([world.changes, (await found())?.state]).toEqual([[], 'waiting']);
    world.now.value = new Date('2030-01-01T00:01:00.000Z');
    expect((await decide({ kind: 'approve', step: STEP }, APPROVER, same)).status).toBe(202);
    await drive(world);
    expect(world.changes).toEqual([`unassign ${aRole().id}`]);
  });

  test('what the journal does not hold as taken away is not put back: it would be a grant to anybody', async () => {
    await decide({ kind: 'approve', step: STEP });
    await drive(world);
    await changeIncident(world, id, (current) => ({
      ...current,
      removed: (current.removed ?? []).map((each) => ({ ...each, scope: '/', principalId: 'oid-eve' })),
    }));
    const { status, body } = await decide({ kind: 'putBack', step: STEP });
    expect([status, body.detail]).toEqual([409, expect.stringContaining('RemovalNotJournaled')]);
    expect(world.roles).toEqual([]);
  });

  test('a repeat with the same Idempotency-Key has no further effect, and another request under it is refused', async () => {
    const same = { idempotencyKey: 'decision-0001' };
    expect((await decide({ kind: 'deny', step: STEP }, APPROVER, same)).status).toBe(202);
    expect((await decide({ kind: 'deny', step: STEP }, APPROVER, same)).status).toBe(202);
    expect((await decide({ kind: 'close' }, APPROVER, same)).status).toBe(409);
    expect((await world.incident()).plan?.[0]?.decisions).toHaveLength(1);
  });

  test('a dry run says what stands in the way and changes nothing', async () => {
    const before = JSON.stringify(await world.incident());
    const { body } = await decide({ kind: 'close' }, APPROVER, { query: { dryRun: 'true' } });
    expect(body.refusal).toMatchObject({ reason: 'StepsOpen' });
    expect(JSON.stringify(await world.incident())).toBe(before);
  });

  test('nothing is called benign by a log that does not reach back to it', async () => {
    expect((await decide({ kind: 'verdict', verdict: 'benign' })).body.detail).toContain('EvidenceDoesNotSpan');
    expect((await decide({ kind: 'verdict', verdict: 'insufficientEvidence' })).status).toBe(202);
  });

  test('it cannot be closed while steps are open, no verdict is set and the watch lasts', async () => {
    const { status, body } = await decide({ kind: 'close' });
    expect(status).toBe(409);
    expect(body.detail).toContain('open');
    expect(body.detail).toContain('Nobody has said');
    expect(body.detail).toContain('looked for until');
  });
});

test('the old key is not disabled while the log shows it in use, whoever agrees', async () => {
  await opened({ class: 'keyMaterial' });
  const log = world.auditLog as NonNullable<IncidentWorld['auditLog']>;
  const use = {
    version: 'v1',
    caller: { oid: 'db', app: 'db' },
    class: 'crypto.unprotect',
    outcome: 'ok',
    count: 7,
  } as const;
  const usedOn = (last: string) => everyKey([{ ...use, first: '', last }]);
  log.versionUse = async (question) => usedOn('2029-12-31T00:00:00Z')(question);
  expect((await decide({ kind: 'approve', step: 'disableOld-orders' })).body.detail).toContain('VersionInUse');
  log.versionUse = async () => {
    throw new (await import('../../../shared/errors.ts')).AppError('ERR_DENIED', 'no', { nextStep: '' });
  };
  expect((await decide({ kind: 'approve', step: 'disableOld-orders' })).body.detail).toContain('VersionUseUnknown');
  log.versionUse = async () => new Map();
  expect((await decide({ kind: 'approve', step: 'disableOld-orders' })).body.detail).toContain('VersionUseUnknown');
  log.versionUse = async (question) => usedOn('2029-12-10T00:00:00Z')(question);
  await decide({ kind: 'approve', step: 'disableOld-orders' });
  await decide({ kind: 'approve', step: 'disableOld-orders' }, SECOND);
  expect((await decide({ kind: 'done', step: 'disableOld-orders' }, OPERATOR)).status).toBe(202);
});

describe('a compromise that a person declares', () => {
  const declare = (body: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
    ask(world, 'declareIncident', {
      body: { hsm: 'contoso', key: 'orders', class: 'misuse', reason: 'a laptop was stolen', ...body },
      client,
      ...more,
    });

  beforeEach(() => {
    world = createIncidentWorld();
  });

  test('opens an incident, and who declares it cannot approve what follows', async () => {
    const { status, body } = await declare({}, { caller: SECOND });
    expect(status).toBe(202);
    id = String(body.id);
    const asked = await decide({ kind: 'verdict', verdict: 'confirmed' }, SECOND);
    expect(asked.status).toBe(403);
    expect(asked.body.detail).toContain('ApproverIsRequester');
    expect((await decide({ kind: 'verdict', verdict: 'confirmed' })).status).toBe(202);
  });

  test('nor does whoever declares it after somebody else did', async () => {
    id = String((await declare()).body.id);
    await declare({ reason: 'mine as well' }, { caller: SECOND });
    const refused = await decide({ kind: 'verdict', verdict: 'benign' }, SECOND);
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('ApproverIsRequester')]);
    expect((await decide({ kind: 'verdict', verdict: 'likely' })).status).toBe(202);
  });

  test('twice with one Idempotency-Key is one incident; of the same key by another person it joins', async () => {
    const same = { idempotencyKey: 'declare-0001' };
    const first = (await declare({}, same)).body.id;
    expect((await declare({}, same)).body.id).toBe(first);
    expect((await declare({ reason: 'and a badge' }, { caller: SECOND })).body).toMatchObject({
      id: first,
      joined: true,
    });
    expect((await declare({ reason: 'other' }, same)).status).toBe(409);
    const { body } = await ask(world, 'listIncidents');
    expect(body.incidents).toMatchObject([{ id: first, findings: 2, keys: ['orders'] }]);
  });

  test('a dry run shows the plan and opens nothing', async () => {
    const { body } = await declare({ caller: MALLORY.oid }, { query: { dryRun: 'true' } });
    expect(body.steps).toMatchObject([{ kind: 'revoke', mode: 'approval' }, { kind: 'rotate' }]);
    expect((await ask(world, 'listIncidents')).body.incidents).toEqual([]);
  });
});
