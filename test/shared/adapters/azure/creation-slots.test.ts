import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCreationSlots } from '../../../../shared/adapters/azure/creation-slots.ts';
import type { Documents } from '../../../../shared/ports/documents.ts';

/** Documents in memory, each call on a turn of its own so that writers race. */
function memoryDocuments() {
  const stored = new Map<string, { text: string; version: number }>();
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const write = (path: string, value: unknown) => {
    const version = (stored.get(path)?.version ?? 0) + 1;
    stored.set(path, { text: JSON.stringify(value), version });
    return { etag: String(version) };
  };
  const documents: Pick<Documents, 'read' | 'create' | 'replace'> = {
    async read<T>(_container: string, path: string) {
      await turn();
      const found = stored.get(path);
      return found && { value: JSON.parse(found.text) as T, etag: String(found.version) };
    },
    async create(_container, path, value) {
      await turn();
      return stored.has(path) ? 'exists' : write(path, value);
    },
    async replace(_container, path, value, etag) {
      await turn();
      return String(stored.get(path)?.version) === etag ? write(path, value) : 'changed';
    },
  };
  return { documents: documents as Documents, size: () => [...stored.values()].map(({ text }) => text.length) };
}

const start = Date.parse('2030-01-31T00:00:00Z');

test('slots of one HSM are a second apart, not before they are asked for, and the same for the same holder', async () => {
  const asked = fc.array(fc.record({ holder: fc.nat(9), afterMs: fc.nat(4000) }), { minLength: 1, maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(asked, async (requests) => {
      const slots = createCreationSlots(memoryDocuments().documents);
      const given = new Map<number, string>();
      let now = start;
      for (const { holder, afterMs } of requests) {
        now += afterMs;
        const { at } = await slots.reserve('contoso', `rotate-${holder}`, new Date(now));
        const before = given.get(holder);
        if (before === undefined) expect(Date.parse(at)).toBeGreaterThanOrEqual(now);
        else expect(at).toBe(before);
        given.set(holder, at);
      }
      const instants = [...given.values()].map((at) => Date.parse(at)).toSorted((a, b) => a - b);
      const gaps = instants.slice(1).map((at, index) => at - (instants[index] ?? 0));
      expect(Math.min(1000, ...gaps)).toBe(1000);
    }),
    { numRuns: 60 },
  );
});

test('instances that ask at the same moment get different slots', async () => {
  const { documents } = memoryDocuments();
  const instances = Array.from({ length: 6 }, () => createCreationSlots(documents));
  const given = await Promise.all(
    instances.map((slots, index) => slots.reserve('contoso', `rotate-${index}`, new Date(start))),
  );
  expect(given.map(({ at }) => Date.parse(at) - start).toSorted((a, b) => a - b)).toEqual([
    0, 1000, 2000, 3000, 4000, 5000,
  ]);
});

test('HSMs do not wait for each other', async () => {
  const slots = createCreationSlots(memoryDocuments().documents);
  const given = await Promise.all(['contoso', 'fabrikam'].map((hsm) => slots.reserve(hsm, 'one', new Date(start))));
  expect(given.map(({ at }) => Date.parse(at))).toEqual([start, start]);
});

test('reservations long past are dropped', async () => {
  const { documents, size } = memoryDocuments();
  const slots = createCreationSlots(documents);
  for (let day = 0; day < 20; day++)
    await slots.reserve('contoso', `rotate-${day}`, new Date(start + day * 86_400_000));
  expect(size()[0]).toBeLessThan(120);
});
