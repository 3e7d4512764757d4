import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { apply, type Change, emptyHub, type HubState } from './state.ts';

export interface Store {
  /** Everything committed so far. */
  readonly hub: HubState;
  /** Writes the changes as one line, then applies them: a crash keeps all of them or none. */
  commit(changes: Change[]): void;
  close(): void;
}

/**
 * JSON lines, appended. A process killed in mid-write leaves a torn last line, which is dropped on loading. Without
 * `fsync` a commit survives the death of the process but not of the machine; with it, both, about six times slower.
 */
export function openStore(file: string, options: { fsync?: boolean } = {}): Store {
  mkdirSync(dirname(file), { recursive: true });
  const hub = existsSync(file) ? load(readFileSync(file, 'utf8')) : emptyHub();
  compact(file, hub);
  const descriptor = openSync(file, 'a');
  return {
    hub,
    commit(changes) {
      if (changes.length === 0) return;
      writeWhole(descriptor, `${JSON.stringify(changes)}\n`);
      if (options.fsync) fsyncSync(descriptor);
      for (const change of changes) apply(hub, change);
    },
    close: () => closeSync(descriptor),
  };
}

function load(text: string): HubState {
  const hub = emptyHub();
  const lines = text.split('\n');
  // Text after the last line feed is a commit that was being written when the process died.
  lines.pop();
  for (const line of lines) for (const change of JSON.parse(line) as Change[]) apply(hub, change);
  return hub;
}

/** Rewrites the file as one change an instance. The rename makes it all or nothing. */
function compact(file: string, hub: HubState): void {
  const beside = `${file}.new`;
  const descriptor = openSync(beside, 'w');
  for (const instance of hub.instances.values())
    writeWhole(descriptor, `${JSON.stringify([{ op: 'instance', instance } satisfies Change])}\n`);
  for (const entity of hub.entities.values())
    writeWhole(descriptor, `${JSON.stringify([{ op: 'entity', entity } satisfies Change])}\n`);
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(beside, file);
}

function writeWhole(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) written += writeSync(descriptor, bytes, written);
}
