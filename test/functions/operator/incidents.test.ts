import { beforeEach, describe, expect, test } from 'vitest';
import { changeIncident } from '../../../functions/activities/incident-records.ts';
import type { Caller } from '../../../functions/operator/authorise.ts';
import { MALLORY } from '../../shared/incident/builders.ts';
import { aRole, createIncidentWorld, drive, type IncidentWorld } from '../../support/incident-world.ts';
import { APPROVER, ask, OPERATOR } from '../../support/operator.ts';

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
  log.versionUse = async () => [{ ...use, first: '', last: '2029-12-31T00:00:00Z' }];
  expect((await decide({ kind: 'approve', step: 'disableOld-orders' })).body.detail).toContain('VersionInUse');
  log.versionUse = async () => {
    throw new (await import('../../../shared/errors.ts')).AppError('ERR_DENIED', 'no', { nextStep: '' });
  };
  expect((await decide({ kind: 'approve', step: 'disableOld-orders' })).body.detail).toContain('VersionUseUnknown');
  log.versionUse = async () => [{ ...use, first: '', last: '2029-12-01T00:00:00Z' }];
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
