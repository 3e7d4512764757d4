import type { CallGroup } from '../../shared/detection/audit-call.ts';
import { classifyCall } from '../../shared/detection/classify-call.ts';
import { MINUTE } from '../traffic/calendar.ts';
import type { TrafficCall } from '../traffic/call.ts';
import { correlationId } from '../traffic/rows.ts';

const BIN = 10 * MINUTE;
const CRYPTO = new Set(['wrapkey', 'unwrapkey', 'encrypt', 'decrypt', 'sign', 'verify']);
/** As the queries keep at most. */
const IDS = 20;

interface Group {
  sample: TrafficCall;
  path: string;
  operation: string;
  count: number;
  first: number;
  last: number;
  arrived: number;
  calls: TrafficCall[];
}

/**
 * Calls that arrived in one window, counted as the queries of `shared/detection/queries` count them: by everything that a
 * detector looks at, in bins of ten minutes of event time and of arrival. A test asks the queries the same.
 */
export function groupCalls(hsm: string, calls: Iterable<TrafficCall>): CallGroup[] {
  const groups = new Map<string, Group>();
  for (const call of calls) {
    const { path, status, caller } = call;
    const verb = path.slice(path.lastIndexOf('/') + 1);
    const crypto = CRYPTO.has(verb) && status < 400;
    const challenged = status === 401 && caller.oid === '';
    const operation = challenged ? 'Authentication' : call.operation;
    const shownPath = challenged ? '' : path;
    // A challenge names nobody, so it is counted by address alone; of a crypto call the client's product is enough.
    const client = crypto ? productOf(call.userAgent) : '';
    const bins = `${Math.floor(call.at / BIN)} ${Math.floor(call.arrived / BIN)}`;
    const who = `${caller.oid} ${caller.app} ${call.address} ${call.subnet} ${call.trustedService}`;
    const mark = `${bins} ${status} ${crypto ? '' : operation} ${shownPath} ${who} ${client}`;
    const group = groups.get(mark);
    // Of what is rare the queries drop a row that was written twice; of crypto they count what is there.
    const count = crypto ? call.count + call.repeated : call.count;
    if (group === undefined) {
      const { at, span, arrived } = call;
      groups.set(mark, {
        sample: call,
        path: shownPath,
        operation,
        count,
        first: at,
        last: at + span,
        arrived,
        calls: [call],
      });
      continue;
    }
    group.count += count;
    group.first = Math.min(group.first, call.at);
    group.last = Math.max(group.last, call.at + call.span);
    group.arrived = Math.max(group.arrived, call.arrived);
    if (group.calls.length < IDS) group.calls.push(call);
  }
  return [...groups.values()].map((group) => toCallGroup(hsm, group));
}

/** The name of a client's product without its version, as the query has it. */
const productOf = (userAgent: string): string => (userAgent.split('/')[0] ?? '').split(' ')[0]?.slice(0, 60) ?? '';

function toCallGroup(hsm: string, { sample, path, operation, count, first, last, arrived, calls }: Group): CallGroup {
  const { caller, status, subnet, trustedService } = sample;
  return {
    hsm,
    ...classified(path, operation, status, caller.oid),
    operation,
    status,
    // As the app does: a token that was not accepted names nobody.
    ...(status === 401 ? unproven(sample) : { caller: callerOf(sample) }),
    address: sample.address,
    ...(subnet === '' ? {} : { subnet }),
    ...(trustedService === '' ? {} : { trustedService }),
    userAgent: sample.userAgent,
    count,
    first: new Date(first).toISOString(),
    last: new Date(last).toISOString(),
    arrived: new Date(arrived).toISOString(),
    correlationIds: idsOf(calls),
  };
}

export const callerOf = ({ caller: { oid, app, upn } }: Pick<TrafficCall, 'caller'>) => ({
  oid,
  ...(app === '' ? {} : { app }),
  ...(upn === '' ? {} : { upn }),
});

const unproven = (sample: TrafficCall): Pick<CallGroup, 'caller' | 'claimed'> => ({
  caller: { oid: '' },
  ...(sample.caller.oid === '' ? {} : { claimed: callerOf(sample) }),
});

function idsOf(calls: readonly TrafficCall[]): string[] {
  const ids: string[] = [];
  for (const call of calls) {
    for (let index = 0; index < call.count && ids.length < IDS; index++) ids.push(correlationId(call, index));
    if (ids.length >= IDS) break;
  }
  return ids;
}

type Classified = ReturnType<typeof classifyCall>;
/** Few addresses make all the traffic. */
const seen = new Map<string, Classified>();

function classified(path: string, operation: string, status: number, oid: string): Classified {
  const mark = `${status} ${operation} ${oid === ''} ${path}`;
  const found = seen.get(mark);
  if (found) return found;
  if (seen.size > 20_000) seen.clear();
  const made = classifyCall({ path, operation, status, oid });
  seen.set(mark, made);
  return made;
}
