import type { Agenda } from './agenda.ts';
import { HsmError } from './errors.ts';
import type { KeyStore } from './keys.ts';
import { type Key, newest } from './model.ts';
import { rotationDue } from './rotation-policy.ts';

/** What became of a rotation that a policy asked for. `version` is absent when it failed. */
export interface AutomaticRotation {
  name: string;
  version?: string;
  status: number;
  description?: string;
}

const entry = (name: string) => `rotate:${name}`;

/**
 * Rotates keys when their policy says so. A clock that jumps over several periods makes one new version, at the time it
 * jumped to: the service looks at a key, finds it due and rotates it once, and the next period starts there. A rotation
 * that was refused (disabled key, 100 versions) is tried again only after the key changed.
 */
export function createAutomaticRotation(options: {
  agenda: Agenda;
  keys(): KeyStore;
  /** Unix seconds. */
  now(): number;
  done(rotation: AutomaticRotation): void;
}) {
  // One at a time: a jump of the clock may make thousands due, and generating must not starve the calls of clients.
  let queue = Promise.resolve();

  const rotate = async (name: string): Promise<AutomaticRotation> => {
    try {
      const { version } = await options.keys().rotate(name);
      return { name, version: version.version, status: 200 };
    } catch (error) {
      const status = error instanceof HsmError ? error.status : 500;
      return { name, status, description: (error as Error).message };
    }
  };
  const rotateIfDue = async (name: string): Promise<void> => {
    const key = options.keys().find(name);
    const due = key && rotationDue(key.rotationPolicy, newest(key));
    if (due !== undefined && due <= options.now()) options.done(await rotate(name));
  };

  const enqueue = (name: string) => {
    queue = queue.then(() => rotateIfDue(name));
  };

  return {
    /** Looks again at a key after a change; undefined: it is gone. */
    reconsider(name: string, key: Key | undefined): void {
      const due = key && rotationDue(key.rotationPolicy, newest(key));
      if (due === undefined) options.agenda.cancel(entry(name));
      else options.agenda.set(entry(name), due, () => enqueue(name));
    },
  };
}
