import { createHash } from 'node:crypto';
import { groupCalls } from '../../infra/evaluation/groups.ts';
import { ruleFor } from '../../infra/evaluation/ours.ts';
import { MINUTE } from '../../infra/traffic/calendar.ts';
import type { TrafficCall } from '../../infra/traffic/call.ts';
import { shapes } from '../../infra/traffic/operations.ts';
import { DEFAULTS } from '../../infra/traffic/parameters.ts';
import { randomFor } from '../../infra/traffic/random.ts';
import { createSite } from '../../infra/traffic/site.ts';
import { createDetect } from '../../shared/detection/detect.ts';
import { emptyMemory } from '../../shared/detection/memory.ts';

/** Counts and judges an hour of single rows, window by window, in a process of its own. */
const WINDOWS = 12;
const rows = Number(process.argv[2]);

const detect = createDetect((text) => createHash('sha256').update(text).digest('hex'));
const site = createSite(1, 0, { ...DEFAULTS, minor: { ...DEFAULTS.minor, keys: 40 } });
const rule = ruleFor(site);
const random = randomFor('bench');
const consumers = [...site.storage, ...site.minor, ...site.sql, site.signing, site.envelope, site.batch];
const keys = [...site.keys.values()].map(({ name, createdOn, versions, decoy }) => ({
  name,
  createdOn: new Date(createdOn).toISOString(),
  versions: versions.map((each) => ({
    version: each.version,
    createdOn: new Date(each.createdOn).toISOString(),
    enabled: true,
  })),
  decoy,
}));

/** So many different rows of five minutes; what is more repeats them, for only the counted is to be in memory. */
const DIFFERENT = 20_000;

function poolOf(start: number): TrafficCall[] {
  return Array.from({ length: DIFFERENT }, (_, serial) => {
    const { key, caller, address, subnet, trustedService, userAgent } = random.pick(consumers);
    const [operation, path, status] = shapes.crypto('unwrapkey', key, site.keys.get(key)?.versions[0]?.version ?? '');
    const at = start + random.between(0, 5 * MINUTE - 1);
    const times = { at, span: 0, count: 1, repeated: 0, arrived: at + MINUTE };
    const client = { caller, address, subnet, trustedService, userAgent };
    return { serial, ...times, operation, path, status, key, version: '', ...client };
  });
}

function* repeated(pool: readonly TrafficCall[], count: number): Generator<TrafficCall> {
  for (let index = 0; index < count; index++) yield pool[index % pool.length] as TrafficCall;
}

let memory = emptyMemory();
let ms = 0;
let groups = 0;
let peak = 0;
/** The first hour warms the process up, the second is measured. */
for (let index = 0; index < 2 * WINDOWS; index++) {
  const start = site.from + index * 5 * MINUTE;
  const read = repeated(poolOf(start), Math.round(rows / WINDOWS));
  const startedAt = performance.now();
  const calls = groupCalls(site.hsm, read);
  const facts = {
    ...{ now: new Date(start + 7 * MINUTE).toISOString(), hsm: site.hsm, calls, more: 0, hours: [], arrivals: [] },
    ...{ controlPlane: [], intents: [], lookedUp: { backupContainers: {} }, keys, ownClients: [] },
  };
  ({ memory } = detect(facts, memory, rule));
  if (index >= WINDOWS) {
    ms += performance.now() - startedAt;
    groups += calls.length;
  }
  peak = Math.max(peak, process.memoryUsage().rss / 1024 / 1024);
}
console.log(JSON.stringify({ ms, groups, peakMegabytes: peak }));
