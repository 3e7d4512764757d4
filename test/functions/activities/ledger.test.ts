import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type LedgerVersion,
  type RotationLedger,
  readLedger,
  updateLedger,
  withoutAttempt,
  withVersion,
} from '../../../functions/activities/ledger.ts';
import { createFakeWorld } from '../../support/world.ts';

const key = { hsm: 'contoso', name: 'orders' };
const entry = (version: string, previous = '', proof: LedgerVersion['proof'] = 'pending'): LedgerVersion => ({
  version,
  previous,
  by: 'us',
  instance: 'i',
  at: '2030-01-01T00:00:00.000Z',
  proof,
  reason: 'NearExpiry',
});
const empty: RotationLedger = { schema: 1, key, versions: [] };

describe('a ledger', () => {
  test('holds each version once, the last word about it, and at most as many as a key can have', () => {
    const entries = fc.array(
      fc.record({ version: fc.nat(140).map(String), proof: fc.constantFrom('pending', 'proven') }),
      {
        maxLength: 300,
      },
    );
    fc.assert(
      fc.property(entries, (written) => {
        const { versions } = written.reduce(
          (ledger, { version, proof }) => withVersion(ledger, entry(version, '', proof as 'pending')),
          empty,
        );
        expect(versions.length).toBeLessThanOrEqual(100);
        expect(new Set(versions.map(({ version }) => version)).size).toBe(versions.length);
        for (const { version, proof } of versions) {
          expect(proof).toBe(written.findLast((each) => each.version === version)?.proof);
        }
      }),
    );
  });

  test('closes an attempt by the version that followed from it, and by no other', () => {
    const open = { ...empty, attempt: { expectedVersion: 'v1', instance: 'i', at: '2030-01-01T00:00:00.000Z' } };
    expect(withVersion(open, entry('v2', 'v1'))).not.toHaveProperty('attempt');
    expect(withVersion(open, entry('v9', 'v8'))).toHaveProperty('attempt', open.attempt);
    expect(withoutAttempt(open)).toEqual(empty);
  });

  test('is one for one key, however the key is spelt', async () => {
    const { documents } = createFakeWorld();
    await updateLedger(documents, { ...key, name: 'ORDERS' }, (ledger) => withVersion(ledger, entry('v1')));
    expect((await readLedger(documents, key)).ledger.versions).toHaveLength(1);
  });

  test('loses no word of writers that come at the same time', async () => {
    const { documents } = createFakeWorld();
    const words = Array.from({ length: 20 }, (_, index) => `v${index}`);
    await Promise.all(
      words.map((version) => updateLedger(documents, key, (ledger) => withVersion(ledger, entry(version)))),
    );
    const { ledger } = await readLedger(documents, key);
    expect(ledger.versions.map(({ version }) => version).sort()).toEqual(words.sort());
  });

  test('is not written when nothing changed', async () => {
    const { documents, stored } = createFakeWorld();
    await updateLedger(documents, key, (ledger) => ledger);
    expect(stored.size).toBe(0);
  });
});
