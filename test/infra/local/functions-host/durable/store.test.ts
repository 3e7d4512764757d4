import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EventType, event } from '../../../../../infra/local/functions-host/durable/history.ts';
import type { Instance } from '../../../../../infra/local/functions-host/durable/state.ts';
import { openStore } from '../../../../../infra/local/functions-host/durable/store.ts';

const at = new Date('2030-01-01T00:00:00Z');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'store-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const file = () => join(folder, 'hub.jsonl');

const instance = (instanceId: string): Instance => ({
  instanceId,
  executionId: 'e',
  name: 'o',
  version: '',
  input: null,
  parent: null,
  status: 'Pending',
  output: null,
  customStatus: null,
  createdAt: at.toISOString(),
  updatedAt: at.toISOString(),
  history: [],
  inbox: [],
  cancelledTimers: [],
});

test('a store opened again knows everything committed', () => {
  const first = openStore(file(), { fsync: true });
  first.commit([{ op: 'instance', instance: instance('a') }]);
  first.commit([{ op: 'arrived', id: 'a', events: [event(EventType.EventRaised, at, { Name: 'E' })] }]);
  first.commit([
    {
      op: 'episode',
      id: 'a',
      taken: 1,
      events: [event(EventType.OrchestratorStarted, at)],
      fields: { status: 'Running' },
    },
    { op: 'instance', instance: instance('b') },
  ]);
  const before = structuredClone(first.hub);
  first.close();
  expect(openStore(file()).hub).toEqual(before);
  expect(before.instances.get('a')).toMatchObject({ status: 'Running', inbox: [], history: [{ EventType: 12 }] });
});

test('a line torn by the death of the process is dropped, and what follows is whole', () => {
  const first = openStore(file());
  first.commit([{ op: 'instance', instance: instance('a') }]);
  first.close();
  appendFileSync(file(), '[{"op":"instance","instance":{"instanceId":"b"');
  const second = openStore(file());
  expect([...second.hub.instances.keys()]).toEqual(['a']);
  second.commit([{ op: 'instance', instance: instance('c') }]);
  second.close();
  expect([...openStore(file()).hub.instances.keys()]).toEqual(['a', 'c']);
});

test('opening compacts: one line for each instance that is left', () => {
  const first = openStore(file());
  for (const id of ['a', 'b', 'c']) first.commit([{ op: 'instance', instance: instance(id) }]);
  first.commit([{ op: 'purged', id: 'b' }]);
  first.close();
  openStore(file()).close();
  expect(readFileSync(file(), 'utf8').trimEnd().split('\n')).toHaveLength(2);
});
