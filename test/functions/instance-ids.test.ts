import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { confirmationId, noticeId, reconciliationId, rotationId, sweepId } from '../../functions/instance-ids.ts';

const letters = (least: number, most: number) =>
  fc.stringMatching(new RegExp(`^[0-9a-zA-Z-]{${least},${most}}$`)).filter((text) => text.length <= most);
const anyKey = fc.record({ hsm: letters(3, 24), name: letters(1, 127) });
const anyVersion = fc.stringMatching(/^[0-9a-f]{32}$/);
const LAWFUL = /^[0-9a-zA-Z-]{1,100}$/;

describe('an instance id', () => {
  test('is one that the durable extension and the operator API take, whatever it names', () => {
    fc.assert(
      fc.property(anyKey, anyVersion, fc.string({ maxLength: 300 }), (key, version, kind) => {
        for (const id of [
          rotationId(key, version),
          confirmationId(key, version),
          sweepId(key.hsm),
          reconciliationId(key.hsm),
          noticeId(rotationId(key, version), kind),
        ]) {
          expect(id).toMatch(LAWFUL);
        }
      }),
    );
  });

  test('is the same for one key however it is spelt', () => {
    fc.assert(
      fc.property(anyKey, anyVersion, (key, version) => {
        const loud = { ...key, name: key.name.toUpperCase() };
        expect(rotationId(loud, version)).toBe(rotationId(key, version));
        expect(confirmationId(loud, version)).toBe(confirmationId(key, version));
      }),
    );
  });

  test('tells keys and versions apart, also where a long name is cut', () => {
    fc.assert(
      fc.property(letters(100, 127), anyVersion, anyVersion, (name, one, other) => {
        fc.pre(one !== other);
        const key = { hsm: 'contoso', name };
        const longer = { ...key, name: `${name.slice(0, 126)}${name.endsWith('x') ? 'y' : 'x'}` };
        fc.pre(longer.name.toLowerCase() !== name.toLowerCase());
        expect(rotationId(key, one)).not.toBe(rotationId(key, other));
        expect(rotationId(key, one)).not.toBe(rotationId(longer, one));
      }),
    );
  });

  test('tells notices apart whose kinds differ in what an id may not hold', () => {
    expect(noticeId('sweep-contoso', 'policy-fault-"1"')).not.toBe(noticeId('sweep-contoso', 'policy-fault-#1#'));
  });

  test('stays readable where it can', () => {
    expect(rotationId({ hsm: 'contoso', name: 'Orders' }, 'a1')).toBe('rotate-contoso-orders-a1');
    expect(noticeId('rotate-contoso-orders-a1', 'failed')).toBe('notify-rotate-contoso-orders-a1-failed');
  });
});
