import type { HourVolume } from '../../shared/detection/audit-call.ts';
import { HOUR } from '../traffic/calendar.ts';
import type { TrafficCall } from '../traffic/call.ts';
import { callerOf } from './groups.ts';

const UNPROTECT = new Set(['unwrapkey', 'decrypt']);
const COUNTED = new Set(['wrapkey', 'unwrapkey', 'encrypt', 'decrypt', 'sign']);

/** Hours of event time, as far as they have arrived. */
export interface HourSums {
  add(call: TrafficCall): void;
  /** What an hour holds now; it is forgotten with it. */
  take(hour: number): HourVolume[];
}

export function createHourSums(hsm: string): HourSums {
  const hours = new Map<number, Map<string, HourVolume>>();
  return {
    add(call) {
      const verb = call.path.slice(call.path.lastIndexOf('/') + 1);
      if (!COUNTED.has(verb) || call.status >= 400) return;
      const hour = call.at - (call.at % HOUR);
      const volumes = hours.get(hour) ?? new Map<string, HourVolume>();
      hours.set(hour, volumes);
      const mark = `${call.key} ${verb} ${call.caller.oid}`;
      const volume = volumes.get(mark);
      const count = call.count + call.repeated;
      if (volume) volume.count += count;
      else
        volumes.set(mark, {
          hsm,
          key: call.key,
          caller: callerOf(call),
          class: UNPROTECT.has(verb) ? 'crypto.unprotect' : 'crypto.protect',
          verb,
          hour: new Date(hour).toISOString(),
          count,
        });
    },
    take(hour) {
      const volumes = [...(hours.get(hour)?.values() ?? [])];
      hours.delete(hour);
      return volumes;
    },
  };
}
