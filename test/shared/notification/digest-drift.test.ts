import fc from 'fast-check';
import { expect, test } from 'vitest';
import { composeMessage } from '../../../shared/notification/compose-message.ts';
import { digestDrift } from '../../../shared/notification/digest-drift.ts';
import type { Notice } from '../../../shared/notification/notice.ts';

const drift = (name: string, to = 'a@contoso.example', action: 'repaired' | 'told' | 'refused' = 'told') => ({
  id: `policy-drift-contoso-${name}`,
  notice: {
    kind: 'PolicyDrift' as const,
    at: '2030-01-01T00:00:00Z',
    key: { hsm: 'contoso', name },
    notify: { notify: [to] },
    differences: [],
    action,
  },
});

test('tells a few drifts one by one', () => {
  const few = [drift('a'), drift('b'), drift('c')];
  expect(digestDrift(few)).toEqual(few);
});

test('tells many drifts to one reader as one notice that lists the keys, and leaves other readers and outcomes alone', () => {
  const many = [drift('d'), drift('a'), drift('c', 'A@contoso.example'), drift('b')];
  const others = [drift('x', 'b@contoso.example'), drift('y', 'a@contoso.example', 'repaired')];
  const told = digestDrift([...many, ...others]);
  expect(told.map(({ notice }) => notice.kind)).toEqual(['PolicyDriftDigest', 'PolicyDrift', 'PolicyDrift']);
  expect(told[0]).toMatchObject({ notice: { keys: ['a', 'b', 'c', 'd'], action: 'told' } });
});

test('names every key exactly once, whatever is found', () => {
  const found = fc.uniqueArray(
    fc.tuple(fc.stringMatching(/^[a-z0-9-]{1,20}$/), fc.constantFrom('a@x.example', 'b@x.example')),
    {
      selector: ([name]) => name,
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(found, (keys) => {
      const told = digestDrift(keys.map(([name, to]) => drift(name, to)));
      const names = told.flatMap(({ notice }) =>
        notice.kind === 'PolicyDriftDigest' ? notice.keys : [notice.key.name],
      );
      expect(names.sort()).toEqual(keys.map(([name]) => name).sort());
      expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
    }),
  );
});

test('is composed as one short mail, however many keys there are', () => {
  const keys = Array.from({ length: 5_000 }, (_, index) => `key-${index}`);
  const notice: Notice = {
    kind: 'PolicyDriftDigest',
    at: '2030-01-01T00:00:00Z',
    hsm: 'contoso',
    notify: { notify: [] },
    action: 'told',
    keys,
  };
  const message = composeMessage(notice, { installation: 'test', hsmUris: {} });
  expect(message.subject).toContain('contoso: 5000 rotation policies differ');
  expect(message.paragraphs.join(' ')).toContain('and 4900 more');
});
