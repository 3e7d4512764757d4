import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFaults } from '../../../infra/local/faults.ts';

describe('Faults', () => {
  test('fire as often as their count says and then are spent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 12 }), async (count, calls) => {
        const faults = createFaults();
        faults.add({ service: 'hsm', operation: 'KeyRotate', status: 503, count });
        let fired = 0;
        for (let call = 0; call < calls; call++) {
          if ((await faults.meet('hsm', 'KeyRotate')).kind === 'answer') fired += 1;
        }
        expect(fired).toBe(Math.min(count, calls));
        expect(faults.list()).toHaveLength(calls < count ? 1 : 0);
      }),
    );
  });

  test('fire only for their service, operation and attributes', async () => {
    const faults = createFaults();
    faults.add({ service: 'hsm', operation: 'KeyRotate', where: { key: 'orders' }, status: 503 });
    expect((await faults.meet('hsm', 'KeyRotate', { key: 'orders' })).kind).toBe('answer');
    expect((await faults.meet('hsm', 'KeyRotate', { key: 'others' })).kind).toBe('none');
    expect((await faults.meet('hsm', 'KeyGet', { key: 'orders' })).kind).toBe('none');
    expect((await faults.meet('blob', 'KeyRotate', { key: 'orders' })).kind).toBe('none');
  });

  test('fire by chance when they have a probability', async () => {
    const draws = [0.1, 0.9];
    const faults = createFaults(() => draws.shift() ?? 1);
    faults.add({ service: '*', operation: '*', status: 429, probability: 0.5 });
    expect((await faults.meet('hsm', 'KeyGet')).kind).toBe('answer');
    expect((await faults.meet('hsm', 'KeyGet')).kind).toBe('none');
  });

  test('are met in the order they were set, until removed', async () => {
    const faults = createFaults();
    const first = faults.add({ service: 'mail', operation: '*', status: 451 });
    faults.add({ service: 'mail', operation: '*', status: 550 });
    expect(await faults.meet('mail', 'Data')).toMatchObject({ status: 451 });
    expect(faults.remove(first.id)).toBe(true);
    expect(await faults.meet('mail', 'Data')).toMatchObject({ status: 550 });
    faults.clear();
    expect(await faults.meet('mail', 'Data')).toEqual({ kind: 'none' });
  });
});
