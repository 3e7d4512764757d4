import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ConsumedIntent } from '../../../shared/detection/memory.ts';
import { matchOwnActs } from '../../../shared/detection/own-acts.ts';
import { ALICE, aCall, aRule, detect, grownMemory, hsmCall, OURS, someFacts } from './builders.ts';
import { anIntent } from './fixtures.ts';

const backup = (over = {}) => {
  const { version: _version, verb: _verb, ...call } = aCall();
  return {
    ...call,
    class: 'key.backup' as const,
    path: '/keys/pay-01/backup',
    caller: { oid: 'o', app: OURS },
    ...over,
  };
};
const intent = anIntent({ count: { 'key.backup': 2 } });
const match = (calls: ReturnType<typeof backup>[], intents = [intent], before: Record<string, ConsumedIntent> = {}) =>
  matchOwnActs(calls, intents, before, 5);

describe('an intent of the journal', () => {
  test('absorbs calls that agree in class, key, identity and window, as often as it says', () => {
    expect(match([backup({ count: 3 })]).explained).toEqual([{ unexplained: 1, intents: [intent.id] }]);
  });

  test.each([
    ['another key', { key: 'pay-02' }],
    ['another identity', { caller: { oid: ALICE } }],
    ['another class', { class: 'key.release' as const }],
    ['a time before its window', { first: '2026-03-12T09:40:00Z', last: '2026-03-12T09:40:00Z' }],
    ['a time after its window', { first: '2026-03-12T10:30:00Z', last: '2026-03-12T10:30:00Z' }],
  ])('absorbs no call of %s', (_, over) => {
    expect(match([backup(over)]).explained[0]?.unexplained).toBe(1);
  });

  test('is used up over windows, and not by the same calls judged again', () => {
    const first = match([backup({ count: 2 })]);
    expect(match([backup({ count: 2 })], [intent], first.consumed).explained[0]?.unexplained).toBe(0);
    const later = backup({ first: '2026-03-12T10:06:00.000Z', last: '2026-03-12T10:06:00.000Z' });
    expect(match([later], [intent], first.consumed).explained[0]?.unexplained).toBe(1);
  });

  test('never absorbs more than it announced, whatever the calls', () => {
    const calls = fc.array(
      fc.record({ count: fc.integer({ min: 1, max: 5 }), minute: fc.integer({ min: 0, max: 9 }) }),
    );
    fc.assert(
      fc.property(calls, fc.integer({ min: 0, max: 8 }), (counts, limit) => {
        const groups = counts.map(({ count, minute }, index) =>
          backup({ count, first: `2026-03-12T10:0${minute}:0${index % 10}.${index}Z`.replace(/\.(\d)Z/, '.00$1Z') }),
        );
        const { explained } = match(groups, [anIntent({ count: { 'key.backup': limit } })]);
        const taken = explained.reduce(
          (sum, { unexplained }, index) => sum + (groups[index]?.count ?? 0) - unexplained,
          0,
        );
        expect(taken).toBeLessThanOrEqual(limit);
      }),
    );
  });

  test.each(['sd.download', 'restore.full', 'settings.update', 'rbac.definition.put'] as const)(
    'explains %s only with the name of who approved it',
    (of) => {
      const call = hsmCall({ class: of, path: '/x', caller: { oid: 'o', app: OURS } });
      const bare = anIntent({ target: 'x', count: { [of]: 1 } });
      expect(matchOwnActs([call], [bare], {}, 5).explained[0]?.unexplained).toBe(1);
      expect(matchOwnActs([call], [{ ...bare, approvedBy: 'bob' }], {}, 5).explained[0]?.unexplained).toBe(0);
    },
  );

  test('covers the polls of what it started, uncounted', () => {
    const poll = hsmCall({
      class: 'backup.poll',
      path: '/backup/j/pending',
      caller: { oid: 'o', app: OURS },
      count: 500,
    });
    expect(
      matchOwnActs([poll], [anIntent({ target: 'backup', count: { 'backup.start': 1 } })], {}, 5).explained[0],
    ).toEqual({
      unexplained: 0,
      intents: ['act-1:intent'],
    });
  });

  test('keeps the finding, as Informational, and names the intent', () => {
    const { findings } = detect(someFacts({ calls: [backup()], intents: [intent] }), grownMemory(), aRule());
    expect(findings).toMatchObject([
      { detector: 'key-material-movement', severity: 'Informational', response: 'record', intents: [intent.id] },
    ]);
    expect(findings[0]?.score).toBeLessThanOrEqual(21);
  });
});

test('a row that the log delivered twice is one call, so that its repeat is no intruder', () => {
  const call = backup({ count: 2 });
  const { findings } = detect(
    someFacts({ calls: [call], intents: [anIntent({ count: { 'key.backup': 1 } })] }),
    grownMemory(),
    aRule(),
  );
  expect(findings.map(({ severity }) => severity)).toEqual(['Informational']);
});

test('our identity cannot approve its own rise: a grave grant needs a person', () => {
  const id = '6a1b2c3d-0000-4000-8000-000000000001';
  const call = hsmCall({
    class: 'rbac.assign.put',
    path: `/providers/microsoft.authorization/roleassignments/${id}`,
    status: 201,
    caller: { oid: 'o', app: OURS },
  });
  const lookedUp = {
    backupContainers: {},
    assignments: [{ id, scope: '/', role: 'a290e904-7015-4bba-90c8-60543313cdb4', principalId: 'o' }],
  };
  const bare = anIntent({ target: 'roles', count: { 'rbac.assign.put': 1 } });
  const severity = (approvedBy?: string) =>
    detect(
      someFacts({ calls: [call], lookedUp, intents: [approvedBy ? { ...bare, approvedBy } : bare] }),
      grownMemory(),
      aRule(),
    ).findings.find(({ detector }) => detector === 'role-assignment-change')?.severity;
  expect(severity()).toBe('Critical');
  expect(severity('bob@contoso.example')).toBe('Informational');
});
