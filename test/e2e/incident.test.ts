import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import { IDENTITIES } from '../../infra/local/identity/registrations.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate, useKey } from './support.ts';

let estate: RunningEstate;
let look: Observer;
let id: string;

beforeAll(async () => {
  ({ estate, look } = await bootEstate({
    policy: { backup: { mode: 'off' }, response: { watch: 'PT2H', watchMoved: 'PT2H' } },
  }));
  const [hsm] = estate.hsms;
  await hsm?.plant({
    name: 'orders',
    kty: 'RSA-HSM',
    size: 2048,
    keyOps: ['wrapKey', 'unwrapKey'],
    created: '-P30D',
    expires: 'P300D',
    tags: { notify: 'owner@contoso.example' },
    rotationPolicy: { expiryTime: 'P1Y' },
  });
  await hsm?.grant([{ identity: 'consumer', role: 'Managed HSM Crypto User', scope: '/keys/orders' }]);
});
afterAll(() => estate?.stop());

/** What the HSM answers the intruder now. */
const intrude = () => useKey(estate, { key: 'orders' });

interface Shown {
  status: string;
  plan: { id: string; kind: string; state: string; expectedVersion?: string }[];
  verification?: { result: string };
  evidence?: { records: number };
  closed?: { report: string };
}
const shown = async () => (await look.api('GET', `/api/incidents/${id}`, { as: 'viewer' })).body as Shown;
const decide = (body: Record<string, unknown>, as: 'approver' | 'operator' | 'manager' = 'approver') =>
  look.api('POST', `/api/incidents/${id}/decisions`, { as, body: { note: 'looked at', ...body } });

async function until(what: string, holds: (incident: Shown) => boolean): Promise<Shown> {
  let incident = await shown();
  await look.eventually(async () => {
    incident = await shown();
    return incident.plan !== undefined && holds(incident);
  }, what);
  return incident;
}
const stateOf = (incident: Shown, kind: string) => incident.plan.find((step) => step.kind === kind)?.state;
const stepOf = (incident: Shown, kind: string) => incident.plan.find((step) => step.kind === kind)?.id;

describe('a declared compromise on the embedded estate', () => {
  test('is contained once another person approves: the next call of the intruder is refused', async () => {
    expect(await intrude()).toBe(200);
    const declared = await look.api('POST', '/api/incidents', {
      as: 'manager',
      body: {
        hsm: 'contoso',
        key: 'orders',
        caller: IDENTITIES.consumer.objectId,
        class: 'misuse',
        reason: 'the account was taken over',
      },
    });
    expect(declared.status).toBe(202);
    id = (declared.body as { id: string }).id;
    const waiting = await until('asked for', (incident) => stateOf(incident, 'revoke') === 'waiting');
    const step = stepOf(waiting, 'revoke');
    // Who asks cannot approve, whatever roles they hold.
    expect((await decide({ kind: 'approve', step }, 'manager')).status).toBe(403);
    expect(await intrude()).toBe(200);
    expect((await decide({ kind: 'approve', step })).status).toBe(202);
    const contained = await until('contained', (incident) => incident.verification !== undefined);
    expect(contained).toMatchObject({ status: 'contained', verification: { result: 'refused' } });
    expect(contained.evidence?.records).toBeGreaterThan(2);
    expect(await intrude()).toBe(403);
    expect(look.calls('contoso', 'RoleAssignmentDelete', 200)).toBeLessThanOrEqual(1);
  });

  test('the key is rotated by the usual path, proven, once it is approved', async () => {
    const before = look.versions().get('contoso/orders');
    const step = stepOf(await shown(), 'rotate');
    await decide({ kind: 'approve', step });
    await until('rotated', (incident) => stateOf(incident, 'rotate') === 'done');
    expect(look.versions().get('contoso/orders')).toBe((before ?? 0) + 1);
  });

  test('what was taken away is put back by one call, and works again', async () => {
    expect((await decide({ kind: 'putBack', step: stepOf(await shown(), 'revoke') })).status).toBe(202);
    expect(await intrude()).toBe(200);
  });

  test('is not closed while the watch lasts, whatever the verdict', async () => {
    await decide({ kind: 'verdict', verdict: 'insufficientEvidence' });
    const { obstaclesToClosing } = (await shown()) as unknown as { obstaclesToClosing: { reason: string }[] };
    expect(obstaclesToClosing.map(({ reason }) => reason)).toContain('WatchLasts');
  });

  test('one mail a stage, to the owners of key and HSM', async () => {
    await look.still();
    expect(look.mail().some(({ subject }) => subject.includes('contained'))).toBe(true);
    const subjects = look
      .mail()
      .filter(({ to }) => to.includes('owner@contoso.example'))
      .map(({ subject }) => subject);
    expect(new Set(subjects).size).toBe(subjects.length);
    expect(look.events('IncidentOpened')).toHaveLength(1);
    expect(look.events('IncidentContained')).toHaveLength(1);
  });
});
