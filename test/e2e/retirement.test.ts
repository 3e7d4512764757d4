import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate, useKey } from './support.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const OWNER = 'owner@contoso.example';

let estate: RunningEstate;
let look: Observer;
let old: string;
let retirement: string;

const versions = () => estate.hsms[0]?.keys().keys.find(({ name }) => name === 'orders')?.versions ?? [];
const stateOf = (id: string) => versions().find((each) => each.version === id)?.attributes.enabled;
const told = (subject: string) =>
  look.mail().filter((mail) => mail.to.includes(OWNER) && mail.subject.includes(subject));
const ask = () =>
  look.api('POST', `/api/keys/contoso/orders/versions/${old}/retirement`, {
    as: 'operator',
    body: { reason: 'everybody has moved' },
  });

/** Rows of now arrive, and the watch of adoption looks at them. */
async function watchAdoption() {
  look.advance(2 * MINUTE);
  await look.run('adoptionWatchTimer');
}

beforeAll(async () => {
  ({ estate, look } = await bootEstate({
    detection: true,
    policy: {
      defaults: {
        rotation: {
          adoption: { lookBack: 'P2D', silence: 'P1D' },
          retirement: { grace: 'PT6H', approvalLasts: 'PT4H', watch: 'PT2H' },
        },
      },
      backup: { mode: 'off' },
    },
  }));
  const [hsm] = estate.hsms;
  await hsm?.plant({
    ...{ name: 'orders', kty: 'RSA-HSM', size: 2048, keyOps: ['wrapKey', 'unwrapKey'] },
    ...{ created: '-P350D', expires: 'P10D', tags: { notify: OWNER }, rotationPolicy: { expiryTime: 'P1Y' } },
  });
  await hsm?.grant([{ identity: 'consumer', role: 'Managed HSM Crypto User', scope: '/keys/orders' }]);
  old = versions()[0]?.version ?? '';
  expect(await useKey(estate, { key: 'orders' })).toBe(200);
  await look.run('expirySweepTimer');
  expect(told('rotated')).toHaveLength(1);
});
afterAll(() => estate?.stop());

describe('an old version on the embedded estate', () => {
  test('is not adopted while a caller stays behind, and cannot be retired', async () => {
    await watchAdoption();
    expect(look.events('KeyVersionAdopted')).toEqual([]);
    expect(await ask()).toMatchObject({ status: 409, body: { detail: expect.stringContaining('VersionInUse') } });
  });

  test('is told to be adopted, once, when the rows of the log show that the caller has moved', async () => {
    expect(await useKey(estate, { key: 'orders' })).toBe(200);
    await watchAdoption();
    await watchAdoption();
    expect(look.events('KeyVersionAdopted')).toMatchObject([{ body: { data: { ObjectName: 'orders' } } }]);
    expect(told('in use everywhere')).toHaveLength(1);
  });

  test('is not retired before silence and grace have passed since its last use', async () => {
    expect(await ask()).toMatchObject({ status: 409, body: { detail: expect.stringContaining('VersionInUse') } });
    look.advance(31 * HOUR);
    const asked = await ask();
    expect(asked.status).toBe(202);
    retirement = (asked.body as { id: string }).id;
    await look.still();
    expect(told('approval').length).toBeGreaterThan(0);
    expect(stateOf(old)).toBe(true);
  });

  test('is disabled once another person has approved it', async () => {
    const decide = (as: 'operator' | 'approver') =>
      look.api('POST', `/api/retirements/${retirement}/decision`, { as, body: { decision: 'approve' } });
    expect((await decide('operator')).status).toBe(403);
    expect((await decide('approver')).status).toBe(202);
    await look.eventually(() => stateOf(old) === false, 'the version to be disabled');
    expect(look.events('KeyVersionRetired')).toHaveLength(1);
    expect(versions().map(({ attributes }) => attributes.enabled)).toEqual([false, true]);
  });

  test('is enabled again when a call misses it, and the owner is told who', async () => {
    expect(await useKey(estate, { key: 'orders', version: old })).toBe(403);
    expect(await look.operation(`/api/operations/${retirement}`)).toMatchObject({ kind: 'reenabled' });
    expect(stateOf(old)).toBe(true);
    await look.settled();
    expect(await useKey(estate, { key: 'orders', version: old })).toBe(200);
    expect(told('enabled again')).toHaveLength(1);
  });
});
