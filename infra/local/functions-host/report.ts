import type { Trigger } from './invocation.ts';
import type { Work } from './work.ts';

/** What the host tells its parent. */
export interface Report {
  ready(port: number, functions: { name: string; type: string }[]): void;
  log(level: string, category: string, message: string, about?: { functionName?: string; invocationId?: string }): void;
  /** Runs `act` and tells of its start and end. */
  invocation<T>(name: string, trigger: Pick<Trigger, 'kind' | 'instanceId'>, act: () => Promise<T>): Promise<T>;
  fatal(message: string): void;
}

export type HostMessage =
  | { type: 'ready'; port: number; functions: { name: string; type: string }[] }
  | { type: 'log'; level: string; category: string; functionName?: string; invocationId?: string; message: string }
  | { type: 'invocation'; name: string; kind: string; instanceId?: string; phase: 'start' }
  | {
      type: 'invocation';
      name: string;
      kind: string;
      instanceId?: string;
      phase: 'end';
      ok: boolean;
      durationMs: number;
    }
  | ({ type: 'work'; id: number } & Work)
  | { type: 'fatal'; message: string };

export function createReport(send: (message: HostMessage) => void): Report {
  return {
    ready: (port, functions) => send({ type: 'ready', port, functions }),
    log: (level, category, message, about = {}) => send({ type: 'log', level, category, message, ...about }),
    fatal: (message) => send({ type: 'fatal', message }),
    async invocation(name, trigger, act) {
      const about = {
        type: 'invocation' as const,
        name,
        kind: trigger.kind,
        ...(trigger.instanceId === undefined ? {} : { instanceId: trigger.instanceId }),
      };
      const began = performance.now();
      send({ ...about, phase: 'start' });
      const end = (ok: boolean) =>
        send({ ...about, phase: 'end', ok, durationMs: Math.round(performance.now() - began) });
      try {
        const value = await act();
        end(true);
        return value;
      } catch (error) {
        end(false);
        throw error;
      }
    },
  };
}

/** Sends over IPC where there is a channel, and prints otherwise. A parent that has gone is not an error. */
export function reportToParent(): (message: HostMessage) => void {
  const send = process.send?.bind(process);
  if (!send) return print;
  return (message) => {
    if (process.connected) send(message, undefined, undefined, () => undefined);
  };
}

function print(message: HostMessage): void {
  switch (message.type) {
    case 'ready':
      console.log(`Host listening on http://localhost:${message.port} with ${message.functions.length} functions.`);
      return;
    case 'log':
      console.log(`[${message.level}] ${message.functionName ?? 'host'}: ${message.message}`);
      return;
    case 'fatal':
      console.error(message.message);
      return;
    case 'invocation':
      if (message.phase === 'end' && !message.ok) console.log(`[error] ${message.name} failed.`);
  }
}
