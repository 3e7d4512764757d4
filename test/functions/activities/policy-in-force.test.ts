import { describe, expect, test } from 'vitest';
import { policyInForce } from '../../../functions/activities/policy-in-force.ts';
import { createFakeWorld } from '../../support/world.ts';

const policy = (before: string) =>
  JSON.stringify({ version: 1, defaults: { rotation: { before } }, owners: { fallback: ['keys@contoso.example'] } });

function aStore() {
  const world = createFakeWorld();
  const write = (text: string) => world.documents.put('policy', 'policy.json', text);
  const inForceBefore = async () => (await policyInForce(world)).policy.defaults?.rotation?.before;
  return { world, write, inForceBefore };
}

describe('the policy in force', () => {
  test('is built in while there is no document, and tells the fallback of the settings', async () => {
    const { world } = aStore();
    expect(await policyInForce(world)).toEqual({
      policy: { version: 1, owners: { fallback: world.fallbackRecipients } },
      version: 'built in',
    });
  });

  test('is the document as it is now, without a restart', async () => {
    const { write, inForceBefore } = aStore();
    await write(policy('P30D'));
    expect(await inForceBefore()).toBe('P30D');
    await write(policy('P40D'));
    expect(await inForceBefore()).toBe('P40D');
  });

  test.each([
    ['no JSON', '{"version":'],
    ['not a policy', '{"version":1,"owners":{"fallback":[]}}'],
  ])('stays the last good one while a newer document is %s, which is told', async (_, broken) => {
    const { world, write, inForceBefore } = aStore();
    await write(policy('P30D'));
    const { version } = await policyInForce(world);
    await write(broken);
    expect(await inForceBefore()).toBe('P30D');
    const { rejected, ...inForce } = await policyInForce(world);
    expect(inForce.version).toBe(version);
    expect(rejected?.faults.length).toBeGreaterThan(0);
    expect(rejected?.version).not.toBe(version);
  });

  test('is built in, and the fault told, when the first document ever does not parse', async () => {
    const { world, write } = aStore();
    await write('{}');
    expect(await policyInForce(world)).toMatchObject({ version: 'built in', rejected: { faults: expect.any(Array) } });
  });

  test('leaves an HSM in production: a document that makes the only one a drill HSM changes nothing', async () => {
    const { world, write, inForceBefore } = aStore();
    await write(policy('P30D'));
    await policyInForce(world);
    const drills = { target: { kind: 'standing', hsm: 'contoso' } };
    await write(JSON.stringify({ ...JSON.parse(policy('P40D')), drills }));
    expect(await inForceBefore()).toBe('P30D');
    expect((await policyInForce(world)).rejected?.faults.map(({ path }) => path)).toEqual(['drills.target.hsm']);
  });

  test('stays what it is, and is told, when a new release or new settings find a contradiction in it', async () => {
    const { world, write, inForceBefore } = aStore();
    world.hsms = [...world.hsms, { ...(world.hsms[0] as (typeof world.hsms)[0]), name: 'fabrikam' }];
    const drills = { target: { kind: 'standing', hsm: 'contoso' } };
    await write(JSON.stringify({ ...JSON.parse(policy('P40D')), drills }));
    const { version, rejected } = await policyInForce(world);
    expect(rejected).toBeUndefined();
    world.hsms = world.hsms.slice(0, 1);
    expect(await inForceBefore()).toBe('P40D');
    expect(await policyInForce(world)).toMatchObject({ version, rejected: { version } });
  });

  test('stays the last good one while there is no document any more, which is told', async () => {
    const { world, write } = aStore();
    await write(policy('P30D'));
    const before = await policyInForce(world);
    await world.documents.remove('policy', 'policy.json');
    expect(await policyInForce(world)).toEqual({ ...before, missing: true });
    await write(policy('P30D'));
    expect(await policyInForce(world)).not.toHaveProperty('missing');
  });

  test('is good again as soon as the document is', async () => {
    const { world, write } = aStore();
    await write('{}');
    await policyInForce(world);
    await write(policy('P50D'));
    expect(await policyInForce(world)).not.toHaveProperty('rejected');
  });

  test('is remembered once for each document, not at every use', async () => {
    const { world, write, inForceBefore } = aStore();
    await write(policy('P30D'));
    const writes: string[] = [];
    world.onWrite.before = (path) => writes.push(path);
    for (let use = 0; use < 5; use++) await inForceBefore();
    expect(writes).toEqual(['state/policy/last-good.json']);
  });
});
