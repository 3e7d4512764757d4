import { MINUTE } from './calendar.ts';
import type { Strand, TrafficAct, TrafficCall } from './call.ts';
import type { Shape } from './operations.ts';
import { type Random, randomFor } from './random.ts';
import type { Client, Site } from './site.ts';

const BIN = 10 * MINUTE;

/** How long rows of a time take until they can be queried: delays and outages are the same for the whole HSM. */
export interface Arrival {
  delays: { from: number; to: number }[];
  of(random: Random, at: number): number;
}

export function createArrival(site: Site): Arrival {
  const { medianMinutes, p95Minutes, delayDays, delayMinutes, outageDays, outageMinutes } = site.parameters.arrival;
  const sigma = Math.log(p95Minutes / medianMinutes) / 1.645;
  const random = randomFor(site.seed, site.hsm, 'delays');
  const delays: Arrival['delays'] = [];
  for (const [days, minutes] of [
    [delayDays, delayMinutes],
    [outageDays, outageMinutes],
  ] as const) {
    const apart = days * 24 * 60 * MINUTE;
    for (let at = site.from + random.exponential(apart); at < site.to; at += random.exponential(apart))
      delays.push({ from: Math.round(at), to: Math.round(at + minutes * MINUTE) });
  }
  return {
    delays,
    of(stream, at) {
      const lag = Math.round(stream.logNormal(medianMinutes * MINUTE, sigma));
      const delay = delays.find(({ from, to }) => at >= from && at < to);
      return (delay ? delay.to : at) + lag;
    },
  };
}

/** Takes down what one source does. */
export interface Tape extends Strand {
  /** One call, or `count` of them spread over `span`, cut at bins of ten minutes. */
  call(
    client: Client,
    shape: Shape,
    at: number,
    more?: Partial<Pick<TrafficCall, 'count' | 'span' | 'status' | 'address'>>,
  ): void;
  act(act: Pick<TrafficAct, 'operation' | 'resource' | 'caller'> & { at: number; succeeded?: boolean }): void;
}

export function createTape(site: Site, arrival: Arrival, source: string): Tape {
  const stream = randomFor(site.seed, site.hsm, source, 'tape');
  const strand: Strand = { calls: [], acts: [], intents: [], changes: [], silences: [], labels: [] };
  const write = (client: Client, [operation, path, status]: Shape, at: number, span: number, count: number) => {
    const [, object, key = '', version = ''] = path.split('/');
    const named = object === 'keys' || object === 'deletedkeys';
    const repeated = stream.poisson(count * site.parameters.arrival.repeated);
    strand.calls.push({
      serial: 0,
      at,
      span,
      count,
      repeated: Math.min(repeated, count),
      arrived: arrival.of(stream, at + span),
      operation,
      path,
      status,
      key: named && key !== 'providers' ? key : '',
      version: named && /^[0-9a-f]{32}$/.test(version) ? version : '',
      caller: client.caller,
      address: client.address,
      subnet: client.subnet,
      trustedService: client.trustedService,
      userAgent: client.userAgent,
    });
  };
  return {
    ...strand,
    call(client, [operation, path, status], start, { count = 1, span = 0, status: answered = status, address } = {}) {
      const from = address === undefined ? client : { ...client, address };
      const shape: Shape = [operation, path, answered];
      const at = Math.round(start);
      const last = at + Math.round(span);
      // Calls lie evenly: those of a bin are counted off before the next bin begins.
      const step = count > 1 ? (last - at) / (count - 1) : 0;
      for (let done = 0; done < count; ) {
        const first = Math.round(at + done * step);
        const end = (Math.floor(first / BIN) + 1) * BIN;
        let inBin = step === 0 ? count - done : Math.min(count - done, Math.max(1, Math.ceil((end - first) / step)));
        while (inBin > 1 && first + (inBin - 1) * step >= end) inBin--;
        write(from, shape, first, Math.round((inBin - 1) * step), inBin);
        done += inBin;
      }
    },
    act({ at, succeeded = true, ...act }) {
      const minutes = stream.between(3, 15);
      strand.acts.push({ ...act, at, arrived: at + minutes * MINUTE, succeeded, serial: strand.acts.length });
    },
  };
}
