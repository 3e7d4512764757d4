import { describe, expect, test } from 'vitest';
import { keyEvent, keyFactActivities } from '../../../functions/activities/key-facts.ts';
import { createFakeWorld } from '../../support/world.ts';

const world = createFakeWorld();
const fact = {
  key: { hsm: 'contoso', name: 'Orders' },
  type: 'KeyNearExpiry' as const,
  version: 'a'.repeat(32),
  at: '2030-01-01T00:00:00.000Z',
  expiresOn: '2030-02-01T00:00:00.500Z',
};

describe('the event of a key fact', () => {
  test('has the data shape of the events of vaults, in Unix seconds', () => {
    expect(keyEvent(world, fact)).toMatchObject({
      source: expect.stringContaining('/managedHSMs/contoso'),
      subject: 'keys/Orders',
      data: {
        Id: `https://contoso.managedhsm.azure.net/keys/Orders/${fact.version}`,
        VaultName: 'contoso',
        ObjectType: 'Key',
        ObjectName: 'Orders',
        Version: fact.version,
        NBF: null,
        EXP: 1896134400,
      },
    });
  });

  test('has an id made of the fact alone: the same whenever it is stated, and however the key is spelt', () => {
    const id = (more: object) => keyEvent(world, { ...fact, ...more }).id;
    expect(id({ at: '2030-01-02T00:00:00.000Z' })).toBe(id({}));
    expect(id({ key: { hsm: 'contoso', name: 'ORDERS' } })).toBe(id({}));
    const others = [{ type: 'KeyExpired' }, { version: 'b'.repeat(32) }, { detail: { reason: 'HeldByTag' } }];
    expect(new Set([id({}), ...others.map(id)]).size).toBe(4);
  });

  test('cannot be overwritten by its details', () => {
    expect(keyEvent(world, { ...fact, detail: { Version: 'x', proof: 'proven' } }).data).toMatchObject({
      Version: fact.version,
      proof: 'proven',
    });
  });

  test('is published as one event', async () => {
    const publisher = createFakeWorld();
    await keyFactActivities(publisher).publishKeyFact({ ...fact, type: 'KeyNewVersionCreated', detail: {} });
    expect(publisher.published.map(({ type }) => type)).toEqual(['KeyNewVersionCreated']);
  });

  test('of an HSM that is not in the settings is a bug, and looks like one', () => {
    expect(() => keyEvent(world, { ...fact, key: { hsm: 'other', name: 'x' } })).toThrow('no HSM named other');
  });
});
