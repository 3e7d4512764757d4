import type { ManifestKey } from '../backup/manifest.ts';

/** A consumer that has to be pointed at the new HSM: its name and address are new, and nothing follows by itself. */
export interface ConsumerTask {
  consumer: string;
  key: string;
  owner?: string;
  /** Where the key was and where it is. */
  from: string;
  to: string;
  state: 'open' | 'done';
  done?: { by: string; at: string; note?: string };
}

export interface ConsumerList {
  tasks: ConsumerTask[];
  /** Keys of which nobody knows who uses them: the ones to worry about. */
  keysWithoutConsumer: string[];
  done: number;
  total: number;
  text: string;
}

export interface ConsumerDone {
  consumer: string;
  key: string;
  by: string;
  at: string;
  note?: string;
}

/**
 * Who has to be re-pointed, from the tag `consumer` of each key (several parted by comma or semicolon), with what was reported
 * as done. A report about a consumer that no tag names is kept, because the tag may be what is wrong.
 */
export function listConsumers(
  keys: readonly Pick<ManifestKey, 'name' | 'tags'>[],
  addresses: { from: string; to: string },
  reports: readonly ConsumerDone[],
): ConsumerList {
  const wanted = keys.flatMap((key) => consumersOf(key).map((consumer) => ({ consumer, key })));
  const known = new Set(wanted.map(({ consumer, key }) => taskId(consumer, key.name)));
  const doneBy = new Map(reports.map((report) => [taskId(report.consumer, report.key), report]));
  const task = (consumer: string, key: string, owner?: string): ConsumerTask => {
    const report = doneBy.get(taskId(consumer, key));
    return {
      consumer,
      key,
      ...(owner === undefined ? {} : { owner }),
      from: `${addresses.from}/keys/${key}`,
      to: `${addresses.to}/keys/${key}`,
      state: report === undefined ? 'open' : 'done',
      ...(report === undefined ? {} : { done: doneOf(report) }),
    };
  };
  const tasks = [
    ...wanted.map(({ consumer, key }) => task(consumer, key.name, key.tags.owner)),
    ...[...doneBy.values()]
      .filter((report) => !known.has(taskId(report.consumer, report.key)))
      .map((report) => task(report.consumer, report.key)),
  ].sort((a, b) => compare(a.state, b.state) * -1 || compare(a.consumer, b.consumer) || compare(a.key, b.key));
  const done = tasks.filter(({ state }) => state === 'done').length;
  const keysWithoutConsumer = keys.filter((key) => consumersOf(key).length === 0).map(({ name }) => name);
  return {
    tasks,
    keysWithoutConsumer,
    done,
    total: tasks.length,
    text: `${done} of ${tasks.length} consumers re-pointed; ${keysWithoutConsumer.length} keys name no consumer.`,
  };
}

function consumersOf({ tags }: Pick<ManifestKey, 'tags'>): string[] {
  const named = (tags.consumer ?? '').split(/[,;]/).map((name) => name.trim());
  return [...new Map(named.filter((name) => name !== '').map((name) => [name.toLowerCase(), name])).values()];
}

const taskId = (consumer: string, key: string): string => `${consumer.trim().toLowerCase()} ${key.toLowerCase()}`;

const doneOf = ({ by, at, note }: ConsumerDone) => ({ by, at, ...(note === undefined ? {} : { note }) });

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
